//! Who is not to blame: those from whom somebody else kept a message, or whom it made drop one.

use std::time::Duration;

use super::attacks::{Forged, forged, ids, now_ms, pair};
use super::rig::{Rig, topic};
use crate::gossip::GossipConfig;
use crate::gossip::machine::{Event, Input, Link};
use crate::wire::codec::{List, Payload};
use crate::wire::message::gossip as wire;

/// Two attackers, of eight that are all connected; nobody but node 0 hears of what they say.
const ATTACKERS: [usize; 2] = [6, 7];

/// In which seals are verified.
const A_MOMENT: Duration = Duration::from_millis(10);

/// Publishers of whom nobody has heard.
const FRESH: usize = 100;

/// A neighbour of node 0 that says what the test says, and said nothing before.
struct Attacker {
    link: usize,
    said: u64,
}

impl Attacker {
    const fn new(link: usize) -> Self {
        Self { link, said: 0 }
    }

    fn send(&mut self, rig: &mut Rig, one: &Forged) {
        let key = self.said;
        let seal = wire::Seal {
            key,
            ..one.seal.clone()
        };
        let message = wire::Message {
            seal: key,
            ..one.message.clone()
        };
        rig.forge(self.link, 0, wire::KEY, &one.key);
        rig.forge(self.link, 0, wire::SEAL, &seal);
        rig.forge(self.link, 0, wire::MESSAGE, &message);
        self.said += 1;
    }
}

fn text(publisher: usize, counter: u64) -> &'static [u8] {
    format!("{publisher} {counter}").leak().as_bytes()
}

fn message(rig: &Rig, publisher: usize, counter: u64) -> Forged {
    forged(publisher, counter, text(publisher, counter), now_ms(rig))
}

fn announce(rig: &mut Rig, from: usize, ids: List<[u8; 32], { wire::MAX_IDS }>) {
    rig.forge(from, 0, wire::IHAVE, &wire::IHave { topic: 0, ids });
}

/// Eight nodes of which six know each other well.
fn town() -> (Rig, [Attacker; 2]) {
    let mut rig = Rig::all_connected(8, &GossipConfig::default());
    rig.run_for(Duration::from_secs(1));
    rig.silent.extend(ATTACKERS);
    for number in 0..60_u32 {
        rig.publish(1 + number as usize % 5, &number.to_le_bytes());
        rig.run_for(Duration::from_millis(50));
    }
    rig.run_for(Duration::from_secs(2));
    assert_eq!(rig.nodes[0].expectations.count(), 0);
    (rig, ATTACKERS.map(Attacker::new))
}

/// It announces them, and then has them asked for or sends them at once.
fn say_what_nobody_has(rig: &mut Rig, attacker: &mut Attacker, publishers: usize, waits: bool) {
    for publisher in FRESH..FRESH + publishers {
        let all: Vec<_> = (0..16)
            .map(|number| message(rig, publisher, number))
            .collect();
        let named = all
            .iter()
            .filter_map(|one| one.seal.leaves.iter().next().copied());
        announce(rig, attacker.link, List::truncated(named));
        if waits {
            rig.run_for(Duration::from_millis(30));
        }
        for one in &all {
            attacker.send(rig, one);
        }
        rig.run_for(A_MOMENT);
    }
    rig.run_for(Duration::from_secs(3));
    let last = rig.receivers(text(FRESH + publishers - 1, 15));
    assert!(last.contains(&0), "{last:?}, {:?}", rig.faults);
}

#[test]
fn attack_who_announces_what_it_alone_has_gets_nobody_out_of_the_mesh() {
    for waits in [false, true] {
        let (mut rig, [mut attacker, _]) = town();
        say_what_nobody_has(&mut rig, &mut attacker, 12, waits);
        for link in (1..6).map(Link) {
            assert!(
                rig.nodes[0].mesh(&topic()).any(|one| one == link),
                "{link:?}"
            );
            let score = rig.nodes[0].score.snapshot(link).unwrap();
            let terms = score.topics[&topic()];
            assert_eq!(terms.mesh_deliveries, 0.0, "{link:?}, {waits}");
            assert!(!rig.nodes[0].is_bad(link), "{link:?}, {waits}");
        }
    }
}

#[test]
fn of_a_publisher_of_whom_nothing_is_known_four_messages_are_owed_at_once() {
    let (mut rig, [mut attacker, _]) = town();
    for number in 0..10 {
        let one = message(&rig, FRESH, number);
        attacker.send(&mut rig, &one);
    }
    rig.run_for(A_MOMENT);
    assert_eq!(rig.nodes[0].expectations.count(), 4);
}

#[test]
fn nothing_is_owed_of_what_may_be_too_old_or_too_new_for_others() {
    for (after_ms, is_owed) in [
        (-120_000, 0),
        (-115_001, 0),
        (-115_000, 1),
        (0, 1),
        (25_000, 1),
        (25_001, 0),
        (30_000, 0),
    ] {
        let mut rig = pair();
        let made = now_ms(&rig).saturating_add_signed(after_ms);
        Attacker::new(1).send(&mut rig, &forged(FRESH, 0, text(FRESH, 0), made));
        rig.run_for(A_MOMENT);
        assert_eq!(rig.receivers(text(FRESH, 0)), [0]);
        assert_eq!(rig.nodes[0].expectations.count(), is_owed, "{after_ms}");
    }
}

#[test]
fn nothing_is_owed_of_a_publisher_that_says_two_things() {
    let (mut rig, [mut attacker, _]) = town();
    let (one, now) = (message(&rig, FRESH, 0), now_ms(&rig));
    attacker.send(&mut rig, &one);
    attacker.send(&mut rig, &forged(FRESH, 0, text(FRESH, 1), now));
    rig.run_for(A_MOMENT);
    let is_caught = |(_, event): &(usize, Event)| matches!(event, Event::Equivocation { .. });
    assert!(rig.happened.iter().any(is_caught));
    let before = rig.nodes[0].expectations.count();
    let next = message(&rig, FRESH, 2);
    attacker.send(&mut rig, &next);
    rig.run_for(A_MOMENT);
    assert_eq!(rig.nodes[0].expectations.count(), before);
    // What was owed before it was caught is not held against anybody, either.
    rig.run_for(Duration::from_secs(2));
    for link in rig.nodes[0].mesh(&topic()) {
        let score = rig.nodes[0].score.snapshot(link).unwrap();
        assert_eq!(score.topics[&topic()].mesh_deliveries, 0.0);
    }
}

/// It is asked for the publisher's messages, and would seem to bring them.
#[test]
fn attack_7_an_echo_of_a_name_without_the_message_is_invalid() {
    let (mut rig, [mut one, mut other]) = town();
    let mut said = message(&rig, FRESH, 0);
    one.send(&mut rig, &said);
    rig.run_for(A_MOMENT);
    said.message.data = Payload::try_from(bytes::Bytes::new()).unwrap();
    other.send(&mut rig, &said);
    let invalid = |link| {
        let score = rig.nodes[0].score.snapshot(Link(link)).unwrap();
        score
            .topics
            .get(&topic())
            .map_or(0.0, |terms| terms.invalid)
    };
    assert_eq!(invalid(6), 0.0);
    assert!(invalid(7) < 0.0);
}

/// Each neighbour would announce everything then.
#[test]
fn attack_one_that_announces_what_is_not_there_causes_no_panic_and_three_do() {
    for announcers in 1..=3 {
        let (mut rig, _) = town();
        rig.silent = (1..8).collect();
        let since = rig.now;
        for _ in 0..5 {
            for from in 1..=announcers {
                announce(&mut rig, from, ids(1_000, 1));
            }
            rig.run_for(Duration::from_millis(60));
        }
        rig.run_for(Duration::from_millis(200));
        assert!(rig.count(wire::IWANT, since) >= announcers);
        assert_eq!(
            rig.count(wire::WAKE, since) > 0,
            announcers == 3,
            "{announcers}"
        );
    }
}

/// It has brought nothing: what it announces need not be there.
#[test]
fn attack_a_stranger_that_announces_hundreds_that_are_not_there_causes_no_panic() {
    for (brings, panics) in [(false, false), (true, true)] {
        let (mut rig, [mut attacker, _]) = town();
        if brings {
            let own = message(&rig, FRESH, 0);
            attacker.send(&mut rig, &own);
            rig.run_for(A_MOMENT);
        }
        let since = rig.now;
        for round in 0..5 {
            announce(&mut rig, attacker.link, ids(1_000 + round * 100, 100));
            rig.run_for(Duration::from_millis(100));
        }
        assert!(rig.count(wire::IWANT, since) > 0);
        assert_eq!(rig.count(wire::WAKE, since) > 0, panics);
    }
}

/// It is asked first, and never those that bring messages alone.
#[test]
fn attack_a_stranger_that_announces_first_and_does_not_answer_hides_no_alarm() {
    let (mut rig, [attacker, _]) = town();
    rig.silent = (1..8).collect();
    let since = rig.now;
    for from in [attacker.link, 1, 2] {
        announce(&mut rig, from, ids(1_000, 4));
    }
    rig.run_for(Duration::from_millis(200));
    assert!(rig.count(wire::IWANT, since) > 0);
    assert!(rig.count(wire::WAKE, since) > 0);
}

#[test]
fn an_ordinal_that_stands_twice_in_a_graft_counts_once() {
    let mut rig = pair();
    rig.tell(0, Input::Veto(Link(1)));
    rig.run_for(Duration::from_millis(100));
    let topics = List::truncated([0; 128]);
    rig.forge(1, 0, wire::GRAFT, &wire::Topics { topics });
    rig.run_for(Duration::from_secs(1));
    assert!(!rig.nodes[0].is_graylisted(Link(1)));
}

#[test]
fn attack_a_stranger_that_says_to_stay_away_is_not_remembered_for_longer_than_a_member() {
    let mut rig = pair();
    rig.tell(0, Input::Veto(Link(1)));
    let prune = wire::Prune {
        topic: 0,
        backoff_s: u32::MAX,
        peers: List::new(),
    };
    rig.forge(1, 0, wire::PRUNE, &prune);
    let is_avoided = |rig: &Rig| {
        let known = rig.nodes[0].topics.get(&topic()).unwrap();
        known.is_avoided(Link(1), rig.now)
    };
    assert!(is_avoided(&rig));
    rig.run_for(GossipConfig::default().prune_backoff);
    assert!(!is_avoided(&rig));
}
