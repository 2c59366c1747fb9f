//! Bodies of records, where they are held, and what an owner signs.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value as Json, json};

use super::discovery::{KEY, TARGET, accept};
use super::{Vectors, hex, variant};
use crate::crypto::{
    Label, Provider, RustCrypto, SIGNATURE_BYTES, SeededEntropy, SignedInput, SigningSeed, Suite,
    VERIFYING_KEY_BYTES,
};
use crate::discovery::Key;
use crate::identity::{Keypair, PeerId, PublicKey};
use crate::wire::codec::{WireType, decode, encode};
use crate::wire::message::discovery::{ImmutableRecord, MutableRecord, ProviderRecord};
use crate::wire::{NetworkId, Violation};

const CREATED: u64 = 1_700_000_000_000;
const LIFETIME: u64 = 48 * 3600 * 1000;

/// The keypair of the seed of zeros; its signatures are the same on every run.
fn owner() -> Keypair {
    let provider = RustCrypto::with_entropy(Arc::new(SeededEntropy::new([5; 32])));
    Keypair::from_seed(Arc::new(provider), SigningSeed::from_bytes(&[0; 32])).unwrap()
}

/// Everything in a mutable record but key and signature.
#[derive(Clone, Copy)]
struct Fields {
    salt: &'static [u8],
    sequence: u64,
    created: u64,
    expires: u64,
    value: &'static [u8],
}

const TYPICAL: Fields = Fields {
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

fn record(fields: &Fields, signature: [u8; SIGNATURE_BYTES]) -> MutableRecord {
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

fn signed(network: &str, fields: &Fields) -> MutableRecord {
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
fn keys_of_values() {
    let mut vectors = Vectors::new(
        "hex: the value of an immutable record. value: the key under which it is held.",
    );
    for (name, value) in [
        ("no byte", &b""[..]),
        ("a few bytes", b"hello"),
        ("251 bytes", &[0xab; 251]),
    ] {
        let key = json!(hex(Key::of_value(value).as_bytes()));
        vectors.valid(name, value, key);
    }
    vectors.check("immutable_key.json");
}

#[test]
fn keys_of_owners() {
    let mut vectors = Vectors::new(
        "hex: the salt of a mutable record. value: its owner and the key under which it is held.",
    );
    let peer = owner().peer_id();
    let sevens = PeerId::from_bytes([7; 32]);
    for (name, owner, salt) in [
        ("no salt", peer, &b""[..]),
        ("a few bytes", peer, b"profile"),
        ("another owner", sevens, b"profile"),
        ("longest salt", sevens, &[0xee; 64]),
    ] {
        let value = json!({
            "owner": hex(owner.as_bytes()),
            "key": hex(Key::of_owner(owner, salt).as_bytes()),
        });
        vectors.valid(name, salt, value);
    }
    vectors.check("mutable_key.json");
}

#[test]
fn keys_of_roles() {
    let mut vectors =
        Vectors::new("text: the name of a role. value: the key under which nodes advertise it.");
    for role in ["relay", "", "Büro"] {
        let key = json!(hex(Key::of_role(role).as_bytes()));
        vectors.valid_text(&format!("role {role:?}"), role, key);
    }
    vectors.check("role_key.json");
}

#[test]
fn distances() {
    let mut vectors = Vectors::new(
        "hex: two keys. value: their distance, most significant byte first, and how many leading bits \
         they share.",
    );
    let mut last_bit = KEY;
    last_bit[31] ^= 1;
    for (name, a, b) in [
        ("same key", KEY, KEY),
        ("last bit", KEY, last_bit),
        ("first bit", [0; 32], [0x80; 32]),
        ("typical", KEY, TARGET),
    ] {
        let (from, to) = (Key::from_bytes(a), Key::from_bytes(b));
        let xor: Vec<u8> = a.iter().zip(b).map(|(a, b)| a ^ b).collect();
        let difference = Key::from_bytes(xor.clone().try_into().unwrap());
        let origin = Key::from_bytes([0; 32]);
        assert_eq!(from.distance(&to), origin.distance(&difference), "{name}");
        let value = json!({ "distance": hex(&xor), "common_prefix": from.common_prefix(&to) });
        vectors.valid(name, &[a, b].concat(), value);
    }
    vectors.check("distance.json");
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

/// What a reader of a mutable record on network `test` finds wrong with it, whatever the time.
fn verdict(record: &MutableRecord) -> Result<(PeerId, Key), String> {
    let suite = Suite::try_from(record.suite).map_err(|unknown| variant(&unknown))?;
    assert_eq!(suite, Suite::MlDsa87);
    let lifetime = record.expires.checked_sub(record.created);
    if !lifetime.is_some_and(|lifetime| (1..=LIFETIME).contains(&lifetime)) {
        return Err("Lifetime".to_owned());
    }
    let owner = PublicKey::ml_dsa_87(&record.public_key).peer_id();
    let signed = SignedInput::new(Label::MutableRecord, NetworkId::of("test").as_bytes())
        .array(owner.as_bytes())
        .hash_of(record.salt.as_bytes())
        .u64(record.sequence)
        .u64(record.created)
        .u64(record.expires)
        .hash_of(record.value.as_bytes());
    RustCrypto::new()
        .verify(&record.public_key, signed.as_bytes(), &record.signature)
        .map_err(|_| "Signature".to_owned())?;
    Ok((owner, Key::of_owner(owner, record.salt.as_bytes())))
}

#[test]
fn signatures_of_mutable_records() {
    let mut vectors = Vectors::new(
        "hex: the body of a record of kind 2 that decodes, on the network `test`. value: its owner, and \
         the key under which it is held. violation: what no passing of time can mend.",
    );
    let shortest = Fields {
        salt: b"",
        expires: CREATED + 1,
        ..TYPICAL
    };
    for (name, fields) in [
        ("lives 48 hours", TYPICAL),
        ("no salt, lives a millisecond", shortest),
    ] {
        let record = signed("test", &fields);
        let body = encode(&record);
        assert_eq!(decode(&body), Ok(record.clone()), "{name}");
        let (owner, key) = verdict(&record).unwrap();
        let value = json!({ "owner": hex(owner.as_bytes()), "key": hex(key.as_bytes()) });
        vectors.valid(name, &body, value);
    }
    for (name, record, error) in refused_signed() {
        assert_eq!(verdict(&record).unwrap_err(), error, "{name}");
        let body = encode(&record);
        assert_eq!(decode(&body), Ok(record), "{name}");
        vectors.invalid_unsent(name, &body, error.to_owned());
    }
    vectors.check("mutable_signature.json");
}

fn refused_signed() -> Vec<(&'static str, MutableRecord, &'static str)> {
    let valid = signed("test", &TYPICAL);
    let lasting = |expires| Fields { expires, ..TYPICAL };
    let too_long = signed("test", &lasting(CREATED + LIFETIME + 1));
    let no_time = signed("test", &lasting(CREATED));
    let of_suite = |suite| MutableRecord {
        suite,
        ..valid.clone()
    };
    let mut changed = valid.signature;
    changed[0] ^= 1;
    vec![
        ("suite 0, never assigned", of_suite(0), "UnknownSuite(0)"),
        ("suite 2, unassigned", of_suite(2), "UnknownSuite(2)"),
        ("lives a millisecond too long", too_long, "Lifetime"),
        ("expires when it is created", no_time, "Lifetime"),
        (
            "expires before it is created",
            record(&lasting(CREATED - 1), valid.signature),
            "Lifetime",
        ),
        (
            "signed for another network",
            signed("main", &TYPICAL),
            "Signature",
        ),
        (
            "one bit of the signature",
            record(&TYPICAL, changed),
            "Signature",
        ),
        (
            "another sequence",
            MutableRecord {
                sequence: 8,
                ..valid.clone()
            },
            "Signature",
        ),
        (
            "another value",
            MutableRecord {
                value: Bytes::from_static(b"hellp").try_into().unwrap(),
                ..valid.clone()
            },
            "Signature",
        ),
        (
            "another salt",
            MutableRecord {
                salt: Bytes::from_static(b"profilf").try_into().unwrap(),
                ..valid
            },
            "Signature",
        ),
    ]
}
