//! Which record stays, and for how long.

use std::sync::Arc;

use super::*;
use crate::crypto::{RustCrypto, SigningSeed};
use crate::discovery::record::{CheckContext, MutableDraft, PROVIDER};
use crate::identity::Keypair;
use crate::policy::{Now, UnixMillis};

const WALL: UnixMillis = UnixMillis(1_800_000_000_000);

fn signed(owner: &Keypair, sequence: u64) -> Record {
    let draft = MutableDraft::new(
        owner.public_key().verifying_key().clone(),
        Bytes::from_static(b"salt"),
        sequence,
        WALL,
        HOUR,
        Bytes::from_static(b"value"),
    )
    .unwrap();
    let signature = owner.sign(draft.signed_input(&[7; 32]).as_bytes()).unwrap();
    draft.with_signature(&signature)
}

fn check(record: &Record, mono: Micros) -> Checked {
    let context = CheckContext {
        network: [7; 32],
        now: Now { mono, wall: WALL },
        sender: peer(1),
    };
    MUTABLE.check(&context, record.body.as_bytes()).unwrap()
}

fn store() -> RecordStore {
    RecordStore::new(SMALL)
}

#[test]
fn a_higher_sequence_supersedes() {
    let mut store = store();
    let holder = holder(1);
    let mut put = |sequence| store.put(START, &holder, &MUTABLE, &small(key(1), sequence));
    assert_eq!(put(5), StoreOutcome::Stored);
    assert_eq!(put(4), StoreOutcome::Superseded);
    assert_eq!(put(5), StoreOutcome::Stored, "the same bytes: a refresh");
    assert_eq!(put(6), StoreOutcome::Stored);
    assert_eq!(put(5), StoreOutcome::Superseded);
    let held = store.get(MUTABLE.number, &key(1), START).unwrap();
    assert_eq!(held.body.as_bytes(), &small(key(1), 6).body);
    assert_eq!(store.len(), 1);
    assert_eq!(store.bytes(), cost(8));
}

#[test]
fn at_the_same_sequence_the_larger_hash_supersedes() {
    let mut store = store();
    let holder = holder(1);
    let with_tie = |tie: u8| {
        let mut checked = small(key(1), 5);
        checked.version.tie = [tie; 32];
        checked.body = Bytes::from(vec![tie; 8]);
        checked
    };
    let mut put = |tie| store.put(START, &holder, &MUTABLE, &with_tie(tie));
    assert_eq!(put(5), StoreOutcome::Stored);
    assert_eq!(put(4), StoreOutcome::Superseded);
    assert_eq!(put(6), StoreOutcome::Stored);
}

#[test]
fn the_same_version_in_other_bytes_is_no_news() {
    let mut store = store();
    let signed_again = Checked {
        body: Bytes::from_static(b"another signature"),
        ..small(key(1), 5)
    };
    store.put(START, &holder(1), &MUTABLE, &small(key(1), 5));
    let judgement = store.judge(START, &holder(1), &MUTABLE, &signed_again);
    assert_eq!(judgement, Judgement::Superseded);
}

#[test]
fn a_record_is_never_given_out_after_its_end() {
    let mut store = store();
    store.put(START, &holder(1), &IMMUTABLE, &small(key(1), 0));
    let get = |store: &RecordStore, at| store.get(IMMUTABLE.number, &key(1), at).is_some();
    let end = START + HOUR;
    assert!(get(&store, Micros(end.0 - 1)));
    assert!(!get(&store, end));
    assert!(!get(&store, Micros(end.0 + 1)));
    assert_eq!(store.next_expiry(), Some(end));
    store.expire(Micros(end.0 - 1));
    assert_eq!(store.len(), 1);
    store.expire(end);
    assert_eq!((store.len(), store.tombstones(), store.bytes()), (0, 0, 0));
    assert_eq!(store.next_expiry(), None);
    assert!(store.is_empty());
}

#[test]
fn a_refresh_prolongs_a_record_without_versions_only() {
    let mut store = store();
    let later = START + HOUR / 2;
    let provider = Arc::new(RustCrypto::new());
    let owner = Keypair::from_seed(provider, SigningSeed::from_bytes(&[5; 32])).unwrap();
    let record = signed(&owner, 1);
    let mutable = check(&record, START);
    store.put(START, &holder(1), &MUTABLE, &mutable);
    store.put(START, &holder(1), &IMMUTABLE, &small(key(1), 0));
    assert_eq!(store.next_expiry(), Some(START + HOUR));

    // The wall clock did not move along: the rest of the signed life seems to be longer.
    store.put(later, &holder(2), &MUTABLE, &check(&record, later));
    let again = sized(key(1), 0, 8, later + HOUR);
    store.put(later, &holder(2), &IMMUTABLE, &again);
    let sooner = sized(key(1), 0, 8, Micros(later.0 + 1));
    store.put(later, &holder(2), &IMMUTABLE, &sooner);

    let end = START + HOUR;
    assert!(store.get(MUTABLE.number, &mutable.key, end).is_none());
    let last = Micros((later + HOUR).0 - 1);
    assert!(store.get(IMMUTABLE.number, &key(1), last).is_some());
}

#[test]
fn a_refresh_notes_the_time_and_charges_nobody() {
    let mut store = store();
    let record = small(key(1), 1);
    store.put(START, &holder(1), &MUTABLE, &record);
    let later = START + Duration::from_secs(60);
    let judgement = store.judge(later, &holder(2), &MUTABLE, &record);
    assert_eq!(judgement, Judgement::Refresh);
    store.put(later, &holder(2), &MUTABLE, &record);
    let ledger = store.shelf.ledger();
    assert_eq!(ledger.peer_bytes(&peer(1)), cost(8));
    assert_eq!(ledger.peer_bytes(&peer(2)), 0);
    assert_eq!(store.last_stored(MUTABLE.number, &key(1)), Some(later));
    assert!(store.set_last_stored(MUTABLE.number, &key(1), START));
    assert_eq!(store.last_stored(MUTABLE.number, &key(1)), Some(START));
    assert!(!store.set_last_stored(MUTABLE.number, &key(2), START));
}

#[test]
fn attack_rollback_after_the_end() {
    let mut store = store();
    let end = START + HOUR;
    store.put(START, &holder(1), &MUTABLE, &small(key(1), 5));
    let bring = |sequence, at: Micros| sized(key(1), sequence, 8, at + HOUR);
    let judge = |store: &RecordStore, sequence, at| {
        store.judge(at, &holder(2), &MUTABLE, &bring(sequence, at))
    };
    // Whether or not the timer has run.
    assert_eq!(judge(&store, 5, end), Judgement::Superseded);
    assert_eq!(judge(&store, 6, end), Judgement::Store);
    store.expire(end);
    assert_eq!((store.len(), store.tombstones()), (0, 1));
    assert!(store.get(MUTABLE.number, &key(1), end).is_none());
    let forgotten = end + REMEMBERED;
    let last = Micros(forgotten.0 - 1);
    for at in [end, last] {
        assert_eq!(judge(&store, 4, at), Judgement::Superseded);
        assert_eq!(judge(&store, 5, at), Judgement::Superseded);
        assert_eq!(judge(&store, 6, at), Judgement::Store);
    }
    assert_eq!(judge(&store, 4, forgotten), Judgement::Store);
    store.expire(last);
    assert_eq!(store.tombstones(), 1);
    store.expire(forgotten);
    assert_eq!((store.tombstones(), store.bytes()), (0, 0));
}

#[test]
fn a_later_version_takes_the_place_of_a_tombstone() {
    let mut store = store();
    let end = START + HOUR;
    store.put(START, &holder(1), &MUTABLE, &small(key(1), 5));
    let outcome = store.put(end, &holder(2), &MUTABLE, &sized(key(1), 6, 8, end + HOUR));
    assert_eq!(outcome, StoreOutcome::Stored);
    assert_eq!((store.len(), store.tombstones()), (1, 0));
    assert_eq!(store.shelf.ledger().peer_bytes(&peer(1)), 0);
}

#[test]
fn a_late_timer_leaves_no_tombstone_that_is_over() {
    let mut store = store();
    store.put(START, &holder(1), &MUTABLE, &small(key(1), 5));
    store.expire(START + HOUR + REMEMBERED);
    assert_eq!((store.len(), store.tombstones(), store.bytes()), (0, 0, 0));
}

#[test]
fn a_record_that_ended_on_its_way_is_not_kept() {
    let mut store = store();
    let outcome = store.put(START + HOUR, &holder(1), &MUTABLE, &small(key(1), 1));
    assert_eq!(outcome, StoreOutcome::Invalid);
    assert!(store.is_empty());
}

#[test]
fn a_kind_of_many_slots_has_a_way_of_its_own() {
    let mut store = store();
    let checked = small(key(1), 1);
    assert_eq!(
        store.judge(START, &holder(1), &PROVIDER, &checked),
        Judgement::Full
    );
    assert_eq!(
        store.put(START, &holder(1), &PROVIDER, &checked),
        StoreOutcome::Unsupported
    );
}

#[test]
fn records_are_walked_in_the_order_of_their_keys() {
    let mut store = store();
    for number in 0..20 {
        let kind = if number % 2 == 0 {
            &IMMUTABLE
        } else {
            &MUTABLE
        };
        store.put(START, &holder(1), kind, &small(key(number), 1));
    }
    store.provide(
        START,
        &holder(1),
        contact(peer(1)),
        key(3),
        HOUR,
        &mut rng(1),
    );
    store.put(
        START,
        &holder(1),
        &MUTABLE,
        &sized(key(99), 1, 8, Micros(START.0 + 1)),
    );
    store.expire(Micros(START.0 + 1));
    let at = Micros(START.0 + 2);

    let all: Vec<HeldRecord> = store.records_after(None, at).collect();
    assert_eq!(all.len(), 20);
    assert!(all.is_sorted_by_key(|held| held.key));
    assert!(all.iter().all(|held| held.last_stored == START));
    let mut paged = Vec::new();
    let mut after = None;
    loop {
        let page: Vec<_> = store.records_after(after, at).take(7).collect();
        let Some(last) = page.last() else { break };
        after = Some(last.key);
        paged.extend(page);
    }
    assert_eq!(paged, all);
    assert_eq!(store.records_after(None, START + HOUR).count(), 0);
}

#[test]
fn attack_a_bad_signature_is_never_stored() {
    let provider = Arc::new(RustCrypto::new());
    let owner = Keypair::from_seed(provider.clone(), SigningSeed::from_bytes(&[5; 32])).unwrap();
    let mut store = store();
    // What an edge does with each record that comes.
    let mut bring = |record: &Record| {
        let checked = check(record, START);
        if store.judge(START, &holder(1), &MUTABLE, &checked) != Judgement::Store {
            return None;
        }
        let verified = checked.signature.as_ref().unwrap().verify(&*provider);
        verified.then(|| store.put(START, &holder(1), &MUTABLE, &checked))
    };
    let honest = signed(&owner, 2);
    assert_eq!(bring(&honest), Some(StoreOutcome::Stored));
    let mut forged = signed(&owner, 3).body.into_bytes().to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let forged = wire_record(&MUTABLE, forged.into());
    assert_eq!(bring(&forged), None);
    assert_eq!(bring(&signed(&owner, 1)), None, "a past sequence");
    let key = check(&honest, START).key;
    assert_eq!(store.get(MUTABLE.number, &key, START), Some(honest));
}
