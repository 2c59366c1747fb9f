//! How long an announced message is waited for.

use std::time::Duration;

use super::rig::Rig;
use crate::gossip::GossipConfig;
use crate::gossip::machine::Link;
use crate::wire::codec::List;
use crate::wire::message::gossip as wire;

const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Node 0, to which these have brought a message and say nothing more unless the test does. They spoke last now.
fn brought_by(bringers: &[usize]) -> Rig {
    let mut rig = Rig::all_connected(4, &GossipConfig::default());
    rig.run_for(millis(1_000));
    for from in bringers {
        rig.publish(*from, &[7; 40]);
        rig.run_for(millis(100));
    }
    rig.silent.extend([1, 2, 3]);
    for from in bringers {
        assert!(rig.nodes[0].neighbours[&Link(*from as u64)].brings(rig.now));
        speak(&mut rig, *from);
    }
    rig
}

/// A neighbour says something that nothing follows from.
fn speak(rig: &mut Rig, from: usize) {
    let ids = List::truncated([[5; 32]]);
    rig.forge(from, 0, wire::IDONTWANT, &wire::IDontWant { ids });
}

fn announce(rig: &mut Rig, from: usize, id: [u8; 32]) {
    let ids = List::truncated([id]);
    rig.forge(from, 0, wire::IHAVE, &wire::IHave { topic: 0, ids });
}

/// After how many milliseconds node 0 asks for what node 1 announces now.
fn asks_after(rig: &mut Rig) -> Option<u64> {
    let since = rig.now;
    announce(rig, 1, [9; 32]);
    (1..=30).find(|_| {
        rig.run_for(millis(1));
        rig.count(wire::IWANT, since) > 0
    })
}

#[test]
fn while_all_who_bring_messages_speak_what_is_announced_is_waited_for() {
    let mut rig = brought_by(&[1, 2, 3]);
    assert_eq!(asks_after(&mut rig), Some(20));
}

#[test]
fn once_somebody_who_brought_messages_is_silent_what_is_announced_is_asked_for_sooner() {
    let mut rig = brought_by(&[1, 2, 3]);
    rig.run_for(millis(120));
    assert_eq!(asks_after(&mut rig), Some(10));
}

#[test]
fn of_who_brought_nothing_no_word_is_missed() {
    let mut rig = brought_by(&[1]);
    rig.run_for(millis(120));
    speak(&mut rig, 1);
    assert_eq!(asks_after(&mut rig), Some(20));
}
