//! What a machine keeps is bounded.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::rig::{Rig, topic};
use crate::gossip::machine::missing::{MAX_MISSING, MAX_MISSING_OF_LINK};
use crate::gossip::machine::outbox::{Outbox, Priority};
use crate::gossip::machine::parcel::{Content, Parcel};
use crate::gossip::machine::store::{MAX_HELD_BYTES, State, Store};
use crate::gossip::machine::{Fault, Link};
use crate::gossip::{GossipConfig, QueueConfig, TopicHash};
use crate::policy::Micros;
use crate::wire::message::gossip as wire;

fn id(number: usize) -> [u8; 32] {
    *blake3::hash(&number.to_le_bytes()).as_bytes()
}

fn hold(store: &mut Store, number: usize, bytes: usize) {
    hold_on(store, topic(), number, bytes);
}

fn hold_on(store: &mut Store, topic: TopicHash, number: usize, bytes: usize) {
    let parcel = Parcel {
        id: id(number),
        topic,
        proof: None,
        content: Content::Whole(Bytes::from(vec![0; bytes])),
    };
    assert!(store.arrive(parcel.id).is_some());
    store.set(&id(number), State::Held(Arc::new(parcel)));
}

/// A flood of announcements keeps no message away that is sent, nor what others announce.
#[test]
fn attack_seven_neighbours_that_announce_as_much_as_they_may_keep_nobody_from_being_heard() {
    let mut store = Store::default();
    let link = |number: usize| Link((number / MAX_MISSING_OF_LINK) as u64);
    for number in 0..MAX_MISSING {
        assert!(store.hear(id(number), link(number)).is_some(), "{number}");
    }
    let (other, same) = (Link(1_000), Link(0));
    assert!(store.hear(id(1), other).is_some(), "heard before");
    assert!(store.hear(id(MAX_MISSING), same).is_none(), "its share");
    // The oldest of one that has its share gives way, and comes back when there is room.
    for number in MAX_MISSING..MAX_MISSING + 100 {
        assert!(store.hear(id(number), other).is_some(), "{number}");
        assert_eq!(store.missing(), MAX_MISSING);
    }
    let full = MAX_MISSING / MAX_MISSING_OF_LINK;
    let first = |link: usize| id(link * MAX_MISSING_OF_LINK);
    assert!((0..full).all(|link| store.get(&first(link)).is_none()));
    hold(&mut store, MAX_MISSING + 200, 10);
    assert!(store.held(&id(MAX_MISSING + 200)).is_some());
    assert_eq!(store.missing(), MAX_MISSING);
    hold(&mut store, MAX_MISSING, 10);
    assert_eq!(store.missing(), MAX_MISSING - 1, "one more is here");
}

/// It had given way as one that was announced, and was heard of anew: it is not forgotten with the former.
#[test]
fn what_was_displaced_and_comes_is_held_as_long_as_anything() {
    let mut store = Store::default();
    let link = |number: usize| Link((number / MAX_MISSING_OF_LINK) as u64);
    for number in 0..=MAX_MISSING {
        assert!(store.hear(id(number), link(number)).is_some(), "{number}");
    }
    let displaced = (0..MAX_MISSING).find(|number| store.get(&id(*number)).is_none());
    let displaced = displaced.unwrap();
    for beat in 0..6 {
        store.shift(Micros(beat), 6, Duration::from_secs(150));
    }
    hold(&mut store, displaced, 10);
    for beat in 6..12 {
        store.shift(Micros(beat), 6, Duration::from_secs(150));
        assert!(store.held(&id(displaced)).is_some(), "{beat}");
    }
    store.shift(Micros(12), 6, Duration::from_secs(150));
    assert!(store.held(&id(displaced)).is_none());
}

/// Its invented messages leave room for what others announce.
#[test]
fn attack_one_neighbour_announces_no_more_than_its_share_of_what_is_missing() {
    let mut store = Store::default();
    for number in 0..MAX_MISSING_OF_LINK {
        assert!(store.hear(id(number), Link(1)).is_some(), "{number}");
    }
    assert!(store.hear(id(MAX_MISSING_OF_LINK), Link(1)).is_none());
    assert!(store.hear(id(MAX_MISSING_OF_LINK), Link(2)).is_some());
    // One is here, and one is forgotten.
    hold(&mut store, 0, 10);
    assert!(store.hear(id(MAX_MISSING), Link(1)).is_some());
    assert!(store.hear(id(MAX_MISSING + 1), Link(1)).is_none());
    for beat in 0..8 {
        store.shift(Micros(beat), 6, Duration::from_secs(150));
    }
    assert!(store.hear(id(MAX_MISSING + 1), Link(1)).is_some());
}

#[test]
fn what_is_held_is_bounded_in_bytes_and_the_oldest_goes_first() {
    let (mut store, size) = (Store::default(), (1 << 20) - 256);
    let fit = MAX_HELD_BYTES / (1 << 20);
    for number in 0..fit {
        store.shift(Micros(number as u64), 1_000, Duration::from_secs(150));
        hold(&mut store, number, size);
    }
    assert!((0..fit).all(|number| store.held(&id(number)).is_some()));
    store.shift(Micros(fit as u64), 1_000, Duration::from_secs(150));
    hold(&mut store, fit, 1);
    assert!(store.held(&id(0)).is_none());
    assert!(store.is_known(&id(0)), "it does not come again");
    assert!((1..=fit).all(|number| store.held(&id(number)).is_some()));
}

/// Whoever fills what is held keeps nobody else's message from being had.
#[test]
fn attack_a_flood_displaces_its_own_messages_and_nobody_elses() {
    let (mut store, size) = (Store::default(), (1 << 20) - 256);
    let (calm, fit) = (TopicHash::of("calm"), MAX_HELD_BYTES / (1 << 20));
    hold_on(&mut store, calm, 10_000, size);
    for number in 0..3 * fit {
        hold(&mut store, number, size);
        assert!(store.held(&id(10_000)).is_some(), "{number}");
    }
    let held = |number| store.held(&id(number)).is_some();
    assert!((2 * fit + 1..3 * fit).all(held) && !(0..=2 * fit).any(held));
    assert!(store.is_known(&id(0)), "it does not come again");
    // Two that say as much have half of it each.
    for number in 20_000..20_000 + fit {
        hold_on(&mut store, calm, number, size);
    }
    let of_flood = (0..3 * fit).filter(|number| store.held(&id(*number)).is_some());
    let of_flood = of_flood.count();
    assert!(of_flood.abs_diff(fit / 2) <= 1, "{of_flood}");
    for beat in 0..8 {
        store.shift(Micros(beat), 6, Duration::from_secs(150));
    }
    assert_eq!(store.held_bytes(), 0);
}

/// Of many that say little each, as one attacker with as many identities, the oldest message goes, whoever said it.
#[test]
fn attack_many_identities_with_one_message_each_displace_the_oldest_and_no_chosen_one() {
    let (mut store, size) = (Store::default(), 48 << 10);
    let topic = |number: usize| TopicHash::of(&format!("topic {number}"));
    let held = |store: &Store, from: usize, to: usize| {
        (from..to).all(|number| store.held(&id(number)).is_some())
    };
    let mut first = 0;
    for number in 0..2_000 {
        hold_on(&mut store, topic(number), number, size);
        while store.held(&id(first)).is_none() {
            first += 1;
        }
        assert!(held(&store, number.saturating_sub(1), number + 1));
    }
    println!("{first} gave way");
    assert!(first > 500 && held(&store, first, 2_000));
}

/// A fast publisher says that much between two heartbeats.
#[test]
fn of_what_came_since_the_last_heartbeat_only_the_oldest_goes() {
    let (mut store, size) = (Store::default(), (1 << 20) - 256);
    let fit = MAX_HELD_BYTES / (1 << 20);
    for number in 0..=fit {
        hold(&mut store, number, size);
    }
    assert!(store.held(&id(0)).is_none());
    assert!((1..=fit).all(|number| store.held(&id(number)).is_some()));
}

#[test]
fn a_message_is_had_for_as_many_heartbeats_as_the_history_is_long() {
    let mut store = Store::default();
    hold(&mut store, 1, 10);
    for beat in 0..6 {
        store.shift(Micros(beat), 6, Duration::from_secs(150));
        assert!(store.held(&id(1)).is_some(), "after {beat}");
    }
    store.shift(Micros(6), 6, Duration::from_secs(150));
    assert!(store.held(&id(1)).is_none());
    assert!(store.is_known(&id(1)));
}

#[test]
fn attack_4_refusals_beyond_the_limit_are_not_heard() {
    let mut rig = Rig::all_connected(2, &GossipConfig::default());
    rig.run_for(Duration::from_secs(1));
    rig.silent.push(1);
    // Ids that nobody ever saw.
    for round in 0..1_000_usize {
        let ids = (0..64).map(|number| id(round * 64 + number));
        let ids = crate::wire::codec::List::truncated(ids);
        rig.forge(1, 0, wire::IDONTWANT, &wire::IDontWant { ids });
    }
    assert_eq!(rig.nodes[0].refusals(), 1_000);
    rig.run_for(Duration::from_millis(700 * 4));
    assert_eq!(
        rig.nodes[0].refusals(),
        0,
        "they end after three heartbeats"
    );
}

/// A message that says nothing takes room in a queue, too: it would never be sent otherwise, and any
/// number of them would fit.
#[test]
fn what_waits_for_a_neighbour_is_bounded_in_bytes_whatever_it_says() {
    let config = QueueConfig::default();
    for size in [0, 1, 1_000] {
        let (mut outbox, place) = (Outbox::new(&QueueConfig::default()), size + 64);
        let fit = config.max_bytes / place;
        let message = Arc::new(Parcel {
            id: id(size),
            topic: topic(),
            proof: None,
            content: Content::Whole(Bytes::from(vec![0; size])),
        });
        for number in 0..fit {
            let is_in = outbox.put(message.clone(), Micros(0), Priority::Forwarded, &config);
            assert!(is_in, "{number} of {fit}");
        }
        assert!(!outbox.put(message.clone(), Micros(0), Priority::Forwarded, &config));
        // One of this node takes the place of another's.
        assert!(outbox.put(message, Micros(0), Priority::Own, &config));
        assert!(outbox.bytes() <= config.max_bytes && outbox.bytes() + place > config.max_bytes);
    }
}

#[test]
fn what_is_asked_of_a_neighbour_that_does_not_read_is_bounded() {
    let (mut outbox, config) = (Outbox::new(&QueueConfig::default()), QueueConfig::default());
    let fit = config.max_bytes / 32;
    for number in 0..fit {
        assert!(outbox.want(id(number), &config), "{number} of {fit}");
    }
    assert!(!outbox.want(id(fit), &config));
    assert!(!outbox.announce(topic(), id(fit), &config));
}

#[test]
fn a_neighbour_has_as_many_subscriptions_as_a_frame_and_not_one_more() {
    let subscribe = |rig: &mut Rig, first: usize, count: usize| {
        let topics = (first..first + count).map(id);
        let topics = crate::wire::codec::List::truncated(topics);
        rig.forge(1, 0, wire::SUBSCRIBE, &wire::Subscribe { topics });
    };
    let mut rig = Rig::new(2, &GossipConfig::default());
    rig.connect(0, 1);
    subscribe(&mut rig, 0, wire::MAX_TOPICS - 1);
    subscribe(&mut rig, wire::MAX_TOPICS - 1, 1);
    // The same again only takes other ordinals.
    subscribe(&mut rig, 0, wire::MAX_TOPICS);
    assert_eq!(rig.faults, []);
    subscribe(&mut rig, wire::MAX_TOPICS, 1);
    assert_eq!(rig.faults, [(0, Link(1), Fault::TooManySubscriptions)]);
}
