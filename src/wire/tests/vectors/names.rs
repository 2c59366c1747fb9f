use std::sync::Arc;

use serde_json::json;

use super::{Vectors, hex};
use crate::crypto::{RustCrypto, SigningSeed};
use crate::identity::{Keypair, PeerId, PeerIdTextError};
use crate::wire::NetworkId;

#[test]
fn peer_id() {
    let mut vectors = Vectors::new(
        "hex: the suite byte and the encoded ML-DSA-87 public key. value: the seed (xi of FIPS 204, \
         algorithm 6) that the key was made of, the peer id, and its text. Cases with `text` are texts \
         that are no peer id.",
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
    let a51 = "a".repeat(51);
    let refused = [
        (
            "one character short",
            a51.clone(),
            PeerIdTextError::Length(51),
        ),
        (
            "one character long",
            format!("{a51}aa"),
            PeerIdTextError::Length(53),
        ),
        (
            "upper case",
            format!("A{a51}"),
            PeerIdTextError::Character { position: 0 },
        ),
        (
            "digit 1",
            format!("{a51}1"),
            PeerIdTextError::Character { position: 51 },
        ),
        (
            "bits after the last byte",
            format!("{a51}b"),
            PeerIdTextError::TrailingBits,
        ),
    ];
    for (name, text, error) in refused {
        assert_eq!(text.parse::<PeerId>(), Err(error), "{name}");
        vectors.invalid_text(name, &text, &error);
    }
    vectors.check("peer_id.json");
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
