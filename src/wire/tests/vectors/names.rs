use std::sync::Arc;

use serde_json::json;

use super::{Vectors, hex, variant};
use crate::crypto::{RustCrypto, SigningSeed, Suite};
use crate::identity::{Keypair, PeerId, PeerIdTextError, PublicKey};
use crate::wire::NetworkId;

#[test]
fn peer_id() {
    let mut vectors = Vectors::new(
        "hex: the suite byte and the encoded ML-DSA-87 public key. value: the seed (xi of FIPS 204, \
         algorithm 6) that the key was made of, the peer id, and its text. Invalid cases: bytes that \
         are no suite and key, and texts that are no peer id.",
    );
    for (name, seed) in [("seed of zeros", [0; 32]), ("seed of ones", [0xff; 32])] {
        let provider = Arc::new(RustCrypto::new());
        let keypair = Keypair::from_seed(provider, SigningSeed::from_bytes(&seed)).unwrap();
        let key = keypair.public_key();
        let peer = keypair.peer_id();
        assert_eq!(peer.to_string().parse(), Ok(peer));
        let value = json!({
            "seed": hex(&seed),
            "peer_id": hex(peer.as_bytes()),
            "text": peer.to_string(),
        });
        vectors.valid(
            name,
            &[&[key.suite().byte()][..], key.as_bytes()].concat(),
            value,
        );
    }
    for (name, bytes, error) in refused_keys() {
        assert_eq!(read_key(&bytes).unwrap_err(), error, "{name}");
        vectors.invalid_unsent(name, &bytes, error);
    }
    for (name, text, error) in refused_texts() {
        assert_eq!(text.parse::<PeerId>(), Err(error), "{name}");
        vectors.invalid_text(name, &text, &error);
    }
    vectors.check("peer_id.json");
}

/// The key behind its suite byte, by the names of the specification.
fn read_key(bytes: &[u8]) -> Result<PublicKey, String> {
    let (&suite, key) = bytes.split_first().ok_or("Length(0)")?;
    match Suite::try_from(suite) {
        Ok(Suite::MlDsa87) => key
            .try_into()
            .map(PublicKey::ml_dsa_87)
            .map_err(|_| format!("Length({})", bytes.len())),
        Err(unknown) => Err(variant(&unknown)),
    }
}

fn refused_keys() -> Vec<(&'static str, Vec<u8>, String)> {
    let length = |length: usize| format!("Length({length})");
    let suite = |suite: u8| format!("UnknownSuite({suite})");
    vec![
        ("no byte", vec![], length(0)),
        ("suite alone", vec![1], length(1)),
        ("key one byte short", vec![1; 2592], length(2592)),
        ("key one byte long", vec![1; 2594], length(2594)),
        ("suite 0, never assigned", vec![0; 2593], suite(0)),
        ("suite 2, unassigned", vec![2; 2593], suite(2)),
        (
            "unassigned suite, and any length",
            vec![0xff; 3],
            suite(0xff),
        ),
    ]
}

#[rustfmt::skip]
fn refused_texts() -> Vec<(&'static str, String, PeerIdTextError)> {
    use PeerIdTextError::{Character, Length, TrailingBits};
    let a51 = "a".repeat(51);
    vec![
        ("empty", String::new(), Length(0)),
        ("one character short", a51.clone(), Length(51)),
        ("one character long", format!("{a51}aa"), Length(53)),
        ("wrong length before wrong character", format!("{a51}A="), Length(53)),
        ("52 characters in 53 bytes", format!("{a51}ü"), Length(53)),
        ("26 characters in 52 bytes", "ü".repeat(26), Character { position: 0 }),
        ("upper case", format!("A{a51}"), Character { position: 0 }),
        ("digit 1", format!("{a51}1"), Character { position: 51 }),
        ("digit 8", format!("{a51}8"), Character { position: 51 }),
        ("padding", format!("{a51}="), Character { position: 51 }),
        ("wrong character before bits after the last byte", format!("A{}b", &a51[1..]), Character { position: 0 }),
        ("bits after the last byte", format!("{a51}b"), TrailingBits),
        ("second bit after the last byte", format!("{a51}c"), TrailingBits),
        ("third bit after the last byte", format!("{a51}e"), TrailingBits),
        ("fourth bit after the last byte", format!("{a51}i"), TrailingBits),
        ("all bits after the last byte", format!("{a51}7"), TrailingBits),
    ]
}

#[test]
fn network() {
    let mut vectors =
        Vectors::new("text: the name of a network. value: its id and the ALPN of its nodes.");
    for name in ["main", "test", "", "Büro"] {
        let network = NetworkId::of(name);
        let alpn = String::from_utf8(network.alpn()).unwrap();
        assert_eq!(alpn.len(), 34);
        let value = json!({ "network_id": hex(network.as_bytes()), "alpn": alpn });
        vectors.valid_text(&format!("network {name:?}"), name, value);
    }
    vectors.check("network.json");
}
