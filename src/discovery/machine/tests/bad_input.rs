//! One test for each bad input of the issue: refused, counted against the sender or nobody, never
//! stored, never forwarded.

use super::*;
use crate::crypto::SIGNATURE_BYTES;
use crate::discovery::ContactFault;
use crate::discovery::record::RecordFault;
use crate::discovery::testing::{address, contact_at, endpoint, mutable, owner};
use crate::wire::Address;
use crate::wire::codec::Payload;
use crate::wire::message::discovery::{
    FindValue, GetProviders, HandedOff, MutableRecord, Providers, Value,
};

const HOUR: u64 = 3_600_000;

/// A record whose signature nobody looks at.
fn unsigned(created: u64, expires: u64) -> (Key, Record) {
    let public_key = *owner().public_key().verifying_key().as_bytes();
    let key = mutable("", 1, wall(), "").0;
    let body = MutableRecord {
        suite: 1,
        public_key,
        salt: Payload::default(),
        sequence: 1,
        created,
        expires,
        value: Payload::default(),
        signature: [0; SIGNATURE_BYTES],
    };
    (key, wire_record(2, encode(&body)))
}

fn wire_record(kind: u16, body: Bytes) -> Record {
    let body = Payload::try_from(body).unwrap();
    Record { kind, body }
}

/// What a stranger gets to see under a key.
fn shown(rig: &mut Rig, kind: u16, key: &Key) -> Result<Option<Record>, Refuse> {
    let key = *key.as_bytes();
    let question = FindValue {
        target: key,
        kind,
        key,
    };
    let outputs = rig.ask(asker(5_000), wire::FIND_VALUE, encode(&question));
    reply(&outputs).map(|frame| match frame.kind {
        wire::VALUE => Some(decode::<Value>(&frame.body).unwrap().record),
        _ => None,
    })
}

/// Stores a record that must not be taken; what the sender is blamed for.
fn refused(rig: &mut Rig, key: &Key, record: &Record, expected: StoreOutcome) -> Vec<Fault> {
    let before = rig.machine.held();
    let (outcomes, faults) = rig.store(2_000, vec![record.clone()]);
    assert_eq!(outcomes, [expected]);
    assert_eq!(rig.machine.held(), before, "it is stored");
    assert!(!rig.machine.holds(record.kind, key));
    if record.kind <= 2 {
        assert_eq!(shown(rig, record.kind, key), Ok(None), "it is forwarded");
    }
    faults
}

/// Peer 1 answers a question for a record; what comes out.
fn answered_with(rig: &mut Rig, kind: u16, key: &Key, record: &Record) -> Vec<Output> {
    let command = Command::Get {
        kind,
        key: *key,
        is_hardened: false,
    };
    let (_, outputs) = rig.start(command);
    let call = called(&outputs, peer(1)).unwrap();
    let mut seen = 0;
    let record = record.clone();
    let contacts = List::new();
    let mut outputs = rig.answer(call, wire::VALUE, encode(&Value { record, contacts }));
    // Too few nodes for a get to believe that there is nothing: it walks on.
    while let Some(call) = calls(&outputs[outputs.len().min(seen)..]).first() {
        seen = outputs.len();
        outputs.extend(rig.names(call.call, &[]));
    }
    outputs
}

/// A neighbour hands records over to a newcomer; what comes out.
fn handed_over(rig: &mut Rig, records: &[Record]) -> Vec<Output> {
    let (_, outputs) = rig.start(Command::Bootstrap { seeds: vec![] });
    let outputs = rig.names(calls(&outputs)[0].call, &[]);
    let call = calls(&outputs)
        .into_iter()
        .find(|one| one.kind == wire::HAND_OFF)
        .unwrap();
    assert_eq!(call.contact.peer, peer(1));
    let records = records.to_vec().try_into().unwrap();
    rig.answer(
        call.call,
        wire::HANDED_OFF,
        encode(&HandedOff {
            records,
            next: None,
        }),
    )
}

fn with_a_peer() -> Rig {
    let mut rig = Rig::new();
    rig.meet_many(1);
    rig
}

fn invalid(fault: RecordFault) -> Vec<Fault> {
    vec![Fault::InvalidRecord(fault)]
}

// Records.

#[test]
fn a_record_with_a_bad_signature() {
    let mut rig = with_a_peer();
    let (key, record) = unsigned(WALL, WALL + HOUR);
    let bad = invalid(RecordFault::BadSignature);
    assert_eq!(refused(&mut rig, &key, &record, StoreOutcome::Invalid), bad);
    let outputs = answered_with(&mut rig, 2, &key, &record);
    assert_eq!(record_of(&outputs), Some(None));
    assert_eq!(faults(&outputs, 1), bad);
    let outputs = handed_over(&mut rig, &[record]);
    assert_eq!(faults(&outputs, 1), bad);
    assert!(!rig.machine.holds(2, &key));
}

#[test]
fn a_record_under_a_wrong_key() {
    let mut rig = with_a_peer();
    let (_, record) = record::immutable(Bytes::from_static(b"another")).unwrap();
    let outputs = answered_with(&mut rig, 1, &key(4), &record);
    assert_eq!(record_of(&outputs), Some(None));
    assert_eq!(faults(&outputs, 1), invalid(RecordFault::WrongKey));
    // Of another owner or salt.
    let (_, record) = mutable("another", 1, wall(), "value");
    let outputs = answered_with(&mut rig, 2, &mutable("this", 1, wall(), "").0, &record);
    assert_eq!(record_of(&outputs), Some(None));
    assert_eq!(faults(&outputs, 1), invalid(RecordFault::WrongKey));
}

#[test]
fn a_record_of_another_kind_than_was_asked_for() {
    let mut rig = with_a_peer();
    let (key, record) = mutable("kind", 1, wall(), "value");
    let outputs = answered_with(&mut rig, 1, &key, &record);
    assert_eq!(record_of(&outputs), Some(None));
    assert_eq!(faults(&outputs, 1), [Fault::Incoherent]);
}

#[test]
fn a_record_with_a_past_sequence() {
    let mut rig = with_a_peer();
    let (key, new) = mutable("sequence", 2, wall(), "new");
    let (_, old) = mutable("sequence", 1, wall(), "old");
    assert_eq!(
        rig.store(2_001, vec![new.clone()]),
        (vec![StoreOutcome::Stored], vec![])
    );
    let stale = (vec![StoreOutcome::Superseded], vec![Fault::StaleRecord]);
    assert_eq!(rig.store(2_000, vec![old.clone()]), stale);
    let again = (vec![StoreOutcome::Superseded], vec![]);
    assert_eq!(
        rig.store(2_000, vec![old.clone()]),
        again,
        "told once a minute"
    );
    assert_eq!(shown(&mut rig, 2, &key), Ok(Some(new.clone())));
    rig.now = rig.now + Duration::from_secs(60);
    assert_eq!(rig.store(2_000, vec![old.clone()]), stale);
    handed_over(&mut rig, &[old]);
    assert_eq!(shown(&mut rig, 2, &key), Ok(Some(new)));
}

#[test]
fn a_record_with_a_far_future_expiry() {
    let mut rig = with_a_peer();
    let (key, record) = unsigned(WALL, WALL + 48 * HOUR + 1);
    let late = invalid(RecordFault::ExpiresTooLate);
    assert_eq!(
        refused(&mut rig, &key, &record, StoreOutcome::Invalid),
        late
    );
    let outputs = answered_with(&mut rig, 2, &key, &record);
    assert_eq!(record_of(&outputs), Some(None));
    assert_eq!(faults(&outputs, 1), late);
    let (key, record) = unsigned(u64::MAX - 1, u64::MAX);
    assert_eq!(
        refused(&mut rig, &key, &record, StoreOutcome::Invalid),
        [],
        "a clock may be wrong"
    );
    let provider = wire::ProviderRecord {
        key: [3; 32],
        lifetime: 172_801,
    };
    let record = wire_record(3, encode(&provider));
    let long = invalid(RecordFault::LifetimeTooLong);
    assert_eq!(
        refused(&mut rig, &key, &record, StoreOutcome::Invalid),
        long
    );
}

#[test]
fn a_record_that_clocks_explain_is_nobodys_fault() {
    let mut rig = with_a_peer();
    for (created, expires) in [
        (WALL - 2 * HOUR, WALL - HOUR),
        (WALL + HOUR, WALL + 2 * HOUR),
    ] {
        let (key, record) = unsigned(created, expires);
        assert_eq!(refused(&mut rig, &key, &record, StoreOutcome::Invalid), []);
        let outputs = answered_with(&mut rig, 2, &key, &record);
        assert_eq!(record_of(&outputs), Some(None));
        assert_eq!(faults(&outputs, 1), []);
    }
}

#[test]
fn a_record_that_does_not_decode() {
    let mut rig = with_a_peer();
    let record = wire_record(2, Bytes::from_static(&[1; 50]));
    let faults = refused(&mut rig, &key(3), &record, StoreOutcome::Invalid);
    assert!(matches!(
        faults[..],
        [Fault::InvalidRecord(RecordFault::Malformed(_))]
    ));
}

#[test]
fn many_bad_records_in_one_message_are_one_fault() {
    let mut rig = with_a_peer();
    let (_, record) = unsigned(WALL, WALL + 49 * HOUR);
    let (outcomes, faults) = rig.store(2_000, vec![record; 64]);
    assert_eq!(outcomes, [StoreOutcome::Invalid; 64]);
    assert_eq!(faults.len(), 1);
}

#[test]
fn an_unknown_kind_of_record_is_unsupported_and_no_fault() {
    let mut rig = with_a_peer();
    let record = wire_record(77, Bytes::from_static(b"?"));
    assert_eq!(
        refused(&mut rig, &key(3), &record, StoreOutcome::Unsupported),
        []
    );
    assert_eq!(shown(&mut rig, 77, &key(3)), Err(Refuse::Unsupported));
    assert_eq!(shown(&mut rig, 0, &key(3)), Err(Refuse::Unsupported));
    let outputs = handed_over(&mut rig, &[record]);
    assert_eq!(faults(&outputs, 1), []);
    let command = Command::Get {
        kind: 77,
        key: key(3),
        is_hardened: false,
    };
    let (_, outputs) = rig.start(command);
    assert_eq!(
        outcome(&outputs),
        Some(Outcome::Rejected(Rejection::UnknownKind))
    );
}

#[test]
fn an_unknown_signature_suite_is_unsupported_and_no_fault() {
    let mut rig = with_a_peer();
    let (key, record) = unsigned(WALL, WALL + HOUR);
    let mut body = record.body.as_bytes().to_vec();
    body[0] = 9;
    let record = wire_record(2, Bytes::from(body));
    assert_eq!(
        refused(&mut rig, &key, &record, StoreOutcome::Unsupported),
        []
    );
    let outputs = answered_with(&mut rig, 2, &key, &record);
    assert_eq!(record_of(&outputs), Some(None));
    assert_eq!(faults(&outputs, 1), []);
}

#[test]
fn providers_are_asked_for_with_a_question_of_their_own() {
    let mut rig = with_a_peer();
    let provided = record::provider(key(3), Duration::from_secs(60)).unwrap();
    assert_eq!(rig.store(2_000, vec![provided]).0, [StoreOutcome::Stored]);
    assert_eq!(shown(&mut rig, 3, &key(3)), Err(Refuse::Unsupported));
}

#[test]
fn a_provider_that_somebody_else_hands_over_is_passed_over() {
    let mut rig = with_a_peer();
    let provided = record::provider(key(3), Duration::from_secs(60)).unwrap();
    let outputs = handed_over(&mut rig, &[provided]);
    assert_eq!(faults(&outputs, 1), []);
    assert_eq!(rig.machine.held().0, 0);
}

// Contacts.

/// Peer 1 answers a lookup with these bytes.
fn told_bytes(rig: &mut Rig, body: Bytes) -> Vec<Output> {
    let (_, outputs) = rig.start(Command::Closest(key(3)));
    let call = called(&outputs, peer(1)).unwrap();
    rig.answer(call, wire::NODES, body)
}

/// The bytes of an answer with these contacts, as many as there are.
fn many(contacts: &[Contact]) -> Bytes {
    let mut bytes = vec![u8::try_from(contacts.len()).unwrap()];
    for one in contacts {
        bytes.extend_from_slice(&nodes(std::slice::from_ref(one))[1..]);
    }
    bytes.into()
}

#[test]
fn more_than_forty_contacts() {
    let some: Vec<_> = (2..43).map(contact).collect();
    for (count, is_fine) in [(39, true), (40, true), (41, false)] {
        let mut rig = with_a_peer();
        let outputs = told_bytes(&mut rig, many(&some[..count]));
        assert_eq!(calls(&outputs).is_empty(), !is_fine, "{count}");
        let faults = faults(&outputs, 1);
        if is_fine {
            assert!(faults.is_empty());
        } else {
            assert!(matches!(faults[..], [Fault::Malformed(_)]), "{faults:?}");
            assert!(rig.told(&key(3)).iter().all(|one| one.peer == peer(1)));
        }
    }
}

#[test]
fn a_giant_list_of_addresses() {
    let [a, b, c, d] = [1, 2, 3, 4].map(|host| endpoint(2, host));
    let four = contact_at(peer(2), &[&a, &b, &c, &d]);
    let mut rig = with_a_peer();
    let outputs = told_bytes(&mut rig, many(std::slice::from_ref(&four)));
    assert!(called(&outputs, peer(2)).is_some());
    let mut bytes = many(std::slice::from_ref(&four)).to_vec();
    let one = (bytes.len() - 1 - 32 - 1) / 4;
    bytes[33] = 5;
    let last = bytes[bytes.len() - one..].to_vec();
    bytes.extend(last);
    let mut rig = with_a_peer();
    let outputs = told_bytes(&mut rig, bytes.into());
    assert!(calls(&outputs).is_empty());
    assert!(matches!(faults(&outputs, 1)[..], [Fault::Malformed(_)]));
}

#[test]
fn addresses_of_a_victim() {
    let relayed: Address = address(&endpoint(3, 1)).with_peer_id(peer(9));
    let cases = [
        (address("/ip4/192.168.1.1/udp/53"), ContactFault::Private),
        (address("/ip4/127.0.0.1/udp/53"), ContactFault::Private),
        (address("/ip6/fe80::1/udp/53"), ContactFault::Private),
        (
            address("/ip4/224.0.0.251/udp/5353"),
            ContactFault::NotDialable,
        ),
        (
            address("/ip4/255.255.255.255/udp/1"),
            ContactFault::NotDialable,
        ),
        (address("/ip4/8.8.8.8/udp/0"), ContactFault::NotDialable),
        (address("/dns4/victim.example/udp/1"), ContactFault::Name),
        (relayed, ContactFault::NotOfPeer),
    ];
    for (address, expected) in cases {
        let good = endpoint(2, 1);
        let addresses = vec![crate::discovery::testing::address(&good), address.clone()];
        let victim = Contact {
            peer: peer(2),
            addresses: addresses.try_into().unwrap(),
        };
        let mut rig = with_a_peer();
        let outputs = told_bytes(
            &mut rig,
            many(&[victim.clone(), contact(3), victim.clone()]),
        );
        assert_eq!(
            faults(&outputs, 1),
            [Fault::ForbiddenAddress(expected)],
            "once for an answer"
        );
        assert!(
            called(&outputs, peer(2)).is_none(),
            "{address:?} is dialled"
        );
        let third = called(&outputs, peer(3)).expect("the rest of the answer is used");
        rig.names(third, &[]);
        let told = rig.told(&key(3));
        assert!(
            told.iter().all(|one| one.peer != peer(2)),
            "it is forwarded"
        );
        assert!(
            rig.machine.table().all(|one| one.contact.peer != peer(2)),
            "it is kept"
        );
    }
}

#[test]
fn addresses_of_a_victim_among_providers() {
    let mut rig = with_a_peer();
    let command = Command::Providers {
        key: key(3),
        limit: 5,
        only_live: false,
    };
    let (_, outputs) = rig.start(command);
    let call = called(&outputs, peer(1)).unwrap();
    let victim = contact_at(peer(2), &["/ip4/10.0.0.1/udp/53"]);
    let answer = Providers {
        providers: vec![victim, contact(3)].try_into().unwrap(),
        contacts: List::new(),
    };
    let outputs = rig.answer(call, wire::PROVIDERS, encode(&answer));
    assert_eq!(
        faults(&outputs, 1),
        [Fault::ForbiddenAddress(ContactFault::Private)]
    );
    assert_eq!(
        outcome(&outputs),
        Some(Outcome::Providers(vec![contact(3)]))
    );
}

#[test]
fn a_provider_is_told_where_it_was_seen_and_not_where_it_says_it_is() {
    let mut rig = with_a_peer();
    rig.meet(&contact(2));
    let provided = record::provider(key(3), Duration::from_secs(60)).unwrap();
    rig.store(2, vec![provided]);
    let question = GetProviders {
        target: [1; 32],
        key: *key(3).as_bytes(),
    };
    let outputs = rig.ask(asker(9), wire::GET_PROVIDERS, encode(&question));
    let answer: Providers = decode(&reply(&outputs).unwrap().body).unwrap();
    assert_eq!(answer.providers.into_vec(), [contact(2)]);
}

#[test]
fn contacts_farther_away_than_the_teller_are_nobodys_fault() {
    let mut rig = with_a_peer();
    let target = beside(1);
    let (_, outputs) = rig.start(Command::Closest(target));
    let call = called(&outputs, peer(1)).unwrap();
    let farther: Vec<_> = (2..42).map(contact).collect();
    let outputs = rig.names(call, &farther);
    assert_eq!(faults(&outputs, 1), []);
    let outputs = rig.run_to(rig.now + Duration::from_secs(15));
    let Some(Outcome::Closest(found)) = outcome(&outputs) else {
        panic!()
    };
    assert_eq!(
        found.first().map(|one| one.peer),
        Some(peer(1)),
        "no progress"
    );
}

#[test]
fn dead_contacts_are_nobodys_fault_and_never_forwarded() {
    let mut rig = with_a_peer();
    let (_, outputs) = rig.start(Command::Closest(key(3)));
    let dead: Vec<_> = (2..42).map(contact).collect();
    rig.names(called(&outputs, peer(1)).unwrap(), &dead);
    let outputs = rig.run_to(rig.now + Duration::from_secs(15));
    assert!(outcome(&outputs).is_some());
    let is_fault = |(_, one): &(Micros, Output)| matches!(one, Output::Fault { .. });
    assert!(!rig.log.iter().any(is_fault));
    assert!(rig.told(&key(3)).iter().all(|one| one.peer == peer(1)));
    assert_eq!(rig.machine.table_len(), 1);
}

#[test]
fn an_answer_that_does_not_decode() {
    let mut rig = with_a_peer();
    let outputs = told_bytes(&mut rig, Bytes::from_static(&[7; 9]));
    assert!(matches!(faults(&outputs, 1)[..], [Fault::Malformed(_)]));
    assert_eq!(
        outcome(&outputs),
        Some(Outcome::Closest(vec![])),
        "its part is over"
    );
}

/// A neighbour that says there is always more.
#[test]
fn a_hand_off_that_goes_in_circles_ends() {
    let mut rig = with_a_peer();
    let (_, outputs) = rig.start(Command::Bootstrap { seeds: vec![] });
    let mut outputs = rig.names(calls(&outputs)[0].call, &[]);
    let mut pages = 0;
    while let Some(call) = calls(&outputs)
        .iter()
        .find(|one| one.kind == wire::HAND_OFF)
    {
        pages += 1;
        let next = Some([7; 32]);
        let records = List::new();
        outputs = rig.answer(
            call.call,
            wire::HANDED_OFF,
            encode(&HandedOff { records, next }),
        );
        assert_eq!(faults(&outputs, 1), []);
    }
    assert_eq!(pages, 2, "a page must begin behind the one before");
}
