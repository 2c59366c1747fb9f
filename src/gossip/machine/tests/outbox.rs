//! What waits for one neighbour, and what becomes of what finds no place.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::rig::topic;
use crate::gossip::QueueConfig;
use crate::gossip::machine::neighbour::Subscriptions;
use crate::gossip::machine::outbox::{MAX_MISSED, MAX_OWED, Outbox, Priority};
use crate::gossip::machine::parcel::{Content, Parcel};
use crate::policy::Micros;
use crate::wire::codec::decode;
use crate::wire::frame::FrameDecoder;
use crate::wire::message::gossip::{self as wire, MessageId};

fn id(number: usize) -> [u8; 32] {
    *blake3::hash(&number.to_le_bytes()).as_bytes()
}

pub(super) fn parcel(number: usize, size: usize) -> Arc<Parcel> {
    Arc::new(Parcel {
        id: id(number),
        topic: topic(),
        proof: None,
        content: Content::Whole(Bytes::from(vec![0; size])),
    })
}

/// Neither what this node says nor what it promised waits behind what it passes on.
#[test]
fn own_and_asked_messages_take_the_place_of_those_of_others() {
    let (config, size) = (QueueConfig::default(), 16_000);
    let parcel = |number| parcel(number, size);
    let mut outbox = Outbox::new(&QueueConfig::default());
    let mut number = 0;
    while outbox.put(parcel(number), Micros(0), Priority::Forwarded, &config) {
        number += 1;
    }
    for more in 0..number {
        let priority = if more % 2 == 0 {
            Priority::Own
        } else {
            Priority::Asked
        };
        assert!(
            outbox.put(parcel(1_000 + more), Micros(0), priority, &config),
            "{more}"
        );
        assert!(outbox.bytes() <= config.max_bytes);
    }
    // Nothing of others is left to make room: the next one waits by name.
    let before = outbox.bytes();
    assert!(outbox.put(parcel(5_000), Micros(0), Priority::Own, &config));
    assert_eq!(outbox.bytes(), before);
}

/// What was handed over and is not taken yet counts with what waits.
#[test]
fn attack_15_no_more_waits_because_something_is_on_its_way() {
    let (config, size) = (QueueConfig::default(), 16_000);
    let mut theirs = Subscriptions::default();
    theirs.add(topic());
    let mut outbox = Outbox::new(&config);
    let fill = |outbox: &mut Outbox| {
        let mut number = 0;
        while outbox.put(
            parcel(number, size),
            Micros(0),
            Priority::Forwarded,
            &config,
        ) {
            number += 1;
        }
        number
    };
    let first = fill(&mut outbox);
    let taken = outbox.take(Micros(1), &theirs, &config, |_| false, |_| None);
    let taken = taken.unwrap().len();
    assert!(taken >= config.batch);
    assert_eq!(fill(&mut outbox), 0);
    assert!(outbox.occupied() <= config.max_bytes);
    outbox.writable();
    let next = fill(&mut outbox);
    assert_eq!(next, taken / size, "{first}");
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
        let mut outbox = Outbox::new(&QueueConfig::default());
        assert!(outbox.put(parcel(1, 4), Micros(0), priority, &config));
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

/// The ids that are announced, where nothing but announcements is taken.
fn announced(outbox: &mut Outbox, here: &BTreeMap<MessageId, Arc<Parcel>>) -> Vec<MessageId> {
    let bodies = drained(outbox, here).into_iter();
    let lists = bodies.map(|body| decode::<wire::IHave>(&body).unwrap().ids.into_vec());
    lists.flatten().collect()
}

/// A queue in which not one more own message of this size finds a place, and how many there are.
fn full(size: usize) -> (Outbox, usize) {
    let (mut outbox, config) = (Outbox::new(&QueueConfig::default()), QueueConfig::default());
    let count = config.max_bytes / (size + 64);
    for number in 0..count {
        assert!(outbox.put(parcel(number, size), Micros(0), Priority::Own, &config));
    }
    assert!(!outbox.is_behind());
    (outbox, count)
}

/// Of more than may be remembered the last ones are.
#[test]
fn as_many_messages_that_found_no_place_are_remembered_as_may_be() {
    for (missed, kept) in [
        (MAX_MISSED - 1, MAX_MISSED - 1),
        (MAX_MISSED, MAX_MISSED),
        (MAX_MISSED + 1, MAX_MISSED),
    ] {
        let mut outbox = Outbox::new(&QueueConfig::default());
        let here: Vec<_> = (0..missed).map(|number| parcel(number, 0)).collect();
        here.iter().for_each(|parcel| outbox.miss(parcel));
        let here = here.into_iter().map(|parcel| (parcel.id, parcel)).collect();
        let mut all = Vec::new();
        while outbox.is_behind() {
            outbox.beat();
            all.extend(announced(&mut outbox, &here));
        }
        let last: Vec<_> = (missed - kept..missed).map(id).collect();
        assert!(all == last, "{} of {kept}", all.len());
    }
}

/// A neighbour does not hear more than that between two heartbeats.
#[test]
fn as_much_is_announced_between_two_heartbeats_as_is_heard() {
    let config = QueueConfig::default();
    let mut outbox = Outbox::new(&QueueConfig::default());
    for number in 0..=config.max_announced {
        let is_announced = outbox.announce(topic(), id(number), &config);
        assert_eq!(is_announced, number < config.max_announced, "{number}");
    }
    let missed = parcel(0, 0);
    outbox.miss(&missed);
    outbox.miss(&parcel(1, 0));
    // One of the two is not held any more.
    let here = BTreeMap::from([(missed.id, missed)]);
    assert_eq!(announced(&mut outbox, &here).len(), config.max_announced);
    outbox.beat();
    assert_eq!(announced(&mut outbox, &here).len(), 1);
    assert!(!outbox.is_behind());
}

#[test]
fn as_many_messages_are_owed_as_may_be_and_all_are_sent() {
    let config = QueueConfig::default();
    let (mut outbox, _) = full(0);
    let owed: Vec<_> = (0..=MAX_OWED)
        .map(|owed| parcel(100_000 + owed, 1))
        .collect();
    for (number, parcel) in owed.iter().enumerate() {
        let is_taken = outbox.put(parcel.clone(), Micros(0), Priority::Asked, &config);
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
    let (mut outbox, number) = full(16_000);
    let (lost, here) = (parcel(1_000, 16_000), parcel(1_001, 16_000));
    assert!(
        outbox.put(lost, Micros(0), Priority::Asked, &config)
            && outbox.put(here.clone(), Micros(0), Priority::Asked, &config)
    );
    let here = BTreeMap::from([(here.id, here)]);
    assert_eq!(drained(&mut outbox, &here).len(), number + 1);
}

/// A batch that comes to nothing ends no line: what is owed behind it is sent at once.
#[test]
fn what_is_owed_is_sent_though_all_before_it_is_needless() {
    let config = QueueConfig::default();
    let (mut outbox, _) = full(16_000);
    let owed = parcel(1_000, 16_000);
    assert!(outbox.put(owed.clone(), Micros(0), Priority::Asked, &config));
    let mut theirs = Subscriptions::default();
    theirs.add(topic());
    let held = |_: &MessageId| Some(owed.clone());
    let taken = outbox.take(Micros(1), &theirs, &config, |_| true, held);
    assert!(taken.is_some_and(|frames| frames.len() > 16_000));
    outbox.writable();
    assert!(outbox.is_idle());
}

/// What is announced is asked for, and has to be sent in time: no more than a quarter of the room, until some
/// of it is asked for, or a heartbeat has passed.
#[test]
fn no_more_is_announced_than_can_be_sent_when_it_is_asked_for() {
    let config = QueueConfig::default();
    let (mut outbox, size) = (Outbox::new(&QueueConfig::default()), 16_000);
    let missed: Vec<_> = (0..60).map(|number| parcel(number, size)).collect();
    missed.iter().for_each(|parcel| outbox.miss(parcel));
    let here: BTreeMap<_, _> = missed.iter().map(|one| (one.id, one.clone())).collect();
    // The last one of them may reach beyond it.
    let quarter = (config.max_bytes / 4).div_ceil(size + 64);
    assert_eq!(announced(&mut outbox, &here).len(), quarter);
    assert_eq!(announced(&mut outbox, &here).len(), 0);
    assert!(outbox.put(missed[0].clone(), Micros(0), Priority::Asked, &config));
    // The message, and the news of one more.
    assert_eq!(drained(&mut outbox, &here).len(), 2);
    outbox.beat();
    assert_eq!(announced(&mut outbox, &here).len(), quarter);
}

/// It would not know the topic.
#[test]
fn nothing_is_announced_of_a_topic_that_the_neighbour_left() {
    let (mut outbox, config) = (Outbox::new(&QueueConfig::default()), QueueConfig::default());
    let missed = parcel(0, 0);
    outbox.miss(&missed);
    let held = |_: &MessageId| Some(missed.clone());
    let taken = outbox.take(
        Micros(1),
        &Subscriptions::default(),
        &config,
        |_| false,
        held,
    );
    assert!(taken.is_none() && !outbox.is_behind());
}
