//! Attacks 1 to 5: control frames without end.

use std::time::Duration;

use super::attacks::{ids, pair};
use super::rig::{Rig, topic};
use crate::gossip::machine::missing::MAX_MISSING_OF_LINK;
use crate::gossip::machine::{Fault, Input, Link, TopicOptions};
use crate::gossip::{GossipConfig, TopicHash};
use crate::wire::codec::{List, encode};
use crate::wire::message::gossip as wire;

const SECOND: Duration = Duration::from_secs(1);

/// What it costs this node is bounded, too: ids beyond the share of one neighbour are not kept, and those beyond
/// the cap not looked up.
#[test]
fn attack_1_who_floods_with_announcements_is_graylisted_within_three_heartbeats() {
    let mut rig = pair();
    let share = u32::try_from(MAX_MISSING_OF_LINK).unwrap();
    for round in 0..200 {
        let ids = ids(round * 1_000, 1_000);
        rig.forge(1, 0, wire::IHAVE, &wire::IHave { topic: 0, ids });
    }
    let is_heard = |number| rig.nodes[0].store.get(&ids(number, 1)[0]).is_some();
    assert!((0..share).all(is_heard));
    assert!((share..200_000).all(|number| !is_heard(number)));
    rig.run_for(GossipConfig::default().heartbeat_interval * 3);
    assert!(rig.nodes[0].is_graylisted(Link(1)));
}

#[test]
fn attack_3_whoever_asks_for_everything_again_and_again_gets_three_copies_of_each() {
    let mut rig = pair();
    for round in 0..100_u32 {
        rig.publish(0, &[&round.to_le_bytes()[..], &[9; 4_000]].concat());
        rig.run_for(Duration::from_millis(10));
    }
    rig.run_for(SECOND / 10);
    let published = rig.published.iter();
    let all: Vec<_> = published.map(|(_, outcome)| outcome.unwrap().id).collect();
    let since = rig.now;
    for _ in 0..100 {
        let ids = List::truncated(all.iter().copied());
        rig.forge(1, 0, wire::IWANT, &wire::IWant { ids });
        rig.run_for(Duration::from_millis(5));
    }
    rig.run_for(SECOND);
    assert_eq!(rig.count(wire::MESSAGE, since), 3 * all.len());
}

/// Also of many messages, once each: two seconds' worth at once, and then as much as a second's.
/// What waits is sent later, and what this node says itself does not wait behind it.
#[test]
fn attack_3_whoever_asks_for_everything_gets_no_more_bytes_a_second_than_it_may() {
    const BYTES: usize = 4_000;
    let mut config = GossipConfig::default();
    // The seal that they share is as long as one of them, and the head of each takes some bytes.
    config.queue.answered_bytes = 10 * (32 + BYTES as u32);
    let mut rig = Rig::all_connected(2, &config);
    rig.run_for(SECOND);
    rig.silent.push(1);
    for round in 0..40_u32 {
        rig.publish(0, &[&round.to_le_bytes()[..], &[9; BYTES - 4]].concat());
    }
    rig.run_for(SECOND / 10);
    let published = rig.published.iter();
    let all: Vec<_> = published.map(|(_, outcome)| outcome.unwrap().id).collect();
    let since = rig.now;
    let ids = List::truncated(all.iter().copied());
    rig.forge(1, 0, wire::IWANT, &wire::IWant { ids });
    for (seconds, least, most) in [(0, 20, 21), (1, 23, 32), (2, 33, 41), (3, 41, 41)] {
        let at = since + SECOND * seconds + Duration::from_millis(1);
        rig.run_for(at.since(rig.now));
        let sent = rig.count(wire::MESSAGE, since);
        assert!((least..=most).contains(&sent), "{sent} after {seconds} s");
        if seconds == 0 {
            let own = rig.now;
            rig.publish(0, b"this is said meanwhile");
            rig.run_for(Duration::from_millis(50));
            assert_eq!(rig.count(wire::MESSAGE, own), 1);
        }
    }
}

/// How many messages a newcomer is sent that asks for three, each under a seal of its own, and then for all again.
fn sent_to_a_newcomer(answered_bytes: u32) -> usize {
    let mut config = GossipConfig::default();
    config.queue.answered_bytes = answered_bytes;
    let mut rig = Rig::new(3, &config);
    (0..2).for_each(|node| rig.subscribe(node, TopicOptions::default()));
    rig.connect(1, 0);
    rig.run_for(SECOND);
    for number in 0..3 {
        rig.publish(1, &[number; 26]);
        rig.run_for(SECOND / 10);
    }
    let published = rig.published.iter();
    let ids: Vec<_> = published.map(|(_, outcome)| outcome.unwrap().id).collect();
    rig.silent.push(2);
    rig.connect(2, 0);
    let topics = List::truncated([*topic().as_bytes()]);
    rig.forge(2, 0, wire::SUBSCRIBE, &wire::Subscribe { topics });
    let since = rig.now;
    for _ in 0..2 {
        let ids = List::truncated(ids.iter().copied());
        rig.forge(2, 0, wire::IWANT, &wire::IWant { ids });
        rig.run_for(SECOND);
    }
    let all = rig
        .sent
        .iter()
        .filter(|one| one.at >= since && (one.from, one.to) == (0, 2));
    all.filter(|one| one.frame.kind == wire::MESSAGE).count()
}

/// They are two hundred times as long as these messages.
#[test]
fn attack_3_the_keys_and_seals_that_an_answer_needs_count_too() {
    assert_eq!(sent_to_a_newcomer(1_000), 1, "nothing is left for more");
    assert_eq!(sent_to_a_newcomer(100_000), 6);
}

/// A topic that nobody named, and one to which the sender does not subscribe.
#[test]
fn attack_5_a_graft_of_a_topic_that_is_not_shared_fetches_nothing() {
    let mut rig = pair();
    let since = rig.now;
    let graft = |rig: &mut Rig, topic| {
        let topics = List::truncated([topic]);
        rig.forge(1, 0, wire::GRAFT, &wire::Topics { topics });
    };
    graft(&mut rig, 7);
    assert_eq!(rig.faults, [(0, Link(1), Fault::UnknownOrdinal)]);
    let other = TopicHash::of("a topic of one end");
    let options = TopicOptions::default();
    let topic = other;
    rig.tell(0, Input::Subscribe { topic, options });
    for _ in 0..1_000 {
        graft(&mut rig, 1);
    }
    rig.run_for(SECOND);
    assert_eq!(rig.count(wire::PRUNE, since), 0);
    assert!(rig.nodes[0].mesh(&other).next().is_none());
}

/// The frames are handed over together, and the session ends when all are done.
#[test]
fn attack_what_stands_behind_a_fault_in_one_batch_is_not_heard() {
    let frame = |kind, body| Input::Frame {
        link: Link(1),
        kind,
        body,
    };
    let ihave = |topic, number| {
        frame(
            wire::IHAVE,
            encode(&wire::IHave {
                topic,
                ids: ids(number, 1),
            }),
        )
    };
    for (first, is_heard) in [(ihave(0, 0), true), (ihave(7, 0), false)] {
        let mut rig = pair();
        let now = rig.time();
        rig.nodes[0].handle_all(now, [first, ihave(0, 2)]);
        assert_eq!(rig.nodes[0].store.get(&ids(2, 1)[0]).is_some(), is_heard);
    }
}
