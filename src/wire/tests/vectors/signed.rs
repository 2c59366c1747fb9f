use serde_json::json;

use super::{Vectors, hex};
use crate::crypto::{ContentDigest, KeyHash, Label, LeafInput, SealBody, SealBounds, Suite};
use crate::wire::NetworkId;

const EPOCH: u64 = 0x0102_0304_0506_0708;
const TIMESTAMP_MS: u64 = 1_700_000_000_000;

fn leaf(data: &[u8], counter: u64) -> [u8; 32] {
    let network = NetworkId::of("test");
    let topic = *blake3::hash(b"topic").as_bytes();
    let publisher = KeyHash::from_bytes([7; 32]);
    let input = LeafInput {
        network: network.as_bytes(),
        topic: &topic,
        publisher,
        epoch: EPOCH,
        counter,
        timestamp_ms: TIMESTAMP_MS,
        content: ContentDigest::of(data),
    };
    input.leaf().0
}

#[test]
fn leaves() {
    let mut vectors = Vectors::new(
        "hex: the data of a message. value: the fields of its leaf (topic and network by name, \
         integers in decimal) and the leaf.",
    );
    for (name, data, counter) in [
        ("no data", &b""[..], 0),
        ("a few bytes", b"hello", 1),
        ("last counter of a seal", b"x", u64::MAX - 1),
        (
            "largest counter, a leaf that no seal can list",
            b"x",
            u64::MAX,
        ),
    ] {
        let value = json!({
            "network": "test",
            "topic": "topic",
            "publisher": hex(&[7; 32]),
            "epoch": EPOCH.to_string(),
            "counter": counter.to_string(),
            "timestamp_ms": TIMESTAMP_MS.to_string(),
            "leaf": hex(&leaf(data, counter)),
        });
        vectors.valid(name, data, value);
    }
    vectors.check("leaf.json");
}

/// What a verifier of signed bytes finds wrong with them. It computes them itself and never reads
/// them; only the vectors do.
#[derive(Debug, PartialEq)]
enum Unreadable {
    Length(usize),
    Label,
    Bounds(SealBounds),
}

impl Unreadable {
    fn name(&self) -> String {
        match self {
            Self::Bounds(bounds) => super::variant(bounds),
            other => super::variant(other),
        }
    }
}

/// A seal of `count` leaves that are all alike.
fn seal(first: u64, count: usize) -> Result<SealBody, SealBounds> {
    let topic = *blake3::hash(b"topic").as_bytes();
    let publisher = KeyHash::from_bytes([7; 32]);
    let leaves = vec![leaf(b"hello", 1); count];
    SealBody::new(Suite::MlDsa87, publisher, topic, EPOCH, first, leaves)
}

fn input(seal: &SealBody) -> Vec<u8> {
    seal.input(NetworkId::of("test").as_bytes())
        .as_bytes()
        .to_vec()
}

/// The seal of [`seal`] whose signed input has these bytes.
fn read_input(bytes: &[u8]) -> Result<SealBody, Unreadable> {
    if bytes.len() != 178 {
        return Err(Unreadable::Length(bytes.len()));
    }
    if bytes[..32] != Label::Seal.hash() {
        return Err(Unreadable::Label);
    }
    let first = u64::from_le_bytes(bytes[136..144].try_into().unwrap());
    let count = u16::from_le_bytes(bytes[144..146].try_into().unwrap());
    seal(first, count.into()).map_err(Unreadable::Bounds)
}

fn with_numbers(first: u64, count: u16) -> Vec<u8> {
    let mut bytes = input(&seal(1, 1).unwrap());
    bytes[136..144].copy_from_slice(&first.to_le_bytes());
    bytes[144..146].copy_from_slice(&count.to_le_bytes());
    bytes
}

#[rustfmt::skip]
fn refused_inputs() -> Vec<(&'static str, Vec<u8>, Unreadable)> {
    use SealBounds::{CounterOverflow, LeafCount};
    let valid = input(&seal(1, 1).unwrap());
    let leaf_label = [&Label::Leaf.hash()[..], &valid[32..]].concat();
    let overflow = |first, leaves| Unreadable::Bounds(CounterOverflow { first, leaves });
    vec![
        ("one byte short", valid[..177].to_vec(), Unreadable::Length(177)),
        ("one byte long", [&valid[..], &[0]].concat(), Unreadable::Length(179)),
        ("label of leaves", leaf_label, Unreadable::Label),
        ("no leaf", with_numbers(1, 0), Unreadable::Bounds(LeafCount(0))),
        ("1025 leaves", with_numbers(1, 1025), Unreadable::Bounds(LeafCount(1025))),
        ("no counter after the last", with_numbers(u64::MAX, 1), overflow(u64::MAX, 1)),
        ("no counter after the last of 1024", with_numbers(u64::MAX - 1023, 1024), overflow(u64::MAX - 1023, 1024)),
    ]
}

#[test]
fn seal_inputs() {
    let mut vectors = Vectors::new(
        "hex: the bytes that the signature of a seal covers. value: the fields of the seal (topic and \
         network by name, integers in decimal).",
    );
    for (name, first, count) in [
        ("one leaf", 1, 1),
        ("two leaves", 1, 2),
        ("1024 leaves, one repeated", 1, 1024),
        ("last counters", u64::MAX - 2, 2),
    ] {
        let seal = seal(first, count).unwrap();
        let bytes = input(&seal);
        let value = json!({
            "network": "test",
            "topic": "topic",
            "publisher": hex(&[7; 32]),
            "epoch": EPOCH.to_string(),
            "first_counter": first.to_string(),
            "leaf": hex(&seal.leaves()[0]),
            "leaf_repeated": count,
        });
        assert_eq!(read_input(&bytes), Ok(seal));
        vectors.valid(name, &bytes, value);
    }
    for (name, bytes, error) in refused_inputs() {
        assert_eq!(read_input(&bytes).unwrap_err(), error, "{name}");
        vectors.invalid_unsent(name, &bytes, error.name());
    }
    vectors.check("seal_input.json");
}
