//! Frames of gossip that carry messages and what proves them, and the ids of unsigned messages.

use bytes::Bytes;
use serde_json::json;

use super::discovery::{KEY, accept, list, over, refuse_lengths};
use super::gossip_control::topic;
use super::messages::refuse;
use super::records::owner;
use super::{Vectors, hex};
use crate::crypto::{Label, SIGNATURE_BYTES, derive_key};
use crate::wire::message::gossip::{Key, Message, Seal, Unsigned};
use crate::wire::{NetworkId, Violation};

const TIMESTAMP_MS: u64 = 1_700_000_000_000;

#[test]
fn publisher_key() {
    let mut vectors = Vectors::new(
        "hex: the body of KEY (protocol 5). value: its fields, suite a number. The suite is not judged \
         here.",
    );
    for (name, suite) in [("typical", 1), ("suite 251, in one byte", 251)] {
        let key = *owner().public_key().as_bytes();
        let value = json!({ "suite": suite, "key": hex(&key) });
        accept(&mut vectors, name, &Key { suite, key }, value);
    }
    let body = [1; 2593];
    refuse_lengths::<Key>(&mut vectors, &body);
    refuse::<Key>(&mut vectors, "empty", &[], Violation::Truncated);
    refuse::<Key>(&mut vectors, "suite alone", &[1], Violation::Truncated);
    vectors.check("publisher_key.json");
}

/// The head of a seal, up to its leaves: key 0, topic, epoch 1, first counter 2.
fn seal_head() -> Vec<u8> {
    [&[0], &topic()[..], &[1, 2]].concat()
}

#[rustfmt::skip]
fn refused_seals() -> Vec<(&'static str, Vec<u8>, Violation)> {
    let (head, signature) = (seal_head(), [0xee; SIGNATURE_BYTES]);
    let with = |tail: &[&[u8]]| [&head[..], &tail.concat()].concat();
    let small_key = [&[251, 5, 0], &head[1..], &[0], &signature].concat();
    let wide_epoch = [&head[..33], &[254; 17], &[0], &signature].concat();
    vec![
        ("empty", vec![], Violation::Truncated),
        ("no leaves, no signature", head.clone(), Violation::Truncated),
        ("no signature", with(&[&[1], &KEY]), Violation::Truncated),
        ("1025 leaves", with(&[&[251, 1, 4]]), over(1_025, 1_024)),
        ("list of 2^29 leaves in nine bytes", with(&[&[253], &(1_u64 << 29).to_le_bytes()]), over(1 << 29, 1_024)),
        ("more leaves than bytes", with(&[&[200], &signature]), Violation::Truncated),
        ("number of leaves not in its shortest form", with(&[&[251, 0, 0], &signature]), Violation::NonCanonical),
        ("key not in its shortest form", small_key, Violation::NonCanonical),
        ("epoch with the marker of 128 bits", wide_epoch, Violation::InvalidValue),
    ]
}

#[test]
fn seal() {
    let mut vectors = Vectors::new(
        "hex: the body of SEAL (protocol 5). value: its fields, integers in decimal. Neither its leaves \
         nor its signature are judged here.",
    );
    for (name, key, epoch, first, leaves) in [
        ("typical", 0, TIMESTAMP_MS, 0, vec![KEY, [0xa5; 32]]),
        ("no leaf, which decodes", 1, 0, 0, vec![]),
        ("largest numbers", u64::MAX, u64::MAX, u64::MAX, vec![KEY]),
    ] {
        let seal = Seal {
            key,
            topic: topic(),
            epoch,
            first,
            leaves: leaves.try_into().unwrap(),
            signature: [0xee; SIGNATURE_BYTES],
        };
        let value = json!({
            "key": key.to_string(),
            "topic": hex(&seal.topic),
            "epoch": epoch.to_string(),
            "first": first.to_string(),
            "leaves": list(&seal.leaves, |leaf| json!(hex(leaf))),
            "signature": hex(&seal.signature),
        });
        accept(&mut vectors, name, &seal, value);
    }
    let body = [&seal_head()[..], &[1], &KEY, &[0xee; SIGNATURE_BYTES]].concat();
    refuse_lengths::<Seal>(&mut vectors, &body);
    for (name, bytes, violation) in refused_seals() {
        refuse::<Seal>(&mut vectors, name, &bytes, violation);
    }
    vectors.check("seal.json");
}

#[rustfmt::skip]
fn refused_messages() -> Vec<(&'static str, Vec<u8>, Violation)> {
    vec![
        ("empty", vec![], Violation::Truncated),
        ("no data field", vec![0, 0, 0], Violation::Truncated),
        ("16385 bytes", vec![0, 0, 0, 251, 1, 0x40], over(16_385, 16_384)),
        ("more data than bytes", vec![0, 0, 0, 5, 1, 2, 3, 4], Violation::Truncated),
        ("index with the marker of 32 bits", vec![0, 252, 1, 0, 0, 0, 0, 0], Violation::InvalidValue),
        ("index not in its shortest form", vec![0, 251, 1, 0, 0, 0], Violation::NonCanonical),
        ("length not in its shortest form", vec![0, 0, 0, 251, 1, 0, 7], Violation::NonCanonical),
    ]
}

#[test]
fn sealed_message() {
    let mut vectors = Vectors::new(
        "hex: the body of MESSAGE (protocol 5). value: its fields, index a number, the other integers \
         in decimal, data in hex.",
    );
    for (name, seal, index, timestamp_ms, data) in [
        ("typical", 0, 0, TIMESTAMP_MS, &b"hello"[..]),
        ("no data", 7, 1, 0, &[]),
        (
            "251 bytes, their number in three",
            300,
            1_023,
            TIMESTAMP_MS,
            &[0xab; 251],
        ),
        ("largest numbers", u64::MAX, u16::MAX, u64::MAX, &[0]),
    ] {
        let message = Message {
            seal,
            index,
            timestamp_ms,
            data: Bytes::from_static(data).try_into().unwrap(),
        };
        let value = json!({
            "seal": seal.to_string(),
            "index": index,
            "timestamp_ms": timestamp_ms.to_string(),
            "data": hex(data),
        });
        accept(&mut vectors, name, &message, value);
    }
    refuse_lengths::<Message>(&mut vectors, &[0, 0, 0, 1, 7]);
    for (name, bytes, violation) in refused_messages() {
        refuse::<Message>(&mut vectors, name, &bytes, violation);
    }
    vectors.check("sealed_message.json");
}

#[test]
fn unsigned_message() {
    let mut vectors = Vectors::new(
        "hex: the body of UNSIGNED (protocol 5). value: its fields, the topic in decimal, data in hex.",
    );
    for (name, topic, data) in [
        ("typical", 0, &b"hello"[..]),
        ("no data", 251, &[]),
        ("251 bytes, their number in three", u64::MAX, &[0xab; 251]),
    ] {
        let message = Unsigned {
            topic,
            data: Bytes::from_static(data).try_into().unwrap(),
        };
        let value = json!({ "topic": topic.to_string(), "data": hex(data) });
        accept(&mut vectors, name, &message, value);
    }
    refuse_lengths::<Unsigned>(&mut vectors, &[0, 1, 7]);
    for (name, bytes, violation) in [
        ("empty", vec![], Violation::Truncated),
        ("topic alone", vec![0], Violation::Truncated),
        ("16385 bytes", vec![0, 251, 1, 0x40], over(16_385, 16_384)),
        (
            "data of 2^63 bytes",
            vec![0, 253, 0, 0, 0, 0, 0, 0, 0, 0x80],
            over(1 << 63, 16_384),
        ),
        (
            "length not in its shortest form",
            vec![0, 251, 1, 0, 7],
            Violation::NonCanonical,
        ),
    ] {
        refuse::<Unsigned>(&mut vectors, name, &bytes, violation);
    }
    vectors.check("unsigned_message.json");
}

#[test]
fn ids_of_unsigned_messages() {
    let mut vectors = Vectors::new(
        "hex: the data of a message on an unsigned topic. value: network and topic by name, and the id \
         of the message.",
    );
    for (name, network, topic, data) in [
        ("typical", "test", "topic", &b"hello"[..]),
        ("no data", "test", "topic", b""),
        ("another topic", "test", "", b"hello"),
        ("another network", "main", "topic", b"hello"),
    ] {
        let hash = blake3::hash(topic.as_bytes());
        let network_id = NetworkId::of(network);
        let parts = [network_id.as_bytes(), hash.as_bytes(), data];
        let id = derive_key(Label::Unsigned, &parts);
        let value = json!({ "network": network, "topic": topic, "id": hex(&id) });
        vectors.valid(name, data, value);
    }
    vectors.check("unsigned_id.json");
}
