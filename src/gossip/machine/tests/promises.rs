//! What neighbours that announce owe, and what nobody owes.

use std::time::Duration;

use super::attacks::{forged, now_ms, pair};
use super::rig::{Rig, topic};
use crate::gossip::machine::{Fault, Input, Link, TopicOptions, Verdict};
use crate::gossip::{GossipConfig, NotPublished};
use crate::policy::{IpGroup, Micros};
use crate::wire::codec::{List, Payload};
use crate::wire::message::gossip as wire;

const SECOND: Duration = Duration::from_secs(1);

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Node 0 with three neighbours that say what the test wants.
fn three() -> Rig {
    let mut rig = Rig::all_connected(4, &GossipConfig::default());
    rig.run_for(SECOND);
    rig.silent.extend([1, 2, 3]);
    rig
}

fn announce(rig: &mut Rig, from: usize, id: [u8; 32]) {
    let ids = List::truncated([id]);
    rig.forge(from, 0, wire::IHAVE, &wire::IHave { topic: 0, ids });
}

/// Whom node 0 asked, in order.
fn asked(rig: &Rig, since: Micros) -> Vec<usize> {
    let sent = rig.sent.iter();
    let asked = sent.filter(|one| one.at >= since && one.frame.kind == wire::IWANT);
    asked.map(|one| one.to).collect()
}

/// Two that announce first, answer nothing, and announce again, would be the only ones that are ever asked.
#[test]
fn attack_announcing_again_puts_nobody_before_those_that_were_not_asked() {
    let (mut rig, id) = (three(), [9; 32]);
    let since = rig.now;
    for from in [1, 2, 3] {
        announce(&mut rig, from, id);
        rig.run_for(millis(1));
    }
    for _ in 0..20 {
        announce(&mut rig, 1, id);
        announce(&mut rig, 2, id);
        rig.run_for(millis(10));
    }
    let asked = asked(&rig, since);
    assert_eq!(asked.first(), Some(&1));
    let honest = asked.iter().position(|one| *one == 3);
    assert!(honest.is_some_and(|place| place <= 2), "{asked:?}");
    assert!(asked.len() > 3, "they may be asked again: {asked:?}");
}

/// An answer that is late is not sent of its own accord, though the question was forgotten meanwhile.
#[test]
fn attack_who_announces_and_sends_when_asked_earns_nothing_for_it() {
    let mut rig = pair();
    let late = forged(1, 0, b"late", now_ms(&rig));
    rig.forge(1, 0, wire::KEY, &late.key);
    rig.forge(1, 0, wire::SEAL, &late.seal);
    let id = late.seal.leaves[0];
    announce(&mut rig, 1, id);
    rig.run_for(millis(950));
    rig.forge(1, 0, wire::MESSAGE, &late.message);
    rig.run_for(millis(10));
    assert_eq!(rig.receivers(b"late"), [0]);
    let entry = rig.nodes[0].store.get(&id).unwrap();
    assert!(entry.was_asked_of(Link(1)));
    assert!(entry.brought.is_empty(), "{:?}", entry.brought);
    assert!(!entry.sightings.iter().next().unwrap().is_sent);
}

/// A machine that did nothing for a while, as after a pause of its host, has not read what came.
#[test]
fn who_answered_during_a_stall_of_this_node_has_kept_its_promise() {
    for stalls in [false, true] {
        let mut rig = pair();
        let one = forged(1, 0, b"in time", now_ms(&rig));
        rig.forge(1, 0, wire::KEY, &one.key);
        rig.forge(1, 0, wire::SEAL, &one.seal);
        announce(&mut rig, 1, one.seal.leaves[0]);
        rig.run_for(millis(20));
        if stalls {
            // Its timer comes first, and then what waited.
            rig.now = rig.now + 4 * SECOND;
            let time = rig.time();
            rig.nodes[0].handle(time, Input::Timer);
        } else {
            rig.run_for(4 * SECOND);
        }
        rig.forge(1, 0, wire::MESSAGE, &one.message);
        rig.run_for(4 * SECOND);
        assert_eq!(rig.nodes[0].is_bad(Link(1)), !stalls);
    }
}

/// Who is not read does not answer either.
#[test]
fn a_promise_begins_when_the_question_is_written() {
    let mut rig = pair();
    rig.paused.push(1);
    rig.publish(0, b"takes the line");
    rig.run_for(millis(50));
    announce(&mut rig, 1, [9; 32]);
    rig.run_for(2 * SECOND);
    assert!(!rig.nodes[0].is_bad(Link(1)), "it was not asked yet");
    rig.paused.clear();
    rig.tell(0, Input::Writable(Link(1)));
    rig.run_for(millis(900));
    assert!(!rig.nodes[0].is_bad(Link(1)));
    rig.run_for(millis(200));
    assert!(rig.nodes[0].is_bad(Link(1)));
}

/// Its leaf is in a seal that is here, but it says something else.
#[test]
fn attack_a_false_copy_keeps_no_promise() {
    let mut rig = three();
    let said = forged(1, 0, b"true", now_ms(&rig));
    let id = said.seal.leaves[0];
    announce(&mut rig, 2, id);
    rig.run_for(millis(30));
    for from in [1, 2] {
        rig.forge(from, 0, wire::KEY, &said.key);
        rig.forge(from, 0, wire::SEAL, &said.seal);
    }
    rig.forge(1, 0, wire::MESSAGE, &said.message);
    rig.run_for(millis(10));
    assert_eq!(rig.receivers(b"true"), [0]);
    let mut false_copy = said.message.clone();
    false_copy.data = Payload::try_from(bytes::Bytes::new()).unwrap();
    rig.forge(2, 0, wire::MESSAGE, &false_copy);
    assert_eq!(rig.faults, [(0, Link(2), Fault::NotInSeal)]);
}

/// What is announced is given to who asks: a neighbour whose questions are not answered hears of nothing.
#[test]
fn who_is_not_answered_hears_of_nothing() {
    for (value, hears) in [(0.0, true), (-150.0, false)] {
        let mut rig = three();
        rig.nodes[0].config.flood_publish = false;
        let link = Link(3);
        rig.tell(0, Input::Opinion { link, value });
        let publisher = super::rig::key(1).hash().into();
        let mode = wire::Mode::Lazy;
        let changes = List::truncated([wire::ModeChange { publisher, mode }]);
        rig.forge(3, 0, wire::MODES, &wire::Modes { topic: 0, changes });
        let since = rig.now;
        forged(1, 0, b"said", now_ms(&rig)).send(&mut rig);
        let told = rig.sent.iter().filter(|one| one.at >= since && one.to == 3);
        let told = told.filter(|one| one.frame.kind == wire::IHAVE).count();
        assert_eq!(told, usize::from(hears), "{value}");
    }
}

/// An honest neighbour that is no member would come, and be held at fault for it.
#[test]
fn who_is_sent_away_is_told_so_though_it_is_no_member() {
    let mut rig = pair();
    let prune = wire::Prune {
        topic: 0,
        backoff_s: 60,
        peers: List::default(),
    };
    rig.forge(1, 0, wire::PRUNE, &prune);
    assert_eq!(rig.nodes[0].mesh(&topic()).count(), 0);
    let since = rig.now;
    rig.tell(0, Input::Veto(Link(1)));
    assert_eq!(rig.count(wire::PRUNE, since), 1);
}

#[test]
fn what_is_two_minutes_old_leaves_no_trace_whatever_its_seal() {
    let mut rig = pair();
    for counter in 0..100 {
        let mut old = forged(1, counter, b"old", now_ms(&rig) - 130_000);
        old.seal.signature[7] ^= 1;
        (old.seal.key, old.message.seal) = (counter, counter);
        old.send(&mut rig);
        assert!(rig.nodes[0].store.get(&old.seal.leaves[0]).is_none());
    }
    assert_eq!(rig.nodes[0].unproven(Link(1)), 0);
    assert_eq!(rig.faults, []);
}

/// The only neighbour takes nothing: what would be too old when it comes is not taken from the program.
#[test]
fn the_program_is_refused_while_its_oldest_message_waits_for_ten_seconds() {
    let mut config = GossipConfig::default();
    config.queue.slow_reader = 60 * SECOND;
    let mut rig = Rig::all_connected(2, &config);
    rig.run_for(SECOND);
    rig.stuck.push(1);
    for round in 0..100_u8 {
        rig.publish(0, &[round; 16_000]);
    }
    rig.run_for(millis(100));
    let outcome = |rig: &mut Rig| {
        let id = rig.publish(0, b"one more");
        let mut published = rig.published.iter();
        let outcome = published.find(|(one, _)| *one == id);
        outcome.map(|(_, outcome)| *outcome)
    };
    assert_eq!(outcome(&mut rig), None, "it waits");
    rig.run_for(millis(9_999));
    assert_eq!(outcome(&mut rig), None);
    rig.run_for(millis(1));
    assert_eq!(outcome(&mut rig), Some(Err(NotPublished::Busy)));
}

/// Comes and goes, and is told of what it lacks once, and then at heartbeats.
#[test]
fn attack_coming_and_going_costs_one_question_a_heartbeat() {
    let mut rig = Rig::all_connected(3, &GossipConfig::default());
    rig.run_for(SECOND);
    rig.chunks.misers = vec![1];
    rig.publish(1, &vec![5; 1 << 20]);
    rig.run_for(SECOND);
    let group = IpGroup::Local;
    let (link, is_outbound) = (Link(7), false);
    rig.silent.push(7);
    let connected = Input::Connected {
        link,
        group,
        is_outbound,
    };
    rig.tell(0, connected);
    let since = rig.now;
    for round in 0..200 {
        let topics = List::truncated([*topic().as_bytes()]);
        rig.forge(7, 0, wire::SUBSCRIBE, &wire::Subscribe { topics });
        let topics = List::truncated([round]);
        rig.forge(7, 0, wire::UNSUBSCRIBE, &wire::Topics { topics });
    }
    let topics = List::truncated([*topic().as_bytes()]);
    rig.forge(7, 0, wire::SUBSCRIBE, &wire::Subscribe { topics });
    let told = |rig: &Rig| {
        let sent = rig.sent.iter().filter(|one| one.at >= since && one.to == 7);
        sent.filter(|one| one.frame.kind == wire::HAVE).count()
    };
    rig.run_for(millis(1));
    assert_eq!(told(&rig), 1);
    rig.run_for(GossipConfig::default().heartbeat_interval);
    assert!((2..=4).contains(&told(&rig)), "{}", told(&rig));
}

/// It has forgotten what it was asked for when this node left the topic.
#[test]
fn links_are_chosen_anew_after_a_topic_was_left() {
    let mut rig = Rig::all_connected(12, &GossipConfig::default());
    rig.run_for(SECOND);
    for round in 0..10_u8 {
        rig.publish(1, &[round; 2_000]);
        rig.run_for(millis(300));
    }
    let class = (topic(), super::rig::key(1).hash().into());
    let learned = |rig: &Rig| {
        rig.nodes[0]
            .sources
            .as_ref()
            .unwrap()
            .learned(&class)
            .is_some()
    };
    assert!(learned(&rig));
    rig.tell(0, Input::Unsubscribe(topic()));
    assert!(!learned(&rig));
}

/// It finds no place for a seal, and another neighbour brought it before.
#[test]
fn a_seal_that_has_its_turn_with_one_neighbour_is_not_lost_by_another() {
    let mut rig = three();
    rig.hold_verdicts = true;
    // More than may wait for one neighbour.
    for counter in 1..400 {
        let mut other = forged(1, counter, b"other", now_ms(&rig));
        (other.seal.key, other.message.seal) = (counter - 1, counter - 1);
        rig.forge(2, 0, wire::KEY, &other.key);
        rig.forge(2, 0, wire::SEAL, &other.seal);
        rig.forge(2, 0, wire::MESSAGE, &other.message);
    }
    let said = forged(1, 0, b"said", now_ms(&rig));
    for (from, ordinal) in [(1, 0), (2, 399)] {
        let (mut seal, mut message) = (said.seal.clone(), said.message.clone());
        (seal.key, message.seal) = (ordinal, ordinal);
        rig.forge(from, 0, wire::KEY, &said.key);
        rig.forge(from, 0, wire::SEAL, &seal);
        rig.forge(from, 0, wire::MESSAGE, &message);
    }
    rig.run_for(millis(10));
    rig.release_verdicts();
    rig.run_for(SECOND);
    assert_eq!(rig.receivers(b"said"), [0]);
}

#[test]
fn who_sends_a_message_twice_before_it_is_judged_is_to_blame_once() {
    let mut rig = Rig::new(2, &GossipConfig::default());
    rig.verdict = Verdict::Reject;
    for node in [0, 1] {
        let options = TopicOptions {
            is_judged: node == 0,
            ..TopicOptions::default()
        };
        rig.subscribe(node, options);
    }
    rig.connect(1, 0);
    rig.run_for(SECOND);
    rig.silent.push(1);
    rig.hold_verdicts = true;
    let one = forged(1, 0, b"rejected", now_ms(&rig));
    one.send(&mut rig);
    rig.forge(1, 0, wire::MESSAGE, &one.message);
    rig.release_verdicts();
    rig.run_for(SECOND);
    assert_eq!(rig.faults, [(0, Link(1), Fault::Rejected)]);
}
