use std::sync::Arc;

use serde_json::json;

use super::{Vectors, hex};
use crate::crypto::{RustCrypto, SigningSeed};
use crate::identity::{Keypair, PublicKey, SpkiError};

/// Offsets in the 22 bytes before the key.
const OUTER_LENGTH: usize = 3;
const INNER_LENGTH: usize = 5;
const LAST_OF_OID: usize = 16;
const END_OF_ALGORITHM: usize = 17;
const KEY_LENGTH: usize = 20;
const UNUSED_BITS: usize = 21;

/// 1.3.101.112, Ed25519 (RFC 8410), as an element.
const ED25519: [u8; 5] = [0x06, 0x03, 0x2b, 0x65, 0x70];

const NULL: [u8; 2] = [0x05, 0x00];

/// A key of 32 bytes: SEQUENCE { SEQUENCE `algorithm`, BIT STRING }.
fn short_key(algorithm: &[u8], unused_bits: u8) -> Vec<u8> {
    let inner = u8::try_from(algorithm.len()).unwrap();
    let head = [0x30, inner + 37, 0x30, inner];
    let bits = [&[0x03, 0x21, unused_bits][..], &[7; 32]].concat();
    [&head[..], algorithm, &bits].concat()
}

fn zeros() -> Keypair {
    let provider = Arc::new(RustCrypto::new());
    Keypair::from_seed(provider, SigningSeed::from_bytes(&[0; 32])).unwrap()
}

#[test]
fn spki() {
    let mut vectors = Vectors::new(
        "hex: a SubjectPublicKeyInfo in DER. value: the seed that the key was made of, the peer id, and \
         its text. alert: the TLS alert that answers it as a credential.",
    );
    let keypair = zeros();
    let der = keypair.public_key().to_spki_der();
    assert_eq!(
        PublicKey::from_spki_der(&der).as_ref(),
        Ok(keypair.public_key())
    );
    let peer = keypair.peer_id();
    let value = json!({
        "seed": hex(&[0; 32]),
        "peer_id": hex(peer.as_bytes()),
        "text": peer.to_string(),
    });
    vectors.valid("seed of zeros", &der, value);
    for (name, bytes) in malformed(&der) {
        let refused = PublicKey::from_spki_der(&bytes);
        assert_eq!(refused, Err(SpkiError::Malformed), "{name}");
        vectors.invalid_in_tls(name, &bytes, "Malformed", "bad_certificate");
    }
    for (name, bytes) in other_algorithms(&der) {
        let refused = PublicKey::from_spki_der(&bytes);
        assert!(matches!(refused, Err(SpkiError::Algorithm(_))), "{name}");
        vectors.invalid_in_tls(name, &bytes, "Algorithm", "unsupported_certificate");
    }
    vectors.check("spki.json");
}

/// A copy with some bytes changed.
fn with(der: &[u8], changes: &[(usize, u8)]) -> Vec<u8> {
    let mut bytes = der.to_vec();
    for &(position, byte) in changes {
        bytes[position] = byte;
    }
    bytes
}

fn malformed(der: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let lengths = [(OUTER_LENGTH, 0x34), (INNER_LENGTH, 0x0d)];
    let mut parameters = with(der, &lengths);
    parameters.splice(END_OF_ALGORITHM..END_OF_ALGORITHM, NULL);
    let cut = with(der, &[(OUTER_LENGTH, 0x31), (KEY_LENGTH, 0x20)]);
    let grown = with(der, &[(OUTER_LENGTH, 0x33), (KEY_LENGTH, 0x22)]);
    vec![
        ("empty", vec![]),
        ("prefix alone", der[..22].to_vec()),
        ("one byte short", der[..der.len() - 1].to_vec()),
        ("byte after the end", [der, &[0]].concat()),
        ("key without its frame", der[22..].to_vec()),
        ("parameters NULL", parameters),
        ("one unused bit", with(der, &[(UNUSED_BITS, 1)])),
        ("eight unused bits", with(der, &[(UNUSED_BITS, 8)])),
        ("key one byte short", cut[..der.len() - 1].to_vec()),
        ("key one byte long", [&grown[..], &[0]].concat()),
        ("OCTET STRING", with(der, &[(END_OF_ALGORITHM, 0x04)])),
        ("SET", with(der, &[(0, 0x31)])),
        ("length in three bytes", {
            let head = [0x30, 0x83, 0x00, 0x0a, 0x32];
            [&head[..], &der[4..]].concat()
        }),
        ("indefinite length", {
            let head = [0x30, 0x80];
            [&head[..], &der[4..], &[0, 0]].concat()
        }),
        (
            "Ed25519, byte after the end",
            [&short_key(&ED25519, 0)[..], &[0]].concat(),
        ),
        ("Ed25519, eight unused bits", short_key(&ED25519, 8)),
        (
            "Ed25519, two elements of parameters",
            short_key(&[&ED25519[..], &NULL, &NULL].concat(), 0),
        ),
        ("object identifier of no byte", short_key(&[0x06, 0x00], 0)),
        ("algorithm without object identifier", short_key(&NULL, 0)),
    ]
}

fn other_algorithms(der: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    // 2 + 11 + 4 + 1 + 1 952 bytes behind the outer length of an ML-DSA-65 key.
    let ml_dsa_65 = [
        &[0x30, 0x82, 0x07, 0xb2][..],
        &der[4..LAST_OF_OID],
        &[0x12, 0x03, 0x82, 0x07, 0xa1, 0x00],
        &[7; 1952],
    ]
    .concat();
    vec![
        ("ML-DSA-65", ml_dsa_65),
        (
            "ML-DSA-65 by its OID, with the key of ML-DSA-87",
            with(der, &[(LAST_OF_OID, 0x12)]),
        ),
        ("Ed25519", short_key(&ED25519, 0)),
        (
            "Ed25519, parameters NULL",
            short_key(&[&ED25519[..], &NULL].concat(), 0),
        ),
        (
            "unassigned OID beside ML-DSA-87",
            with(der, &[(LAST_OF_OID, 0x7f)]),
        ),
    ]
}
