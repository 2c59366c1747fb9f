use std::sync::Arc;

use bytes::Bytes;
use quinn::crypto::ClientConfig;
use quinn::{Side, TokenStore};
use quinn_proto::transport_parameters::TransportParameters;

use crate::crypto::{AwsLc, SigningSeed};
use crate::identity::{Keypair, PeerId};
use crate::transport::Credential;
use crate::transport::environment::Environment;
use crate::transport::tls::{PqcHandshake, ServerName, TlsSettings};
use crate::wire::NetworkId;

/// Code points that the ClientHello must or must not contain, as they stand on the wire.
const X25519MLKEM768: [u8; 2] = [0x11, 0xec];
const ML_DSA_87: [u8; 2] = [0x09, 0x06];

/// QUIC version 1 (RFC 9000 §15).
const QUIC_V1: u32 = 1;

fn client_hello(padded: bool) -> Vec<u8> {
    let seed = SigningSeed::from_bytes(&[1; 32]);
    let keypair = Keypair::from_seed(Arc::new(AwsLc), seed).unwrap();
    let handshake = PqcHandshake::new(&TlsSettings {
        keypair: &keypair,
        network: NetworkId::of("test"),
        credential: Credential::RawPublicKey,
        max_peers: 8,
        enable_0rtt: true,
        clock: Environment::system().clock,
    })
    .unwrap();
    let name = ServerName::peer(dialled());
    if !padded {
        handshake
            .stores()
            .insert(name.as_str(), Bytes::from_static(b"token"));
    }
    let client = handshake.client(&name);
    let parameters = TransportParameters::read(Side::Server, &mut &[][..]).unwrap();
    let mut session = client
        .start_session(QUIC_V1, name.as_str(), &parameters)
        .unwrap();
    let mut hello = Vec::new();
    session.write_handshake(&mut hello);
    hello
}

fn dialled() -> PeerId {
    PeerId::from_bytes([9; 32])
}

/// The body of an extension (RFC 8446 §4.2) of a ClientHello.
fn extension(hello: &[u8], wanted: u16) -> Option<Vec<u8>> {
    let u16_at = |at: usize| u16::from_be_bytes([hello[at], hello[at + 1]]);
    let mut at = 4 + 2 + 32;
    at += 1 + usize::from(hello[at]);
    at += 2 + usize::from(u16_at(at));
    at += 1 + usize::from(hello[at]);
    at += 2;
    while at < hello.len() {
        let (kind, length) = (u16_at(at), usize::from(u16_at(at + 2)));
        if kind == wanted {
            return Some(hello[at + 4..at + 4 + length].to_vec());
        }
        at += 4 + length;
    }
    None
}

#[test]
fn exactly_one_group_and_one_signature_scheme_are_offered() {
    let hello = client_hello(true);
    assert_eq!(
        extension(&hello, 10).unwrap(),
        [&[0, 2][..], &X25519MLKEM768].concat()
    );
    assert_eq!(
        extension(&hello, 13).unwrap(),
        [&[0, 2][..], &ML_DSA_87].concat()
    );
    let shares = extension(&hello, 51).unwrap();
    assert_eq!(shares[2..4], X25519MLKEM768);
    assert_eq!(shares.len(), 2 + 2 + 2 + 1216);
}

#[test]
fn aes_128_is_not_offered_although_initial_packets_use_it() {
    let hello = client_hello(true);
    let suites = &hello[4 + 2 + 32 + 1..];
    // Length, then AES-256-GCM and ChaCha20-Poly1305 (RFC 8446 §B.4).
    assert_eq!(suites[..6], [0, 4, 0x13, 0x02, 0x13, 0x03]);
}

#[test]
fn the_dialled_peer_does_not_stand_in_the_clear() {
    let hello = client_hello(true);
    assert_eq!(extension(&hello, 0), None, "server_name extension");
    let name = dialled().to_string();
    assert!(
        !hello
            .windows(name.len())
            .any(|window| window == name.as_bytes())
    );
    assert!(
        !hello
            .windows(32)
            .any(|window| window == dialled().as_bytes())
    );
}

#[test]
fn padding_fills_a_third_datagram_and_is_left_out_for_returning_peers() {
    // An Initial datagram of 1 200 bytes has about 1 150 left for the ClientHello.
    assert!(client_hello(true).len() > 2 * 1150);
    assert!(client_hello(false).len() < 2 * 1150);
}

#[test]
fn only_raw_public_keys_are_offered_in_both_directions() {
    let hello = client_hello(true);
    assert_eq!(
        extension(&hello, 19).unwrap(),
        [1, 2],
        "client_certificate_type"
    );
    assert_eq!(
        extension(&hello, 20).unwrap(),
        [1, 2],
        "server_certificate_type"
    );
}
