//! What is kept of the topics that one neighbour names.

use super::attacks::pair;
use super::rig::{Rig, topic};
use crate::gossip::TopicHash;
use crate::gossip::machine::neighbour::Named;
use crate::gossip::machine::{Fault, Link};
use crate::wire::codec::List;
use crate::wire::message::gossip::{self as wire, MAX_TOPICS, TopicOrdinal};

/// Frames that are full of topics: 12 800 of them.
const ROUNDS: usize = 100;

/// The one that says what a test wants.
const LINK: Link = Link(1);

fn name(round: usize, number: usize) -> TopicHash {
    TopicHash::of(&format!("topic {round} {number}"))
}

fn subscribe(rig: &mut Rig, round: usize, count: usize) {
    let topics = (0..count).map(|number| *name(round, number).as_bytes());
    let topics = List::truncated(topics);
    rig.forge(1, 0, wire::SUBSCRIBE, &wire::Subscribe { topics });
}

/// It subscribed to one topic when it came, and to no more than is given since: what node 0 keeps of that.
fn assert_keeps(rig: &Rig, subscriptions: usize, ordinals: usize) {
    let node = &rig.nodes[0];
    let theirs = &node.neighbours[&LINK].theirs;
    assert_eq!(
        (theirs.len(), theirs.topics().count()),
        (subscriptions, subscriptions)
    );
    let is_kept = |ordinal: &usize| {
        let named = theirs.named(*ordinal as TopicOrdinal);
        matches!(named, Named::Topic(_))
    };
    assert_eq!((0..ordinals).filter(is_kept).count(), subscriptions);
    let names = (0..ROUNDS).flat_map(|round| (0..MAX_TOPICS).map(move |one| name(round, one)));
    let heard = names.filter(|name| !node.subscribers(name).is_empty());
    assert_eq!(heard.count() + 1, subscriptions, "beside the common one");
    assert!(node.topics.keys().eq([&topic()]), "nothing of this node's");
    assert!(node.score(LINK).unwrap().topics.len() <= 1);
}

#[test]
fn attack_8_of_12800_topics_that_a_neighbour_names_as_many_are_kept_as_it_may_have() {
    let mut rig = pair();
    for round in 0..ROUNDS {
        subscribe(&mut rig, round, MAX_TOPICS);
    }
    assert_keeps(&rig, MAX_TOPICS, ROUNDS * MAX_TOPICS + 1);
    // It is not heard any more.
    assert_eq!(rig.faults, [(0, LINK, Fault::TooManySubscriptions)]);
}

/// Each frame is within bounds, and nothing of it is wrong.
#[test]
fn attack_8_12800_topics_that_come_and_go_leave_nothing() {
    let mut rig = pair();
    let mut ordinal: TopicOrdinal = 1;
    for round in 0..ROUNDS {
        let count = MAX_TOPICS - 1;
        subscribe(&mut rig, round, count);
        let topics = List::truncated((ordinal..).take(count));
        ordinal += count as TopicOrdinal;
        rig.forge(1, 0, wire::UNSUBSCRIBE, &wire::Topics { topics });
        subscribe(&mut rig, round, 1);
        let topics = List::truncated([ordinal]);
        ordinal += 1;
        rig.forge(1, 0, wire::UNSUBSCRIBE, &wire::Topics { topics });
    }
    assert_keeps(&rig, 1, ordinal as usize);
    assert_eq!(rig.faults, []);
}

#[test]
fn attack_8_the_same_topics_named_12800_times_are_kept_once() {
    let mut rig = pair();
    for _ in 0..ROUNDS {
        subscribe(&mut rig, 0, MAX_TOPICS - 1);
    }
    assert_keeps(&rig, MAX_TOPICS, ROUNDS * MAX_TOPICS);
    assert_eq!(rig.faults, []);
}
