//! The largest honest message of discovery fills its frame to the last byte, and one element more is
//! refused.

use bytes::{Bytes, BytesMut};

use crate::crypto::{SIGNATURE_BYTES, VERIFYING_KEY_BYTES};
use crate::identity::PeerId;
use crate::wire::address::{Host, Route};
use crate::wire::codec::{WireType, decode, encode};
use crate::wire::frame::encode_frame;
use crate::wire::message::discovery::{
    ACCEPTOR_READS, Contact, DIALLER_READS, EARLY_FRAMES, FIND_NODE, FIND_VALUE, FindNode,
    FindValue, GET_PROVIDERS, GetProviders, HAND_OFF, HANDED_OFF, HandOff, HandedOff,
    ImmutableRecord, MAX_BULK_BODY, MAX_CONTACTS, MAX_PROVIDERS, MAX_RECORD_BODY, MAX_RECORDS,
    MAX_SALT, MAX_VALUE, MutableRecord, NODES, Nodes, PROVIDERS, ProviderRecord, Providers, Record,
    STORE, STORED, Store, StoreOutcome, Stored, VALUE, Value, kind, reads_after,
};
use crate::wire::{Address, FrameDecoder, FrameRules, Violation};

const KEY: [u8; 32] = [0xff; 32];

/// What a receiver makes of one frame.
fn received(rules: FrameRules, kind: u8, body: &[u8]) -> Result<Bytes, Violation> {
    let mut stream = BytesMut::new();
    encode_frame(kind, body, &mut stream);
    let frame = FrameDecoder::new().decode(&mut stream.freeze(), rules)?;
    Ok(frame.unwrap().body)
}

/// The message passes, and is as long as anything that passes.
pub(super) fn fills<T: WireType + PartialEq + std::fmt::Debug>(
    rules: FrameRules,
    kind: u8,
    message: &T,
) {
    let body = encode(message);
    let taken = received(rules, kind, &body).unwrap();
    assert_eq!(decode::<T>(&taken).as_ref(), Ok(message));
    let longer = [&body[..], &[0]].concat();
    let verdict = received(rules, kind, &longer);
    assert!(
        matches!(verdict, Err(Violation::OversizeFrame { .. })),
        "{kind:#04x} of {} bytes is not the largest",
        body.len()
    );
}

pub(super) fn longest_contact() -> Contact {
    let peer = PeerId::from_bytes([7; 32]);
    let route = Route::Relayed {
        relay: PeerId::from_bytes([9; 32]),
        target: peer,
    };
    let host = Host::Ip6("2001:db8::1".parse().unwrap());
    let address = Address::new(host, u16::MAX, route);
    let contact = Contact {
        peer,
        addresses: vec![address; 4].try_into().unwrap(),
    };
    assert_eq!(encode(&contact).len(), 373);
    contact
}

fn longest_nodes() -> Nodes {
    Nodes {
        contacts: vec![longest_contact(); MAX_CONTACTS].try_into().unwrap(),
    }
}

fn record(kind: u16, body: Bytes) -> Record {
    let body = body.try_into().unwrap();
    Record { kind, body }
}

fn longest_mutable() -> MutableRecord {
    MutableRecord {
        suite: 1,
        public_key: [0; VERIFYING_KEY_BYTES],
        salt: Bytes::from_static(&[0; MAX_SALT]).try_into().unwrap(),
        sequence: u64::MAX,
        created: u64::MAX,
        expires: u64::MAX,
        value: Bytes::from_static(&[0; MAX_VALUE]).try_into().unwrap(),
        signature: [0; SIGNATURE_BYTES],
    }
}

#[test]
fn the_largest_requests_fill_their_frames() {
    let find_node = FindNode {
        target: KEY,
        want: u8::MAX,
    };
    fills(ACCEPTOR_READS, FIND_NODE, &find_node);
    let find_value = FindValue {
        target: KEY,
        kind: u16::MAX,
        key: KEY,
    };
    fills(ACCEPTOR_READS, FIND_VALUE, &find_value);
    let get_providers = GetProviders {
        target: KEY,
        key: KEY,
    };
    fills(ACCEPTOR_READS, GET_PROVIDERS, &get_providers);
    fills(ACCEPTOR_READS, HAND_OFF, &HandOff { after: Some(KEY) });
}

#[test]
fn the_largest_answers_fill_their_frames() {
    let nodes = longest_nodes();
    fills(reads_after(FIND_NODE), NODES, &nodes);
    fills(reads_after(FIND_VALUE), NODES, &nodes);
    let value = Value {
        record: record(u16::MAX, Bytes::from_static(&[0; MAX_RECORD_BODY])),
        contacts: nodes.contacts.clone(),
    };
    fills(reads_after(FIND_VALUE), VALUE, &value);
    let providers = Providers {
        providers: vec![longest_contact(); MAX_PROVIDERS].try_into().unwrap(),
        contacts: nodes.contacts,
    };
    fills(reads_after(GET_PROVIDERS), PROVIDERS, &providers);
    let stored = Stored {
        outcomes: vec![StoreOutcome::Invalid; MAX_RECORDS].try_into().unwrap(),
    };
    fills(reads_after(STORE), STORED, &stored);
}

/// As many records of this body as `room` bytes hold, and one that fills the rest.
fn filling(room: usize) -> Vec<Record> {
    let whole = record(kind::IMMUTABLE, Bytes::from_static(&[0; MAX_RECORD_BODY]));
    let size = encode(&whole).len();
    let rest = room % size;
    let last = record(kind::IMMUTABLE, vec![0; rest - 4].into());
    assert_eq!(encode(&last).len(), rest);
    let mut records = vec![whole; room / size];
    records.push(last);
    records
}

#[test]
fn bulks_of_records_fill_their_frames() {
    let limit = MAX_BULK_BODY as usize;
    let store = Store {
        records: filling(limit - 1).try_into().unwrap(),
    };
    fills(ACCEPTOR_READS, STORE, &store);
    let handed_off = HandedOff {
        records: filling(limit - 1 - 33).try_into().unwrap(),
        next: Some(KEY),
    };
    fills(reads_after(HAND_OFF), HANDED_OFF, &handed_off);
}

#[test]
fn a_bulk_holds_what_its_limit_promises() {
    let body = encode(&longest_mutable());
    assert_eq!(body.len(), 23_699);
    let bulk = |records: Vec<Record>| {
        let message = HandedOff {
            records: records.try_into().unwrap(),
            next: Some(KEY),
        };
        received(reads_after(HAND_OFF), HANDED_OFF, &encode(&message)).is_ok()
    };
    let mutable = record(kind::MUTABLE, body);
    assert!(bulk(vec![mutable.clone(); 22]) && !bulk(vec![mutable; 23]));
    let of_8_kib = |less: usize| {
        let whole = record(kind::IMMUTABLE, vec![0; 8192 - 4 - less].into());
        assert_eq!(encode(&whole).len(), 8192 - less);
        vec![whole; MAX_RECORDS]
    };
    assert!(bulk(of_8_kib(1)) && !bulk(of_8_kib(0)));
}

#[test]
fn the_largest_record_of_each_kind_fits_a_record() {
    let immutable = ImmutableRecord {
        value: Bytes::from_static(&[0; MAX_VALUE]).try_into().unwrap(),
    };
    let provider = ProviderRecord {
        key: KEY,
        lifetime: u32::MAX,
    };
    let lengths = [
        encode(&immutable).len(),
        encode(&longest_mutable()).len(),
        encode(&provider).len(),
    ];
    assert_eq!(lengths, [16_387, 23_699, 37]);
    assert!(lengths.iter().all(|length| *length <= MAX_RECORD_BODY));
}

/// A list of `count` zeros where elements would be, and enough zeros for all of them.
fn zeros<T: WireType>(count: u8, element: usize, tail: usize) -> Result<T, Violation> {
    let mut body = vec![0; 1 + usize::from(count) * element + tail];
    body[0] = count;
    decode(&body.into())
}

pub(super) fn over(length: u64, limit: u32) -> Option<Violation> {
    Some(Violation::OverLimit { length, limit })
}

#[test]
fn one_element_more_is_refused() {
    assert_eq!(zeros::<Nodes>(40, 33, 0).err(), None);
    assert_eq!(zeros::<Nodes>(41, 33, 0).err(), over(41, 40));
    assert_eq!(zeros::<Providers>(32, 33, 1).err(), None);
    assert_eq!(zeros::<Providers>(33, 33, 1).err(), over(33, 32));
    assert_eq!(zeros::<Store>(64, 2, 0).err(), None);
    assert_eq!(zeros::<Store>(65, 2, 0).err(), over(65, 64));
    assert_eq!(zeros::<Stored>(64, 1, 0).err(), None);
    assert_eq!(zeros::<Stored>(65, 1, 0).err(), over(65, 64));
    assert_eq!(zeros::<HandedOff>(64, 2, 1).err(), None);
    assert_eq!(zeros::<HandedOff>(65, 2, 1).err(), over(65, 64));
}

#[test]
fn one_address_or_byte_more_is_refused() {
    let contact = |addresses: u8| {
        let mut body = vec![0; 33 + usize::from(addresses) * 7];
        body[32] = addresses;
        decode::<Contact>(&body.into()).err()
    };
    assert_eq!((contact(4), contact(5)), (None, over(5, 4)));
    let contacts_after = |head: &[u8], count: u8| {
        let tail = vec![0; usize::from(count) * 33];
        Bytes::from([head, &[count], &tail].concat())
    };
    for (count, refused) in [(40, None), (41, over(41, 40))] {
        let value = decode::<Value>(&contacts_after(&[1, 0], count)).err();
        let providers = decode::<Providers>(&contacts_after(&[0], count)).err();
        assert_eq!((value, providers), (refused, refused));
    }
    let payload = |head: &[u8], length: u32| {
        let length_bytes = [&[252][..], &length.to_le_bytes()].concat();
        let short = u16::try_from(length).map(u16::to_le_bytes);
        let length_bytes = short.map_or(length_bytes, |short| [&[251][..], &short].concat());
        Bytes::from([head, &length_bytes, &vec![0; length as usize]].concat())
    };
    assert_eq!(decode::<Record>(&payload(&[1], 65_536)).err(), None);
    let record = decode::<Record>(&payload(&[1], 65_537)).err();
    assert_eq!(record, over(65_537, 65_536));
    assert_eq!(decode::<ImmutableRecord>(&payload(&[], 16_384)).err(), None);
    let immutable = decode::<ImmutableRecord>(&payload(&[], 16_385)).err();
    assert_eq!(immutable, over(16_385, 16_384));
}

#[test]
fn only_answers_to_the_request_are_read() {
    let answers = |request| {
        let legal = reads_after(request).legal.iter();
        legal.map(|rule| rule.kind).collect::<Vec<_>>()
    };
    assert_eq!(answers(FIND_NODE), [NODES]);
    assert_eq!(answers(FIND_VALUE), [VALUE, NODES]);
    assert_eq!(answers(GET_PROVIDERS), [PROVIDERS]);
    assert_eq!(answers(STORE), [STORED]);
    assert_eq!(answers(HAND_OFF), [HANDED_OFF]);
    assert!(answers(NODES).is_empty() && answers(0).is_empty());
    for request in [FIND_NODE, FIND_VALUE, GET_PROVIDERS, STORE, HAND_OFF] {
        for rule in reads_after(request).legal {
            assert!(DIALLER_READS.legal.contains(rule));
        }
    }
    assert_eq!(EARLY_FRAMES, [FIND_NODE, FIND_VALUE, GET_PROVIDERS]);
}
