//! Bodies of records, and what an owner signs.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value as Json, json};

use super::discovery::{KEY, TARGET, accept};
use super::{Vectors, hex, variant};
use crate::crypto::{
    Label, RustCrypto, SIGNATURE_BYTES, SeededEntropy, SignedInput, SigningSeed, Suite,
    VERIFYING_KEY_BYTES,
};
use crate::identity::{Keypair, PeerId};
use crate::wire::codec::{WireType, decode};
use crate::wire::message::discovery::{ImmutableRecord, MutableRecord, ProviderRecord};
use crate::wire::{NetworkId, Violation};

pub(crate) const CREATED: u64 = 1_700_000_000_000;
pub(crate) const LIFETIME: u64 = 48 * 3600 * 1000;

/// The keypair of the seed of zeros; its signatures are the same on every run.
pub(crate) fn owner() -> Keypair {
    let provider = RustCrypto::with_entropy(Arc::new(SeededEntropy::new([5; 32])));
    Keypair::from_seed(Arc::new(provider), SigningSeed::from_bytes(&[0; 32])).unwrap()
}

/// Everything in a mutable record but key and signature.
#[derive(Clone, Copy)]
pub(crate) struct Fields {
    pub(crate) salt: &'static [u8],
    pub(crate) sequence: u64,
    pub(crate) created: u64,
    pub(crate) expires: u64,
    pub(crate) value: &'static [u8],
}

pub(crate) const TYPICAL: Fields = Fields {
    salt: b"profile",
    sequence: 7,
    created: CREATED,
    expires: CREATED + LIFETIME,
    value: b"hello",
};

const LARGEST: Fields = Fields {
    salt: &[0xee; 64],
    sequence: u64::MAX,
    created: u64::MAX - 1,
    expires: u64::MAX,
    value: &[],
};

const SMALLEST: Fields = Fields {
    salt: &[],
    sequence: 0,
    created: 0,
    expires: 1,
    value: &[],
};

fn input(network: &str, owner: PeerId, fields: &Fields) -> Vec<u8> {
    let network = NetworkId::of(network);
    let input = SignedInput::new(Label::MutableRecord, network.as_bytes())
        .array(owner.as_bytes())
        .hash_of(fields.salt)
        .u64(fields.sequence)
        .u64(fields.created)
        .u64(fields.expires)
        .hash_of(fields.value);
    input.as_bytes().to_vec()
}

pub(crate) fn record(fields: &Fields, signature: [u8; SIGNATURE_BYTES]) -> MutableRecord {
    MutableRecord {
        suite: Suite::MlDsa87.byte(),
        public_key: *owner().public_key().as_bytes(),
        salt: Bytes::from_static(fields.salt).try_into().unwrap(),
        sequence: fields.sequence,
        created: fields.created,
        expires: fields.expires,
        value: Bytes::from_static(fields.value).try_into().unwrap(),
        signature,
    }
}

pub(crate) fn signed(network: &str, fields: &Fields) -> MutableRecord {
    let keypair = owner();
    let signature = keypair.sign(&input(network, keypair.peer_id(), fields));
    record(fields, *signature.unwrap().as_bytes())
}

/// Checks that the body is refused as expected and adds it. It ends no stream: a record has its
/// outcome.
fn refuse<T: WireType>(vectors: &mut Vectors, name: &str, bytes: &[u8], violation: Violation) {
    let verdict = decode::<T>(&bytes.to_vec().into()).map(drop);
    assert_eq!(verdict, Err(violation), "{name}");
    vectors.invalid_unsent(name, bytes, variant(&violation));
}

fn value_of_mutable(record: &MutableRecord) -> Json {
    json!({
        "suite": record.suite,
        "public_key": hex(&record.public_key),
        "salt": hex(record.salt.as_bytes()),
        "sequence": record.sequence.to_string(),
        "created": record.created.to_string(),
        "expires": record.expires.to_string(),
        "value": hex(record.value.as_bytes()),
        "signature": hex(&record.signature),
    })
}

#[test]
fn immutable_record() {
    let mut vectors =
        Vectors::new("hex: the body of a record of kind 1 (protocol 4). value: its field, in hex.");
    for (name, value) in [
        ("typical", &b"hello"[..]),
        ("empty value", &[]),
        ("251 bytes", &[0xab; 251]),
    ] {
        let record = ImmutableRecord {
            value: Bytes::from_static(value).try_into().unwrap(),
        };
        accept(&mut vectors, name, &record, json!({ "value": hex(value) }));
    }
    let over = Violation::OverLimit {
        length: 16_385,
        limit: 16_384,
    };
    for (name, bytes, violation) in [
        ("empty", &[][..], Violation::Truncated),
        ("value longer than its bytes", &[2, 0], Violation::Truncated),
        ("value of 16385 bytes", &[251, 1, 0x40, 0], over),
        (
            "length not in its shortest form",
            &[251, 1, 0, 0],
            Violation::NonCanonical,
        ),
        ("byte after the end", &[0, 0], Violation::TrailingBytes),
    ] {
        refuse::<ImmutableRecord>(&mut vectors, name, bytes, violation);
    }
    vectors.check("immutable_record.json");
}

#[test]
fn mutable_record() {
    let mut vectors = Vectors::new(
        "hex: the body of a record of kind 2 (protocol 4). value: its fields. The signature is not \
         verified here.",
    );
    let typical = signed("test", &TYPICAL);
    let unsigned = MutableRecord {
        suite: 0xff,
        public_key: [0; VERIFYING_KEY_BYTES],
        ..record(&LARGEST, [0xff; SIGNATURE_BYTES])
    };
    for (name, record) in [
        ("typical", &typical),
        ("largest numbers, longest salt, unknown suite", &unsigned),
    ] {
        accept(&mut vectors, name, record, value_of_mutable(record));
    }
    for (name, bytes, violation) in refused_mutable() {
        refuse::<MutableRecord>(&mut vectors, name, &bytes, violation);
    }
    vectors.check("mutable_record.json");
}

#[rustfmt::skip]
fn refused_mutable() -> Vec<(&'static str, Vec<u8>, Violation)> {
    let over = |length, limit| Violation::OverLimit { length, limit };
    let head = [&[1][..], &[0; VERIFYING_KEY_BYTES]].concat();
    let with = |salt: &[u8], rest: &[u8]| [&head[..], salt, rest].concat();
    let signature = [0; SIGNATURE_BYTES];
    let numbers = |numbers: &[u8]| with(&[0], &[numbers, &[0], &signature].concat());
    vec![
        ("empty", vec![], Violation::Truncated),
        ("suite alone", vec![1], Violation::Truncated),
        ("key one byte short", head[..VERIFYING_KEY_BYTES].to_vec(), Violation::Truncated),
        ("salt of 65 bytes", with(&[65], &[0; 65]), over(65, 64)),
        ("salt longer than its bytes", with(&[2], &[0]), Violation::Truncated),
        ("value of 16385 bytes", with(&[0], &[0, 0, 0, 251, 1, 0x40]), over(16_385, 16_384)),
        ("sequence not in its shortest form", numbers(&[251, 1, 0, 0, 0]), Violation::NonCanonical),
        ("expiry with the marker of 128 bits", numbers(&[0, 0, 254]), Violation::InvalidValue),
        ("signature one byte short", with(&[0], &[&[0; 4][..], &signature[1..]].concat()), Violation::Truncated),
        ("byte after the end", numbers(&[0, 0, 0, 0]), Violation::TrailingBytes),
    ]
}

#[test]
fn provider_record() {
    let mut vectors = Vectors::new(
        "hex: the body of a record of kind 3 (protocol 4). value: its fields, lifetime a number.",
    );
    for (name, key, lifetime) in [
        ("one day", KEY, 86_400),
        ("48 hours", TARGET, 172_800),
        ("withdrawn", KEY, 0),
        ("longest lifetime that decodes", KEY, u32::MAX),
    ] {
        let value = json!({ "key": hex(&key), "lifetime": lifetime });
        accept(&mut vectors, name, &ProviderRecord { key, lifetime }, value);
    }
    let with = |lifetime: &[u8]| [&KEY[..], lifetime].concat();
    for (name, bytes, violation) in [
        ("empty", vec![], Violation::Truncated),
        ("no lifetime", with(&[]), Violation::Truncated),
        (
            "lifetime with the marker of 64 bits",
            with(&[253, 1, 0, 0, 0, 0, 0, 0, 0]),
            Violation::InvalidValue,
        ),
        (
            "lifetime not in its shortest form",
            with(&[252, 1, 0, 0, 0]),
            Violation::NonCanonical,
        ),
        (
            "byte after the end",
            with(&[0, 0]),
            Violation::TrailingBytes,
        ),
    ] {
        refuse::<ProviderRecord>(&mut vectors, name, &bytes, violation);
    }
    vectors.check("provider_record.json");
}

#[test]
fn signed_inputs_of_mutable_records() {
    let mut vectors = Vectors::new(
        "hex: the bytes that the signature of a mutable record covers. value: the fields (network by \
         name, salt and value in hex, integers in decimal).",
    );
    let peer = owner().peer_id();
    let sevens = PeerId::from_bytes([7; 32]);
    for (name, network, owner, fields) in [
        ("typical", "test", peer, TYPICAL),
        ("smallest", "", sevens, SMALLEST),
        ("largest numbers, longest salt", "main", sevens, LARGEST),
    ] {
        let bytes = input(network, owner, &fields);
        let value = json!({
            "network": network,
            "owner": hex(owner.as_bytes()),
            "salt": hex(fields.salt),
            "sequence": fields.sequence.to_string(),
            "created": fields.created.to_string(),
            "expires": fields.expires.to_string(),
            "value": hex(fields.value),
        });
        assert_eq!(bytes.len(), 184);
        vectors.valid(name, &bytes, value);
    }
    let valid = input("test", peer, &TYPICAL);
    let of_seal = [&Label::Seal.hash()[..], &valid[32..]].concat();
    for (name, bytes, error) in [
        ("one byte short", valid[..183].to_vec(), "Length(183)"),
        ("one byte long", [&valid[..], &[0]].concat(), "Length(185)"),
        ("label of seals", of_seal, "Label"),
    ] {
        vectors.invalid_unsent(name, &bytes, error.to_owned());
    }
    vectors.check("mutable_input.json");
}
