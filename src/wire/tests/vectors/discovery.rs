//! Requests and answers of discovery.

use bytes::Bytes;
use serde_json::{Value as Json, json};

use super::contacts::{self, contact_value};
use super::messages::refuse;
use super::{Vectors, hex};
use crate::wire::Violation;
use crate::wire::codec::{List, WireType, decode, encode};
use crate::wire::message::discovery::{
    Contact, FindNode, FindValue, GetProviders, HandOff, HandedOff, Nodes, Providers, Record,
    Store, StoreOutcome, Stored, Value, kind,
};

pub(crate) const TARGET: [u8; 32] = [0xa5; 32];

pub(crate) const KEY: [u8; 32] = {
    let mut key = [0; 32];
    let mut i = 0_u8;
    while i < 32 {
        key[i as usize] = i;
        i += 1;
    }
    key
};

/// A body that no kind reads: the message that holds it is decoded all the same.
fn record(kind: u16, body: &[u8]) -> Record {
    let body = Bytes::copy_from_slice(body).try_into().unwrap();
    Record { kind, body }
}

fn value_of_record(record: &Record) -> Json {
    json!({ "kind": record.kind, "body": hex(record.body.as_bytes()) })
}

pub(super) fn list<T, const MAX: usize>(
    elements: &List<T, MAX>,
    value: impl Fn(&T) -> Json,
) -> Json {
    elements.iter().map(value).collect::<Vec<_>>().into()
}

/// Checks that the message survives and adds it.
pub(super) fn accept<T: WireType + PartialEq + std::fmt::Debug>(
    vectors: &mut Vectors,
    name: &str,
    message: &T,
    value: Json,
) {
    let body = encode(message);
    assert_eq!(decode::<T>(&body).as_ref(), Ok(message), "{name}");
    vectors.valid(name, &body, value);
}

pub(super) fn over(length: u64, limit: u32) -> Violation {
    Violation::OverLimit { length, limit }
}

/// Refuses a body cut short in its last byte, and one with a byte more.
pub(super) fn refuse_lengths<T: WireType>(vectors: &mut Vectors, body: &[u8]) {
    let cut = &body[..body.len() - 1];
    refuse::<T>(vectors, "last byte missing", cut, Violation::Truncated);
    let longer = [body, &[0]].concat();
    refuse::<T>(
        vectors,
        "byte after the end",
        &longer,
        Violation::TrailingBytes,
    );
}

#[test]
fn find_node() {
    let mut vectors =
        Vectors::new("hex: the body of FIND_NODE (protocol 4). value: its fields, want a number.");
    for (name, target, want) in [
        ("typical", TARGET, 40),
        ("sign of life", KEY, 0),
        ("251 contacts, in one byte", TARGET, 251),
        ("most contacts that can be asked for", [0xff; 32], 255),
    ] {
        let value = json!({ "target": hex(&target), "want": want });
        accept(&mut vectors, name, &FindNode { target, want }, value);
    }
    refuse::<FindNode>(&mut vectors, "empty", &[], Violation::Truncated);
    refuse::<FindNode>(
        &mut vectors,
        "target of 31 bytes",
        &TARGET[..31],
        Violation::Truncated,
    );
    let body = [&TARGET[..], &[40]].concat();
    refuse_lengths::<FindNode>(&mut vectors, &body);
    refuse::<FindNode>(
        &mut vectors,
        "want as a compact integer of three bytes",
        &[&TARGET[..], &[251, 251, 0]].concat(),
        Violation::TrailingBytes,
    );
    vectors.check("find_node.json");
}

#[test]
fn find_value() {
    let mut vectors =
        Vectors::new("hex: the body of FIND_VALUE (protocol 4). value: its fields, kind a number.");
    for (name, target, kind) in [
        ("immutable, the key is the target", KEY, kind::IMMUTABLE),
        ("mutable, on a walk around the key", TARGET, kind::MUTABLE),
        ("kind that nobody knows, in three bytes", TARGET, 251),
        ("largest kind", TARGET, u16::MAX),
    ] {
        let message = FindValue {
            target,
            kind,
            key: KEY,
        };
        let value = json!({ "target": hex(&target), "kind": kind, "key": hex(&KEY) });
        accept(&mut vectors, name, &message, value);
    }
    let with_kind = |kind: &[u8]| [&TARGET[..], kind, &KEY].concat();
    refuse_lengths::<FindValue>(&mut vectors, &with_kind(&[1]));
    for (name, kind, violation) in [
        (
            "kind not in its shortest form",
            &[251, 1, 0][..],
            Violation::NonCanonical,
        ),
        (
            "kind with the marker of 32 bits",
            &[252, 1, 0, 0, 0],
            Violation::InvalidValue,
        ),
        ("no kind", &[], Violation::Truncated),
    ] {
        refuse::<FindValue>(&mut vectors, name, &with_kind(kind), violation);
    }
    vectors.check("find_value.json");
}

#[test]
fn get_providers() {
    let mut vectors =
        Vectors::new("hex: the body of GET_PROVIDERS (protocol 4). value: its fields.");
    for (name, target) in [
        ("the key is the target", KEY),
        ("on a walk around the key", TARGET),
    ] {
        let value = json!({ "target": hex(&target), "key": hex(&KEY) });
        accept(
            &mut vectors,
            name,
            &GetProviders { target, key: KEY },
            value,
        );
    }
    refuse::<GetProviders>(&mut vectors, "target alone", &TARGET, Violation::Truncated);
    refuse_lengths::<GetProviders>(&mut vectors, &[TARGET, KEY].concat());
    vectors.check("get_providers.json");
}

#[test]
fn store() {
    let mut vectors =
        Vectors::new("hex: the body of STORE (protocol 4). value: its fields, bodies in hex.");
    let provider = [&KEY[..], &[252, 0x80, 0x51, 1, 0]].concat();
    for (name, records) in [
        ("typical", vec![record(kind::PROVIDER, &provider)]),
        ("no record", vec![]),
        (
            "three kinds, one of them unknown",
            vec![
                record(kind::IMMUTABLE, b"\x05hello"),
                record(300, &[]),
                record(kind::PROVIDER, &[&KEY[..], &[0]].concat()),
            ],
        ),
        ("64 records", vec![record(0, &[]); 64]),
        (
            "body of 251 bytes, its length in three",
            vec![record(4, &[0xee; 251])],
        ),
    ] {
        let message = Store {
            records: records.try_into().unwrap(),
        };
        let value = json!({ "records": list(&message.records, value_of_record) });
        accept(&mut vectors, name, &message, value);
    }
    for (name, bytes, violation) in refused_records() {
        refuse::<Store>(&mut vectors, name, &bytes, violation);
    }
    vectors.check("store.json");
}

/// Lists of records, as they stand in STORE and at the front of HANDED_OFF.
#[rustfmt::skip]
fn refused_records() -> Vec<(&'static str, Vec<u8>, Violation)> {
    vec![
        ("empty", vec![], Violation::Truncated),
        ("65 records", [vec![65], vec![0; 130]].concat(), over(65, 64)),
        ("one record in one byte", vec![1, 1], Violation::Truncated),
        ("two records in three bytes", vec![2, 1, 0, 1], Violation::Truncated),
        ("body longer than its bytes", vec![1, 1, 2, 0], Violation::Truncated),
        ("body of 65537 bytes", [vec![1, 1, 252, 1, 0, 1, 0], vec![0; 4]].concat(), over(65_537, 65_536)),
        ("body of 2^63 bytes", [vec![1, 1, 253, 0, 0, 0, 0, 0, 0, 0], vec![0x80]].concat(), over(1 << 63, 65_536)),
        ("kind with the marker of 32 bits", vec![1, 252, 1, 0, 0, 0, 0], Violation::InvalidValue),
        ("kind not in its shortest form", vec![1, 251, 1, 0, 0], Violation::NonCanonical),
        ("length of the body not in its shortest form", vec![1, 1, 251, 1, 0, 0], Violation::NonCanonical),
        ("byte after the end", vec![1, 1, 0, 0, 0], Violation::TrailingBytes),
    ]
}

#[test]
fn hand_off() {
    let mut vectors =
        Vectors::new("hex: the body of HAND_OFF (protocol 4). value: its field, null if absent.");
    for (name, after) in [("first time", None), ("behind a key", Some(KEY))] {
        let value = json!({ "after": after.map(|key| hex(&key)) });
        accept(&mut vectors, name, &HandOff { after }, value);
    }
    let invalid = Violation::InvalidValue;
    refuse::<HandOff>(&mut vectors, "empty", &[], Violation::Truncated);
    refuse::<HandOff>(&mut vectors, "option neither none nor some", &[2], invalid);
    refuse::<HandOff>(&mut vectors, "key missing", &[1], Violation::Truncated);
    let body = [&[1], &KEY[..]].concat();
    refuse_lengths::<HandOff>(&mut vectors, &body);
    vectors.check("hand_off.json");
}

pub(super) fn contacts_of(samples: &[(&str, Contact)], count: usize) -> Vec<Contact> {
    let contacts = samples.iter().map(|(_, contact)| contact.clone());
    contacts.take(count).collect()
}

#[test]
fn nodes() {
    let mut vectors =
        Vectors::new("hex: the body of NODES (protocol 4). value: its fields, addresses as text.");
    let samples = contacts::samples();
    for (name, contacts) in [
        ("typical", contacts_of(&samples, 2)),
        ("nobody", vec![]),
        ("40 contacts without addresses", vec![contacts::bare(); 40]),
    ] {
        let message = Nodes {
            contacts: contacts.try_into().unwrap(),
        };
        let value = json!({ "contacts": list(&message.contacts, contact_value) });
        accept(&mut vectors, name, &message, value);
    }
    for (name, bytes, violation) in refused_contacts() {
        refuse::<Nodes>(&mut vectors, name, &bytes, violation);
    }
    vectors.check("nodes.json");
}

#[rustfmt::skip]
fn refused_contacts() -> Vec<(&'static str, Vec<u8>, Violation)> {
    let one = |addresses: &[u8]| [&[1], &KEY[..], addresses].concat();
    vec![
        ("empty", vec![], Violation::Truncated),
        ("41 contacts", [vec![41], vec![0; 41 * 33]].concat(), over(41, 40)),
        ("list of 2^29 contacts in nine bytes", [vec![253, 0, 0, 0, 0x20], vec![0; 4]].concat(), over(1 << 29, 40)),
        ("one contact in 32 bytes", [&[1], &KEY[..]].concat(), Violation::Truncated),
        ("two contacts in 65 bytes", [vec![2], vec![0; 65]].concat(), Violation::Truncated),
        ("five addresses", one(&[vec![5], vec![0; 35]].concat()), over(5, 4)),
        ("address cut short", one(&[1, 0, 203, 0, 113, 7]), Violation::Truncated),
        ("address with an unknown host", one(&[1, 9, 0, 0, 0]), Violation::InvalidValue),
        ("number of contacts not in its shortest form", vec![251, 0, 0], Violation::NonCanonical),
        ("byte after the end", vec![0, 0], Violation::TrailingBytes),
    ]
}

#[test]
fn value() {
    let mut vectors = Vectors::new(
        "hex: the body of VALUE (protocol 4). value: its fields, addresses as text, the record's body \
         in hex.",
    );
    let samples = contacts::samples();
    for (name, record, contacts) in [
        (
            "typical",
            record(kind::IMMUTABLE, b"\x05hello"),
            contacts_of(&samples, 1),
        ),
        ("nobody near", record(kind::MUTABLE, &[]), vec![]),
        (
            "40 contacts without addresses",
            record(u16::MAX, &[0xee; 3]),
            vec![contacts::bare(); 40],
        ),
    ] {
        let message = Value {
            record,
            contacts: contacts.try_into().unwrap(),
        };
        let value = json!({
            "record": value_of_record(&message.record),
            "contacts": list(&message.contacts, contact_value),
        });
        accept(&mut vectors, name, &message, value);
    }
    for (name, bytes, violation) in [
        ("empty", vec![], Violation::Truncated),
        ("no contacts", vec![1, 0], Violation::Truncated),
        (
            "41 contacts",
            [vec![1, 0, 41], vec![0; 41 * 33]].concat(),
            over(41, 40),
        ),
        (
            "body of 65537 bytes",
            vec![1, 252, 1, 0, 1, 0, 0],
            over(65_537, 65_536),
        ),
        (
            "kind with the marker of 64 bits",
            vec![253, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            Violation::InvalidValue,
        ),
        (
            "byte after the end",
            vec![1, 0, 0, 0],
            Violation::TrailingBytes,
        ),
    ] {
        refuse::<Value>(&mut vectors, name, &bytes, violation);
    }
    vectors.check("value.json");
}

#[test]
fn providers() {
    let mut vectors = Vectors::new(
        "hex: the body of PROVIDERS (protocol 4). value: its fields, addresses as text.",
    );
    let samples = contacts::samples();
    for (name, providers, contacts) in [
        (
            "typical",
            contacts_of(&samples[1..], 1),
            contacts_of(&samples, 1),
        ),
        ("nobody", vec![], vec![]),
        (
            "32 providers",
            vec![contacts::bare(); 32],
            contacts_of(&samples, 1),
        ),
    ] {
        let message = Providers {
            providers: providers.try_into().unwrap(),
            contacts: contacts.try_into().unwrap(),
        };
        let value = json!({
            "providers": list(&message.providers, contact_value),
            "contacts": list(&message.contacts, contact_value),
        });
        accept(&mut vectors, name, &message, value);
    }
    for (name, bytes, violation) in [
        ("empty", vec![], Violation::Truncated),
        ("no contacts", vec![0], Violation::Truncated),
        (
            "33 providers",
            [vec![33], vec![0; 33 * 33 + 1]].concat(),
            over(33, 32),
        ),
        (
            "41 contacts",
            [vec![0, 41], vec![0; 41 * 33]].concat(),
            over(41, 40),
        ),
        (
            "byte after the end",
            vec![0, 0, 0],
            Violation::TrailingBytes,
        ),
    ] {
        refuse::<Providers>(&mut vectors, name, &bytes, violation);
    }
    vectors.check("providers.json");
}

#[test]
fn stored() {
    use StoreOutcome::{Full, Invalid, Stored as Held, Superseded, Unsupported};

    let mut vectors = Vectors::new(
        "hex: the body of STORED (protocol 4). value: its outcomes, by the names of their variants.",
    );
    let each = vec![Held, Superseded, Unsupported, Full, Invalid];
    for (name, outcomes) in [
        ("one record held", vec![Held]),
        ("each outcome", each),
        ("no record", vec![]),
        ("64 records", vec![Full; 64]),
    ] {
        let message = Stored {
            outcomes: outcomes.try_into().unwrap(),
        };
        let name_of = |outcome: &StoreOutcome| json!(super::variant(outcome));
        let value = json!({ "outcomes": list(&message.outcomes, name_of) });
        accept(&mut vectors, name, &message, value);
    }
    for (name, bytes, violation) in [
        ("empty", vec![], Violation::Truncated),
        (
            "outcome without a meaning",
            vec![1, 5],
            Violation::InvalidValue,
        ),
        (
            "outcome not in its shortest form",
            vec![1, 251, 1, 0],
            Violation::NonCanonical,
        ),
        (
            "65 outcomes",
            [vec![65], vec![0; 65]].concat(),
            over(65, 64),
        ),
        ("two outcomes in one byte", vec![2, 0], Violation::Truncated),
        (
            "byte after the end",
            vec![1, 0, 0],
            Violation::TrailingBytes,
        ),
    ] {
        refuse::<Stored>(&mut vectors, name, &bytes, violation);
    }
    vectors.check("stored.json");
}

#[test]
fn handed_off() {
    let mut vectors = Vectors::new(
        "hex: the body of HANDED_OFF (protocol 4). value: its fields, bodies in hex, next null if \
         absent.",
    );
    for (name, records, next) in [
        ("nothing", vec![], None),
        (
            "typical",
            vec![record(kind::IMMUTABLE, b"\x05hello")],
            Some(KEY),
        ),
        ("64 records", vec![record(0, &[]); 64], None),
        ("no record, and more behind a key", vec![], Some(TARGET)),
    ] {
        let message = HandedOff {
            records: records.try_into().unwrap(),
            next,
        };
        let value = json!({
            "records": list(&message.records, value_of_record),
            "next": next.map(|key| hex(&key)),
        });
        accept(&mut vectors, name, &message, value);
    }
    for (name, bytes, violation) in [
        ("empty", vec![], Violation::Truncated),
        ("no next", vec![0], Violation::Truncated),
        (
            "option neither none nor some",
            vec![0, 2],
            Violation::InvalidValue,
        ),
        (
            "next of 31 bytes",
            [&[0, 1], &KEY[..31]].concat(),
            Violation::Truncated,
        ),
        (
            "65 records",
            [vec![65], vec![0; 131]].concat(),
            over(65, 64),
        ),
        (
            "byte after the end",
            vec![0, 0, 0],
            Violation::TrailingBytes,
        ),
    ] {
        refuse::<HandedOff>(&mut vectors, name, &bytes, violation);
    }
    vectors.check("handed_off.json");
}

#[test]
fn record_of_any_kind() {
    let mut vectors = Vectors::new(
        "hex: a Record, as it stands in STORE, VALUE and HANDED_OFF. value: its fields, the body in \
         hex.",
    );
    for (name, record) in [
        ("immutable", record(kind::IMMUTABLE, b"\x05hello")),
        (
            "withdrawn provider",
            record(kind::PROVIDER, &[&KEY[..], &[0]].concat()),
        ),
        ("kind 0, no body", record(0, &[])),
        ("largest kind", record(u16::MAX, &[1, 2, 3])),
    ] {
        let value = value_of_record(&record);
        accept(&mut vectors, name, &record, value);
    }
    for (name, bytes, violation) in [
        ("empty", vec![], Violation::Truncated),
        ("no body", vec![1], Violation::Truncated),
        (
            "body longer than its bytes",
            vec![1, 2, 0],
            Violation::Truncated,
        ),
        (
            "body of 65537 bytes",
            vec![1, 252, 1, 0, 1, 0, 0],
            over(65_537, 65_536),
        ),
        (
            "kind not in its shortest form",
            vec![251, 1, 0, 0],
            Violation::NonCanonical,
        ),
        (
            "byte after the end",
            vec![1, 0, 0],
            Violation::TrailingBytes,
        ),
    ] {
        refuse::<Record>(&mut vectors, name, &bytes, violation);
    }
    vectors.check("record.json");
}
