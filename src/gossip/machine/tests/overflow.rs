//! What becomes of messages that find no place in a neighbour's queue.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::rig::{Rig, topic};
use crate::gossip::machine::neighbour::Subscriptions;
use crate::gossip::machine::outbox::{MAX_MISSED, MAX_OWED, Outbox, Priority};
use crate::gossip::machine::parcel::{Content, Parcel};
use crate::gossip::machine::{Input, Link, TopicOptions};
use crate::gossip::{GossipConfig, QueueConfig};
use crate::policy::Micros;
use crate::wire::codec::decode;
use crate::wire::frame::FrameDecoder;
use crate::wire::message::gossip::{self as wire, MessageId};

const SECOND: Duration = Duration::from_secs(1);

/// 100 Mbit/s in bytes.
const LINE: u64 = 12_500_000;

fn id(number: usize) -> [u8; 32] {
    *blake3::hash(&number.to_le_bytes()).as_bytes()
}

fn parcel(number: usize, size: usize) -> Arc<Parcel> {
    Arc::new(Parcel {
        id: id(number),
        topic: topic(),
        proof: None,
        content: Content::Whole(Bytes::from(vec![0; size])),
    })
}

/// Three in a row, of which the middle one has a line of 100 Mbit/s.
fn row(config: &GossipConfig) -> Rig {
    let mut rig = Rig::new(3, config);
    (0..3).for_each(|node| rig.subscribe(node, TopicOptions::default()));
    rig.connect(0, 1);
    rig.connect(1, 2);
    rig.lines.insert(1, LINE);
    rig.run_for(3 * SECOND);
    rig
}

fn publish_many(rig: &mut Rig, count: u32, size: usize) {
    for number in 0..count {
        let mut text = vec![0; size];
        text[..4].copy_from_slice(&number.to_le_bytes());
        rig.publish(0, &text);
    }
}

/// Messages that a node was delivered, each counted once.
fn delivered_to(rig: &Rig, node: usize) -> usize {
    let delivered = rig.delivered.iter().filter(|(_, to, _)| *to == node);
    let delivered: BTreeSet<_> = delivered.map(|(.., message)| &message.data).collect();
    delivered.len()
}

/// Ids that one node told another one in frames of a kind.
fn ids_told(rig: &Rig, from: usize, to: usize, kind: u8) -> usize {
    let frames = rig.sent.iter();
    let frames = frames.filter(|sent| (sent.from, sent.to, sent.frame.kind) == (from, to, kind));
    let ids = frames.map(|sent| match kind {
        wire::IHAVE => decode::<wire::IHave>(&sent.frame.body).unwrap().ids,
        _ => decode::<wire::IWant>(&sent.frame.body).unwrap().ids,
    });
    ids.map(|ids| ids.into_vec().len()).sum()
}

/// What overflows between two members of a mesh comes by no other way.
#[test]
fn what_found_no_place_is_announced_when_there_is_room() {
    let mut rig = row(&GossipConfig::default());
    // More than a mebibyte, while nothing is read.
    rig.paused.push(2);
    publish_many(&mut rig, 100, 16_000);
    rig.run_for(Duration::from_millis(500));
    rig.paused.clear();
    rig.tell(1, Input::Writable(Link(2)));
    rig.run_for(3 * SECOND);
    assert_eq!(delivered_to(&rig, 2), 100);
    assert!(ids_told(&rig, 2, 1, wire::IWANT) > 30);
}

/// Neither what this node says nor what it promised waits behind what it passes on.
#[test]
fn own_and_asked_messages_take_the_place_of_those_of_others() {
    let (config, size) = (QueueConfig::default(), 16_000);
    let parcel = |number| parcel(number, size);
    let mut outbox = Outbox::new();
    let mut number = 0;
    while outbox.push(parcel(number), Micros(0), Priority::Forwarded, &config) {
        number += 1;
    }
    for more in 0..number {
        let priority = if more % 2 == 0 {
            Priority::Own
        } else {
            Priority::Asked
        };
        assert!(
            outbox.push(parcel(1_000 + more), Micros(0), priority, &config),
            "{more}"
        );
        assert!(outbox.bytes() <= config.max_bytes);
    }
    // Nothing of others is left to make room.
    assert!(!outbox.push(parcel(5_000), Micros(0), Priority::Own, &config));
}

/// A promise is kept whatever the neighbour is known to have by now.
#[test]
fn what_was_asked_for_is_sent_and_what_is_needless_is_not() {
    let config = QueueConfig::default();
    let mut theirs = Subscriptions::default();
    theirs.add(topic());
    for (priority, is_sent) in [
        (Priority::Asked, true),
        (Priority::Own, false),
        (Priority::Forwarded, false),
    ] {
        let mut outbox = Outbox::new();
        assert!(outbox.push(parcel(1, 4), Micros(0), priority, &config));
        let taken = outbox.take(Micros(1), &theirs, &config, |_| true, |_| None);
        assert_eq!(taken.is_some(), is_sent, "{priority:?}");
    }
}

/// All that is taken, until there is no more: the frames' bodies.
fn drained(outbox: &mut Outbox, here: &BTreeMap<MessageId, Arc<Parcel>>) -> Vec<Bytes> {
    let config = QueueConfig::default();
    let mut theirs = Subscriptions::default();
    theirs.add(topic());
    let held = |id: &MessageId| here.get(id).cloned();
    let mut bodies = Vec::new();
    while let Some(mut frames) = outbox.take(Micros(1), &theirs, &config, |_| false, held) {
        outbox.writable();
        let mut decoder = FrameDecoder::new();
        while let Some(frame) = decoder.decode(&mut frames, wire::RECEIVER_READS).unwrap() {
            bodies.push(frame.body);
        }
    }
    bodies
}

/// Of more than may be remembered the last ones are.
#[test]
fn as_many_messages_that_found_no_place_are_remembered_as_may_be() {
    for (missed, kept) in [
        (MAX_MISSED - 1, MAX_MISSED - 1),
        (MAX_MISSED, MAX_MISSED),
        (MAX_MISSED + 1, MAX_MISSED),
    ] {
        let mut outbox = Outbox::new();
        let here: Vec<_> = (0..missed).map(|number| parcel(number, 0)).collect();
        here.iter().for_each(|parcel| outbox.miss(parcel));
        let here = here.into_iter().map(|parcel| (parcel.id, parcel)).collect();
        let mut announced = Vec::new();
        while outbox.is_behind() {
            outbox.beat();
            for body in drained(&mut outbox, &here) {
                announced.extend(decode::<wire::IHave>(&body).unwrap().ids.into_vec());
            }
        }
        let last: Vec<_> = (missed - kept..missed).map(id).collect();
        assert!(announced == last, "{} of {kept}", announced.len());
    }
}

/// A neighbour does not hear more than that between two heartbeats.
#[test]
fn as_much_is_announced_between_two_heartbeats_as_is_heard() {
    let config = QueueConfig::default();
    let mut outbox = Outbox::new();
    for number in 0..=config.max_announced {
        let is_announced = outbox.announce(topic(), id(number), &config);
        assert_eq!(is_announced, number < config.max_announced, "{number}");
    }
    let missed = parcel(0, 0);
    outbox.miss(&missed);
    outbox.miss(&parcel(1, 0));
    let announced = |bodies: Vec<Bytes>| -> usize {
        let bodies = bodies
            .iter()
            .map(|body| decode::<wire::IHave>(body).unwrap());
        bodies.map(|ihave| ihave.ids.into_vec().len()).sum()
    };
    // One of the two is not held any more.
    let here = BTreeMap::from([(missed.id, missed)]);
    assert_eq!(announced(drained(&mut outbox, &here)), config.max_announced);
    outbox.beat();
    assert_eq!(announced(drained(&mut outbox, &here)), 1);
    assert!(!outbox.is_behind());
}

#[test]
fn as_many_messages_are_owed_as_may_be_and_all_are_sent() {
    let config = QueueConfig::default();
    let mut outbox = Outbox::new();
    let mut number = 0;
    while outbox.push(parcel(number, 0), Micros(0), Priority::Own, &config) {
        number += 1;
    }
    let owed: Vec<_> = (0..=MAX_OWED)
        .map(|owed| parcel(100_000 + owed, 1))
        .collect();
    for (number, parcel) in owed.iter().enumerate() {
        let is_taken = outbox.owe(parcel.clone(), Micros(0), Priority::Asked, &config);
        assert_eq!(is_taken, number < MAX_OWED, "{number}");
    }
    assert!(outbox.bytes() <= config.max_bytes);
    let here = owed.into_iter().map(|parcel| (parcel.id, parcel)).collect();
    let bodies = drained(&mut outbox, &here);
    let sent = bodies
        .iter()
        .map(|body| decode::<wire::Unsigned>(body).unwrap());
    let sent = sent.filter(|message| message.data.as_bytes().len() == 1);
    assert_eq!(sent.count(), MAX_OWED);
}

#[test]
fn what_is_owed_and_not_held_any_more_keeps_nothing_back() {
    let config = QueueConfig::default();
    let mut outbox = Outbox::new();
    let mut number = 0;
    while outbox.push(parcel(number, 16_000), Micros(0), Priority::Own, &config) {
        number += 1;
    }
    let (lost, here) = (parcel(1_000, 16_000), parcel(1_001, 16_000));
    assert!(
        outbox.owe(lost, Micros(0), Priority::Asked, &config)
            && outbox.owe(here.clone(), Micros(0), Priority::Asked, &config)
    );
    let here = BTreeMap::from([(here.id, here)]);
    assert_eq!(drained(&mut outbox, &here).len(), number + 1);
}

/// A program may publish as much at once as may wait for a seal; its line takes 100 Mbit/s.
#[test]
fn a_burst_of_eight_mebibytes_arrives_and_costs_its_publisher_nothing() {
    let mut rig = Rig::all_connected(2, &GossipConfig::default());
    rig.lines.insert(0, LINE);
    rig.run_for(SECOND);
    publish_many(&mut rig, 8_192, 1_000);
    rig.run_for(3 * SECOND);
    assert_eq!(delivered_to(&rig, 1), 8_192);
    assert_eq!(
        ids_told(&rig, 1, 0, wire::IWANT),
        0,
        "own messages need no asking"
    );
    assert_eq!(rig.nodes[0].waiting(Link(1)), 0);
}

/// Who passes it on has no place for most of it, and tells of it when there is.
#[test]
fn a_burst_of_eight_mebibytes_passes_a_slow_line_and_costs_nobody_anything() {
    for max_announced in [2_500, 5_000] {
        let mut config = GossipConfig::default();
        config.queue.max_announced = max_announced;
        let mut rig = row(&config);
        publish_many(&mut rig, 8_192, 1_000);
        rig.run_for(6 * SECOND);
        assert_eq!(delivered_to(&rig, 2), 8_192);
        assert!(ids_told(&rig, 2, 1, wire::IWANT) > 5_000);
        assert!(rig.faults.is_empty(), "{:?}", rig.faults);
        for (node, other) in [(0, 1), (1, 0), (1, 2), (2, 1)] {
            let score = rig.nodes[node].score(Link(other)).unwrap();
            assert_eq!(score.behaviour, 0.0, "{node} of {other}");
        }
    }
}

/// More is under way than finds a place, all the time; the line takes 500 Mbit/s.
#[test]
fn whoever_publishes_more_than_finds_a_place_for_a_while_loses_nothing() {
    let mut rig = Rig::all_connected(2, &GossipConfig::default());
    rig.lines.insert(0, 5 * LINE);
    rig.run_for(SECOND);
    let (start, mut published) = (rig.now, 0_u32);
    while rig.now.since(start) < 3 * SECOND {
        while published as usize - rig.delivered.len() < 2_048 {
            let mut text = vec![0; 1_024];
            text[..4].copy_from_slice(&published.to_le_bytes());
            rig.publish(0, &text);
            published += 1;
        }
        rig.run_for(Duration::from_millis(1));
    }
    rig.run_for(SECOND);
    assert_eq!(rig.delivered.len(), published as usize);
    assert!(rig.faults.is_empty(), "{:?}", rig.faults);
    for (node, other) in [(0, Link(1)), (1, Link(0))] {
        let score = rig.nodes[node].score(other).unwrap();
        assert!(score.total() >= 0.0, "{node}: {score:?}");
    }
}

/// A batch that comes to nothing ends no line: what is owed behind it is sent at once.
#[test]
fn what_is_owed_is_sent_though_all_before_it_is_needless() {
    let config = QueueConfig::default();
    let (mut outbox, mut number) = (Outbox::new(), 0);
    while outbox.push(parcel(number, 16_000), Micros(0), Priority::Own, &config) {
        number += 1;
    }
    let owed = parcel(1_000, 16_000);
    assert!(outbox.owe(owed.clone(), Micros(0), Priority::Asked, &config));
    let mut theirs = Subscriptions::default();
    theirs.add(topic());
    let held = |_: &MessageId| Some(owed.clone());
    let taken = outbox.take(Micros(1), &theirs, &config, |_| true, held);
    assert!(taken.is_some_and(|frames| frames.len() > 16_000));
    outbox.writable();
    assert!(outbox.is_idle());
}
