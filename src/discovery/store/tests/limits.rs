//! Every limit, one below, at and one above it.

use super::*;

const PER_PEER: u64 = 128 << 10;
const PER_GROUP: u64 = 256 << 10;
/// Sixteen of these fill the share of a peer, and 128 the store.
const BODY: usize = (8 << 10) - ENTRY_OVERHEAD as usize;

fn big(number: u32) -> Checked {
    sized(key(number), 1, BODY, START + HOUR)
}

fn put(store: &mut RecordStore, holder: &Holder, checked: &Checked) -> StoreOutcome {
    store.put(START, holder, &IMMUTABLE, checked)
}

/// Fills the share of each holder.
fn filled(holders: impl IntoIterator<Item = Holder>) -> RecordStore {
    let mut store = RecordStore::new(SMALL);
    for (number, holder) in (0..).zip(holders) {
        for record in 0..16 {
            let outcome = put(&mut store, &holder, &big(number * 16 + record));
            assert_eq!(outcome, StoreOutcome::Stored);
        }
        assert_eq!(store.shelf.ledger().peer_bytes(&holder.peer), PER_PEER);
    }
    store
}

#[test]
fn the_default_is_valid() {
    assert_eq!(StoreConfig::default().validate(), Ok(()));
    assert_eq!(SMALL.validate(), Ok(()));
    assert_eq!((SMALL.per_peer(), SMALL.per_group()), (PER_PEER, PER_GROUP));
}

#[test]
fn the_configuration_has_ranges() {
    let with_budget = |budget_bytes| StoreConfig {
        budget_bytes,
        ..SMALL
    };
    for (budget, valid) in [
        ((1 << 20) - 1, false),
        (1 << 20, true),
        ((1 << 20) + 1, true),
        ((1 << 40) - 1, true),
        (1 << 40, true),
        ((1 << 40) + 1, false),
    ] {
        assert_eq!(with_budget(budget).validate().is_ok(), valid, "{budget}");
    }
    let with_shares = |peer_share, group_share| StoreConfig {
        budget_bytes: 1 << 30,
        peer_share,
        group_share,
    };
    for (peer_share, valid) in [
        (0, false),
        (1, true),
        (1_023, true),
        (1_024, true),
        (1_025, false),
    ] {
        let config = with_shares(peer_share, 1);
        assert_eq!(config.validate().is_ok(), valid, "{peer_share}");
    }
    for (group_share, valid) in [(0, false), (1, true), (7, true), (8, true), (9, false)] {
        let config = with_shares(8, group_share);
        assert_eq!(config.validate().is_ok(), valid, "{group_share}");
    }
    // A share must hold the largest record: 1 MiB / 15 is more than 65 KiB, a sixteenth is less.
    let with_peer_share = |peer_share| StoreConfig {
        peer_share,
        ..SMALL
    };
    for (peer_share, valid) in [(14, true), (15, true), (16, false)] {
        let config = with_peer_share(peer_share);
        assert_eq!(config.validate().is_ok(), valid, "{peer_share}");
    }
}

#[test]
fn a_peer_fills_its_share_and_not_one_byte_more() {
    for (last, outcome) in [
        (BODY - 1, StoreOutcome::Stored),
        (BODY, StoreOutcome::Stored),
        (BODY + 1, StoreOutcome::Full),
    ] {
        let mut store = RecordStore::new(SMALL);
        for number in 0..15 {
            put(&mut store, &holder(1), &big(number));
        }
        let record = sized(key(99), 1, last, START + HOUR);
        assert_eq!(put(&mut store, &holder(1), &record), outcome, "{last}");
    }
}

#[test]
fn a_peer_behind_many_networks_has_one_share() {
    let mut store = RecordStore::new(SMALL);
    for number in 0..16 {
        let outcome = put(&mut store, &holder_in(1, number), &big(number));
        assert_eq!(outcome, StoreOutcome::Stored);
    }
    let outcome = put(&mut store, &holder_in(1, 77), &small(key(99), 1));
    assert_eq!(outcome, StoreOutcome::Full);
}

#[test]
fn a_group_fills_its_share_and_not_one_byte_more() {
    for (last, outcome) in [
        (BODY - 1, StoreOutcome::Stored),
        (BODY, StoreOutcome::Stored),
        (BODY + 1, StoreOutcome::Full),
    ] {
        let mut store = RecordStore::new(SMALL);
        for number in 0..31 {
            put(&mut store, &holder_in(number, 5), &big(number));
        }
        let record = sized(key(99), 1, last, START + HOUR);
        assert_eq!(
            put(&mut store, &holder_in(50, 5), &record),
            outcome,
            "{last}"
        );
    }
}

#[test]
fn addresses_that_say_nothing_are_no_group() {
    let store = filled((0..8).map(local));
    assert_eq!(store.bytes(), SMALL.budget_bytes);
}

#[test]
fn the_budget_is_filled_and_never_exceeded() {
    let mut store = filled((0..7).map(holder));
    for number in 200..215 {
        put(&mut store, &holder(number), &big(number));
    }
    assert_eq!(store.bytes(), SMALL.budget_bytes - cost(BODY));
    let len = store.len();
    let fits = sized(key(300), 1, BODY - 1, START + HOUR);
    assert_eq!(put(&mut store, &holder(300), &fits), StoreOutcome::Stored);
    assert_eq!(
        (store.bytes(), store.len()),
        (SMALL.budget_bytes - 1, len + 1)
    );
    let fills = sized(key(300), 2, BODY, START + HOUR);
    put(&mut store, &holder(300), &fills);
    assert!(store.bytes() <= SMALL.budget_bytes);
    assert_eq!(
        put(&mut store, &holder(301), &small(key(301), 1)),
        StoreOutcome::Stored
    );
    assert!(store.bytes() <= SMALL.budget_bytes);
    assert_eq!(store.len(), len + 1, "one came, one went");
}

#[test]
fn a_new_version_takes_the_place_of_the_old_one_in_the_books() {
    let mut store = filled((0..8).map(holder));
    let newer = sized(key(3), 2, BODY, START + HOUR);
    let judgement = store.judge(START, &holder(0), &MUTABLE, &newer);
    assert_eq!(
        judgement,
        Judgement::Full,
        "of another kind: not in its place"
    );
    let bigger = sized(key(3), 2, BODY + 1, START + HOUR);
    assert_eq!(put(&mut store, &holder(0), &bigger), StoreOutcome::Full);
    assert_eq!(put(&mut store, &holder(0), &newer), StoreOutcome::Stored);
    assert_eq!(store.bytes(), SMALL.budget_bytes);
    assert_eq!(store.len(), 128);
}

#[test]
fn the_judgement_says_what_put_does() {
    let mut store = filled((0..8).map(holder));
    for (number, who, length) in [(0, 0, BODY), (3, 9, 100), (500, 9, 100), (501, 0, 8)] {
        let record = sized(key(number), 1, length, START + HOUR);
        let judgement = store.judge(START, &holder(who), &IMMUTABLE, &record);
        let outcome = put(&mut store, &holder(who), &record);
        let expected = match judgement {
            Judgement::Store | Judgement::Refresh => StoreOutcome::Stored,
            Judgement::Superseded => StoreOutcome::Superseded,
            Judgement::Full => StoreOutcome::Full,
        };
        assert_eq!(outcome, expected, "record {number}");
    }
}
