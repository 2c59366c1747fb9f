//! Providers of a key.

use super::*;
use crate::discovery::record::PROVIDER;

const SLOTS: u32 = 256;

fn provide(store: &mut RecordStore, holder: &Holder, seed: u64) -> StoreOutcome {
    let contact = contact(holder.peer);
    store.provide(START, holder, contact, key(1), HOUR, &mut rng(seed))
}

fn names(store: &RecordStore, at: Micros, max: usize) -> Vec<PeerId> {
    let contacts = store.providers(&key(1), at, &mut rng(9), max);
    contacts.into_iter().map(|contact| contact.peer).collect()
}

#[test]
fn a_provider_is_named_until_its_end() {
    let mut store = RecordStore::new(SMALL);
    assert_eq!(provide(&mut store, &holder(1), 1), StoreOutcome::Stored);
    let end = START + HOUR;
    assert_eq!(names(&store, Micros(end.0 - 1), 9), [peer(1)]);
    assert!(names(&store, end, 9).is_empty());
    assert_eq!(store.next_expiry(), Some(end));
    store.expire(end);
    assert_eq!((store.len(), store.tombstones(), store.bytes()), (0, 0, 0));
}

#[test]
fn a_provider_may_change_and_take_back_its_own_entry_only() {
    let mut store = RecordStore::new(SMALL);
    let mut rng = rng(1);
    provide(&mut store, &holder(1), 1);
    provide(&mut store, &holder(2), 1);
    let later = START + HOUR / 2;
    let mut say = |who: &Holder, about, at, span| {
        store.provide(at, who, contact(about), key(1), span, &mut rng)
    };
    assert_eq!(say(&holder(3), peer(1), later, HOUR), StoreOutcome::Invalid);
    let zero = Duration::ZERO;
    assert_eq!(say(&holder(3), peer(1), later, zero), StoreOutcome::Invalid);
    assert_eq!(say(&holder(3), peer(3), later, zero), StoreOutcome::Stored);
    assert_eq!(say(&holder(1), peer(1), later, HOUR), StoreOutcome::Stored);
    assert_eq!(say(&holder(2), peer(2), later, zero), StoreOutcome::Stored);
    assert_eq!(store.len(), 1);
    assert_eq!(names(&store, START + HOUR, 9), [peer(1)]);
}

#[test]
fn a_provider_asks_for_48_hours_at_most() {
    let limit = 48 * HOUR;
    let micro = Duration::from_micros(1);
    for (span, outcome) in [
        (limit - micro, StoreOutcome::Stored),
        (limit, StoreOutcome::Stored),
        (limit + micro, StoreOutcome::Invalid),
    ] {
        let mut store = RecordStore::new(SMALL);
        let contact = contact(peer(1));
        let answer = store.provide(START, &holder(1), contact, key(1), span, &mut rng(1));
        assert_eq!(answer, outcome);
    }
}

#[test]
fn attack_a_flood_on_one_key_from_one_network() {
    let mut store = RecordStore::new(SMALL);
    let other = holder_in(5_000, 8);
    assert_eq!(provide(&mut store, &other, 1), StoreOutcome::Stored);
    for number in 0..1_000 {
        let outcome = provide(&mut store, &holder_in(number, 7), number.into());
        assert_eq!(outcome, StoreOutcome::Stored, "provider {number}");
        let most = PROVIDERS_PER_GROUP + 1;
        assert!(store.len() <= most, "it takes a place of its own network");
    }
    let found = store.providers(&key(1), START, &mut rng(1), usize::MAX);
    assert!(found.iter().any(|one| one.peer == other.peer));
    assert_eq!(found.len(), PROVIDERS_PER_GROUP + 1);
}

#[test]
fn attack_an_early_crowd_does_not_lock_out_the_rest_of_its_network() {
    let mut store = RecordStore::new(SMALL);
    for number in 0..4 {
        provide(&mut store, &holder_in(number, 7), number.into());
    }
    let honest = holder_in(9, 7);
    assert_eq!(provide(&mut store, &honest, 1), StoreOutcome::Stored);
    let found = store.providers(&key(1), START, &mut rng(1), usize::MAX);
    assert!(found.iter().any(|one| one.peer == honest.peer));
}

#[test]
fn local_addresses_have_no_limit_a_group() {
    let mut store = RecordStore::new(SMALL);
    for number in 0..20 {
        assert_eq!(provide(&mut store, &local(number), 1), StoreOutcome::Stored);
    }
    assert_eq!(store.len(), 20);
}

#[test]
fn a_key_has_256_providers_and_not_one_more() {
    let mut store = RecordStore::new(StoreConfig::default());
    assert_eq!(PROVIDER.slots, SLOTS as usize);
    for number in 0..SLOTS - 1 {
        provide(&mut store, &holder(number), 1);
    }
    assert_eq!(store.len(), 255);
    provide(&mut store, &holder(255), 1);
    assert_eq!(store.len(), 256);
    assert_eq!(provide(&mut store, &holder(256), 1), StoreOutcome::Stored);
    assert_eq!(store.len(), 256);
    assert!(names(&store, START, 256).contains(&peer(256)));
    // Whoever is in replaces itself.
    let before = names(&store, START, 256);
    provide(&mut store, &holder(256), 2);
    assert_eq!(names(&store, START, 256), before);
}

#[test]
fn attack_an_early_crowd_cannot_squat_the_places() {
    const SYBILS: u32 = 256;
    const HONEST: std::ops::Range<u32> = 1_000..1_128;
    let mut rng = rng(3);
    let mut store = RecordStore::new(StoreConfig::default());
    let mut come = |number| {
        let contact = contact(peer(number));
        store.provide(START, &holder(number), contact, key(1), HOUR, &mut rng)
    };
    for sybil in 0..SYBILS {
        come(sybil);
    }
    // Every Sybil comes back as often as an honest provider does, three rounds long.
    for round in 0..3 {
        for honest in HONEST {
            assert_eq!(come(honest), StoreOutcome::Stored, "round {round}");
            come(honest * 2 % SYBILS);
            come((honest * 2 + 1) % SYBILS);
        }
    }
    let named = names(&store, START, 256);
    let honest: Vec<PeerId> = HONEST.map(peer).collect();
    let honest = named.iter().filter(|name| honest.contains(name));
    // A third of all who come: 85 of 256 in the mean.
    assert!((60..=110).contains(&honest.count()));
}

#[test]
fn an_answer_is_drawn_at_random_and_names_nobody_twice() {
    let mut store = RecordStore::new(SMALL);
    for number in 0..40 {
        provide(&mut store, &holder(number), 1);
    }
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let drawn = store.providers(&key(1), START, &mut rng(seed), 4);
        let drawn: std::collections::BTreeSet<_> =
            drawn.into_iter().map(|contact| contact.peer).collect();
        assert_eq!(drawn.len(), 4);
        seen.extend(drawn);
    }
    assert_eq!(seen.len(), 40);
    for (max, expected) in [(0, 0), (39, 39), (40, 40), (41, 40)] {
        assert_eq!(names(&store, START, max).len(), expected);
    }
    assert!(store.providers(&key(2), START, &mut rng(1), 9).is_empty());
}

#[test]
fn providers_count_against_the_budget() {
    let mut store = RecordStore::new(SMALL);
    let addresses = SharedList::truncated(["/ip4/93.184.216.34/udp/4001/quic-v1".parse().unwrap()]);
    let known = Contact {
        peer: peer(1),
        addresses,
    };
    store.provide(START, &holder(1), known.clone(), key(1), HOUR, &mut rng(1));
    let with_address = store.bytes();
    assert_eq!(store.providers(&key(1), START, &mut rng(1), 1), [known]);
    provide(&mut store, &holder(1), 1);
    assert!(with_address > store.bytes() && store.bytes() > ENTRY_OVERHEAD);
    let mut number = 0;
    let full = loop {
        number += 1;
        let contact = contact(peer(1));
        let outcome = store.provide(START, &holder(1), contact, key(number), HOUR, &mut rng(1));
        if outcome != StoreOutcome::Stored {
            break outcome;
        }
    };
    assert_eq!(full, StoreOutcome::Full);
    assert!(store.bytes() <= SMALL.per_peer());
}
