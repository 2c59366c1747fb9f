use serde_json::json;

use super::{Vectors, hex};
use crate::crypto::{KeyHash, LeafInput, SealBody, Suite};
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
        data,
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
        ("last counter", b"x", u64::MAX),
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

#[test]
fn seal_inputs() {
    let mut vectors = Vectors::new(
        "hex: the bytes that the signature of a seal covers. value: the fields of the seal (topic and \
         network by name, integers in decimal).",
    );
    for (name, count) in [
        ("one leaf", 1),
        ("two leaves", 2),
        ("1024 leaves, one repeated", 1024),
    ] {
        let leaf = leaf(b"hello", 1);
        let topic = *blake3::hash(b"topic").as_bytes();
        let publisher = KeyHash::from_bytes([7; 32]);
        let leaves = vec![leaf; count];
        let body = SealBody::new(Suite::MlDsa87, publisher, topic, EPOCH, 1, leaves).unwrap();
        let value = json!({
            "network": "test",
            "topic": "topic",
            "publisher": hex(&[7; 32]),
            "epoch": EPOCH.to_string(),
            "first_counter": "1",
            "leaf": hex(&leaf),
            "leaf_repeated": count,
        });
        vectors.valid(
            name,
            body.input(NetworkId::of("test").as_bytes()).as_bytes(),
            value,
        );
    }
    vectors.check("seal_input.json");
}
