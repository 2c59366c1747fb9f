//! Who says too much, and who asks too much.

use std::time::Duration;

use bytes::Bytes;

use super::attacks::{ids, now_ms};
use super::crowds::crowd;
use super::rig::{Rig, key};
use crate::gossip::GossipConfig;
use crate::gossip::machine::{Link, TopicOptions};
use crate::wire::codec::{List, Payload};
use crate::wire::message::gossip as wire;

const SECOND: Duration = Duration::from_secs(1);

/// A node with two neighbours that say whatever the test wants.
fn three(config: &GossipConfig, is_unsigned: bool) -> Rig {
    let mut rig = Rig::new(3, config);
    for node in 0..3 {
        let options = TopicOptions {
            is_unsigned,
            ..TopicOptions::default()
        };
        rig.subscribe(node, options);
        if node > 0 {
            rig.connect(node, 0);
        }
    }
    rig.run_for(SECOND);
    rig.silent.extend([1, 2]);
    rig
}

fn slow(messages: u32) -> GossipConfig {
    let mut config = GossipConfig::default();
    config.rates.messages = messages;
    config
}

#[test]
fn what_a_publisher_says_beyond_its_rate_is_ignored_and_nobodys_fault() {
    let mut rig = three(&slow(10), false);
    let crowd = crowd(40, now_ms(&rig));
    for link in [1, 2] {
        crowd.name(&mut rig, link);
    }
    // Over whatever link it comes.
    (0..30).for_each(|number| crowd.say(&mut rig, 1 + number % 2, number));
    rig.run_for(SECOND / 10);
    assert_eq!(rig.delivered.len(), 20);
    rig.run_for(SECOND);
    (30..40).for_each(|number| crowd.say(&mut rig, 1, number));
    rig.run_for(SECOND / 10);
    assert_eq!(rig.delivered.len(), 30, "a second later as many as that");
    assert_eq!(rig.faults, []);
    let score = rig.nodes[0].score(Link(1)).unwrap();
    assert!(score.topics.values().all(|terms| terms.invalid == 0.0));
}

#[test]
fn where_nobody_signs_each_neighbour_has_a_rate_of_its_own() {
    let mut rig = three(&slow(10), true);
    for number in 0..30 {
        let data = Payload::try_from(Bytes::from(format!("flood {number}"))).unwrap();
        rig.forge(1, 0, wire::UNSIGNED, &wire::Unsigned { topic: 0, data });
    }
    assert_eq!(rig.delivered.len(), 20);
    // The last one was refused: of another neighbour it is taken, or who floods could keep what others say away.
    for text in ["calm", "flood 29"] {
        let data = Payload::try_from(Bytes::from(text)).unwrap();
        rig.forge(2, 0, wire::UNSIGNED, &wire::Unsigned { topic: 0, data });
        assert_eq!(rig.receivers(text.as_bytes()), [0]);
    }
    assert_eq!(rig.faults, []);
}

#[test]
fn attack_frames_of_a_neighbour_beyond_its_rate_are_not_heard() {
    let mut config = GossipConfig::default();
    config.rates.control_bytes = 40_000;
    let mut rig = three(&config, false);
    let announce = |rig: &mut Rig, from, first| {
        let ids = ids(first, 1_000);
        let id = ids[0];
        rig.forge(from, 0, wire::IHAVE, &wire::IHave { topic: 0, ids });
        rig.nodes[0].store.get(&id).is_some()
    };
    assert!(announce(&mut rig, 1, 0) && announce(&mut rig, 1, 1_000));
    assert!(!announce(&mut rig, 1, 2_000), "two seconds of it at once");
    assert!(announce(&mut rig, 2, 3_000), "that of another one");
    // Before it has broken the promises that it made so.
    rig.run_for(SECOND * 9 / 10);
    assert!(announce(&mut rig, 1, 4_000));
    assert_eq!(rig.faults, []);
    // What others refer to is heard all the same.
    (0..3).for_each(|round| _ = announce(&mut rig, 1, 5_000 + round * 1_000));
    let topics = List::truncated([[7; 32]]);
    rig.forge(1, 0, wire::SUBSCRIBE, &wire::Subscribe { topics });
    let topics = List::truncated([1]);
    rig.forge(1, 0, wire::UNSUBSCRIBE, &wire::Topics { topics });
    assert_eq!(rig.faults, [], "the second subscription");
}

/// A key or seal that is left out would make no sense of what comes later.
#[test]
fn attack_who_names_more_than_any_honest_node_is_let_go_and_not_at_fault() {
    let mut config = GossipConfig::default();
    // Two seconds of it are room for twelve keys.
    config.rates.named_bytes = 6 * (2_593 + 64);
    let mut rig = three(&config, false);
    let name = |rig: &mut Rig, from| {
        let key = key(7);
        let (suite, key) = (key.suite().byte(), *key.as_bytes());
        rig.forge(from, 0, wire::KEY, &wire::Key { suite, key });
    };
    // Those of its subscription were counted, and forgiven meanwhile.
    rig.run_for(SECOND);
    (0..12).for_each(|_| name(&mut rig, 1));
    assert_eq!(rig.ended, []);
    (0..3).for_each(|_| name(&mut rig, 1));
    assert_eq!(rig.ended, [(0, Link(1))], "once");
    name(&mut rig, 2);
    assert_eq!(rig.ended.len(), 1, "another one has its own room");
    assert_eq!(rig.faults, []);
}

#[test]
fn attack_who_comes_to_a_topic_and_leaves_it_all_the_time_is_let_go() {
    let mut rig = three(&GossipConfig::default(), false);
    let rounds = 2 * (32 << 20) / (2 * (1_024 + 64));
    for round in 0..rounds as u64 + 100 {
        let topics = List::truncated([[7; 32]]);
        rig.forge(1, 0, wire::SUBSCRIBE, &wire::Subscribe { topics });
        let topics = List::truncated([round + 1]);
        rig.forge(1, 0, wire::UNSUBSCRIBE, &wire::Topics { topics });
        let is_within = round < rounds as u64 - 100;
        assert!(!is_within || rig.ended.is_empty(), "{round}");
    }
    assert_eq!((rig.ended, rig.faults), (vec![(0, Link(1))], Vec::new()));
}
