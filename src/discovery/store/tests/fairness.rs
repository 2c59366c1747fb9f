//! Who gives way when the budget is full.

use super::*;

const BODY: usize = (8 << 10) - ENTRY_OVERHEAD as usize;

fn big(number: u32) -> Checked {
    sized(key(number), 1, BODY, START + HOUR)
}

fn put(store: &mut RecordStore, holder: &Holder, checked: &Checked) -> StoreOutcome {
    store.put(START, holder, &IMMUTABLE, checked)
}

fn holds(store: &RecordStore, number: u32) -> bool {
    store.get(IMMUTABLE.number, &key(number), START).is_some()
}

/// Peers 0 to 7, each in a group of its own, fill the store with records 0 to 127, in turns.
fn full() -> RecordStore {
    let mut store = RecordStore::new(SMALL);
    for number in 0..128 {
        put(&mut store, &holder(number % 8), &big(number));
    }
    assert_eq!(store.bytes(), SMALL.budget_bytes);
    store
}

#[test]
fn the_largest_gives_up_what_it_stored_first() {
    let mut store = full();
    // Of networks of the same size, the one with the highest number.
    assert_eq!(
        put(&mut store, &holder(20), &big(200)),
        StoreOutcome::Stored
    );
    assert!(!holds(&store, 7));
    assert!(holds(&store, 15) && holds(&store, 6) && holds(&store, 200));
    assert_eq!(
        put(&mut store, &holder(21), &big(201)),
        StoreOutcome::Stored
    );
    assert!(!holds(&store, 6));
}

#[test]
fn what_was_refreshed_goes_later() {
    let mut store = full();
    put(&mut store, &holder(30), &big(7));
    put(&mut store, &holder(20), &big(200));
    assert!(holds(&store, 7));
    assert!(!holds(&store, 15));
}

#[test]
fn a_newcomer_gets_its_fair_share_and_no_more() {
    let mut store = full();
    let stored = (1_000..1_200)
        .filter(|number| put(&mut store, &holder(20), &big(*number)) == StoreOutcome::Stored)
        .count();
    // 128 records among nine holders are 14.2 for each.
    assert_eq!(stored, 14);
    let ledger = store.shelf.ledger();
    let shares = (0..8).map(|number| ledger.peer_bytes(&peer(number)) / cost(BODY));
    assert!(shares.clone().all(|share| (14..=15).contains(&share)));
    assert!(store.bytes() <= SMALL.budget_bytes);
}

#[test]
fn two_of_the_same_size_do_not_evict_each_other() {
    let mut store = full();
    for number in 1_000..1_020 {
        put(&mut store, &holder(20), &big(number));
    }
    let before: Vec<_> = store.records_after(None, START).collect();
    for round in 0..100 {
        let who = holder(if round % 2 == 0 { 20 } else { round % 8 });
        assert_eq!(
            put(&mut store, &who, &big(2_000 + round)),
            StoreOutcome::Full
        );
    }
    let after: Vec<_> = store.records_after(None, START).collect();
    assert_eq!(before, after);
}

#[test]
fn within_a_crowded_network_the_largest_peer_yields() {
    // Network 1 holds a quarter of the store, most of it peer 1's.
    let mut store = RecordStore::new(SMALL);
    for number in 0..14 {
        put(&mut store, &holder_in(1, 1), &big(number));
    }
    for number in 14..31 {
        put(&mut store, &holder_in(number, 1), &big(number));
    }
    // The rest of the store is the property of others, all smaller than the network.
    let mut other = 100;
    while store.bytes() < SMALL.budget_bytes {
        put(&mut store, &holder(1_000 + other % 16), &big(other));
        other += 1;
    }
    let newcomer = holder_in(50, 1);
    assert_eq!(put(&mut store, &newcomer, &big(500)), StoreOutcome::Stored);
    assert!(!holds(&store, 0), "the first of peer 1");
    assert!((1..31).all(|number| holds(&store, number)));
    let outcome = put(&mut store, &holder_in(1, 1), &big(501));
    assert_eq!(outcome, StoreOutcome::Full);
}

#[test]
fn attack_two_flooders_do_not_lock_their_network_out() {
    let mut store = RecordStore::new(SMALL);
    for number in 0..100 {
        put(&mut store, &holder_in(number % 2, 1), &big(number));
    }
    let network = Account::of(&holder_in(0, 1)).network;
    let share = SMALL.per_group();
    assert_eq!(store.shelf.ledger().network_bytes(&network), share);
    let stored = (1_000..1_100)
        .map(|number| put(&mut store, &holder_in(7, 1), &big(number)))
        .filter(|outcome| *outcome == StoreOutcome::Stored)
        .count();
    // 32 records among three peers of the network, though the store is three quarters empty.
    assert_eq!(stored, 10);
    assert_eq!(store.shelf.ledger().network_bytes(&network), share);
}

#[test]
fn nothing_is_taken_for_a_newcomer_that_does_not_fit() {
    let mut store = RecordStore::new(SMALL);
    // As many holders as fit, with one small record each.
    for number in 0..1_024 {
        put(&mut store, &holder(number), &small(key(number), 1));
    }
    let (len, bytes) = (store.len(), store.bytes());
    assert_eq!(
        put(&mut store, &holder(5_000), &big(5_000)),
        StoreOutcome::Full
    );
    assert_eq!((store.len(), store.bytes()), (len, bytes));
}
