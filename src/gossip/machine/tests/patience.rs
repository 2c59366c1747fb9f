//! Messages that come later than they are waited for.

use std::time::Duration;

use super::attacks::{Forged, forged};
use super::rig::{Rig, WALL};
use crate::gossip::GossipConfig;
use crate::wire::codec::List;
use crate::wire::message::gossip as wire;

const MILLISECOND: Duration = Duration::from_millis(1);

/// A node, a neighbour that brings messages, and one that announces them at once.
struct Late {
    rig: Rig,
    said: u64,
    /// Seals on the streams of the two.
    seals: [u64; 2],
    /// Neighbours that were asked to announce everything, in all.
    woken: usize,
}

impl Late {
    fn new() -> Self {
        let mut rig = Rig::all_connected(3, &GossipConfig::default());
        rig.run_for(Duration::from_secs(1));
        rig.silent = vec![1, 2];
        let key = forged(1, 0, b"late", WALL).key;
        for neighbour in [1, 2] {
            rig.forge(neighbour, 0, wire::KEY, &key);
        }
        Self {
            rig,
            said: 0,
            seals: [0; 2],
            woken: 0,
        }
    }

    /// A message is announced, and brought by the other neighbour after so many milliseconds, if at all. Who
    /// announced it sends it 25 ms after it was asked for; after how many milliseconds it was.
    fn say(&mut self, late: Option<u32>) -> Option<u32> {
        let now = WALL + self.rig.now.0 / 1_000;
        let message = forged(1, self.said, b"late", now);
        self.said += 1;
        let ids = List::truncated(message.seal.leaves.iter().copied());
        self.rig.sent.clear();
        self.rig
            .forge(2, 0, wire::IHAVE, &wire::IHave { topic: 0, ids });
        let (since, mut asked) = (self.rig.now, None);
        for elapsed in 1..=70 {
            self.rig.run_for(MILLISECOND);
            if asked.is_none() && self.rig.count(wire::IWANT, since) > 0 {
                asked = Some(elapsed);
            }
            if late == Some(elapsed) {
                self.bring(1, &message);
            }
            if asked.is_some_and(|asked| elapsed == asked + 25) {
                self.bring(2, &message);
            }
        }
        self.woken += self.rig.count(wire::WAKE, since);
        asked
    }

    fn bring(&mut self, neighbour: usize, message: &Forged) {
        let seal = &mut self.seals[neighbour - 1];
        let sent = wire::Message {
            seal: *seal,
            ..message.message.clone()
        };
        *seal += 1;
        self.rig.forge(neighbour, 0, wire::SEAL, &message.seal);
        self.rig.forge(neighbour, 0, wire::MESSAGE, &sent);
    }
}

/// Processors that are overloaded make all links late: to ask for everything would double the load.
#[test]
fn what_comes_late_anyway_is_asked_for_no_more() {
    let mut late = Late::new();
    let first = late.say(Some(30));
    assert_eq!(first, Some(10));
    (0..400).for_each(|_| _ = late.say(Some(30)));
    // Half the time is tried once in four heartbeats.
    let asked = (0..400).filter_map(|_| late.say(Some(30))).count();
    assert!(asked <= 150, "{asked} of 400");
    assert!(late.rig.faults.is_empty(), "{:?}", late.rig.faults);
    assert_eq!(late.rig.delivered.len(), 801);
}

#[test]
fn links_that_fall_silent_after_they_were_late_are_found_out_within_four_seconds() {
    let mut late = Late::new();
    (0..400).for_each(|_| _ = late.say(Some(30)));
    let first = late.say(None);
    assert!(matches!(first, Some(11..=40)), "{first:?}");
    (0..57).for_each(|_| _ = late.say(None));
    assert_eq!(late.say(None), Some(10));
    assert_eq!(late.rig.delivered.len(), 459);
}

/// That all neighbours announce everything is for links that are silent.
#[test]
fn late_links_are_no_reason_to_panic() {
    let mut late = Late::new();
    (0..400).for_each(|_| _ = late.say(Some(30)));
    late.woken = 0;
    for _ in 0..100 {
        // Now and then a message is later yet, and asked for.
        late.say(Some(30));
        late.say(Some(60));
    }
    assert_eq!(late.woken, 0);
}
