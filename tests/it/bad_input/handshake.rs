//! Handshakes that must fail: with a typed error at the dialler, an event at the acceptor, and
//! nothing served to anybody.

use std::net::SocketAddr;

use cretoai_network::p2p::{DialFailure, IncomingRefusal, SwarmEvent};
use cretoai_network::sim::Net;
use cretoai_network::transport::{CloseReason, DialError, HandshakeFailure};
use cretoai_network::wire::Address;
use ml_dsa::{ExpandedSigningKey, MlDsa65};
use quinn::ConnectionError;

use crate::support::attacker::{Attacker, Credential, End, Handshake, open_bi};
use crate::support::nodes::{PORT, config, in_virtual_time, ip, keypair, quiet_net};
use crate::support::peer::{Events, Peer};

/// A ping, whose answer would show that the sender was served.
const PING: &[u8] = &[2, 1, 2, 1, 7];

/// A dialler's first flights and its refusal: its key of 2.6 KB and its signature of 4.6 KB would
/// come on top.
const MOST_BYTES_WITHOUT_A_KEY: u64 = 6 * 1200;

/// What precedes an ML-DSA-65 key in its SubjectPublicKeyInfo (RFC 9881, section 4).
const ML_DSA_65_PREFIX: [u8; 22] = [
    0x30, 0x82, 0x07, 0xb2, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03,
    0x12, 0x03, 0x82, 0x07, 0xa1, 0x00,
];

fn failed(failure: HandshakeFailure, by_peer: bool) -> DialError {
    DialError::Failed(CloseReason::Handshake { failure, by_peer })
}

/// The number of a TLS alert in a QUIC error code (RFC 9001 §4.8).
fn alert(error: &ConnectionError) -> u64 {
    match error {
        ConnectionError::ConnectionClosed(close) => u64::from(close.error_code) - 0x100,
        other => panic!("not closed by the peer: {other}"),
    }
}

async fn refusal(events: &mut Events) -> IncomingRefusal {
    events
        .until(|event| match event {
            SwarmEvent::IncomingRefused { reason } => Some(*reason),
            _ => None,
        })
        .await
}

/// An attacker with this handshake dials a node and tries to be served; returns what the node says
/// about it and the alert that the attacker gets.
async fn knock(net: &Net, handshake: &Handshake) -> (IncomingRefusal, u64) {
    let mut bob = Peer::start(net, ip(2), 2);
    let mallory = Attacker::with(net, SocketAddr::new(ip(66), PORT), handshake);
    let error = match mallory.dial(bob.socket()).await {
        Err(error) => error,
        // A dialler is finished before the acceptor has looked at its credential.
        Ok(connection) => {
            let (_send, mut receive) = open_bi(&connection, PING, End::Finish).await;
            assert!(receive.read_to_end(64).await.is_err(), "it was served");
            connection.closed().await
        }
    };
    let refusal = refusal(&mut bob.events).await;
    assert!(bob.node.peers().is_empty());
    (refusal, alert(&error))
}

/// A node dials an acceptor with this handshake, expecting bob there; it must not send its key.
async fn lured_to(net: &Net, handshake: &Handshake) -> DialFailure {
    let mut alice = Peer::start(net, ip(1), 1);
    let mallory = Attacker::with(net, SocketAddr::new(ip(66), PORT), handshake);
    let lure = Address::from(SocketAddr::new(ip(66), PORT)).with_peer_id(keypair(2).peer_id());
    let (dialled, _) = tokio::join!(alice.node.dial(&lure), mallory.accept());
    let failure = dialled.unwrap_err();
    let told = alice
        .events
        .until(|event| match event {
            SwarmEvent::DialFailed { reason, .. } => Some(*reason),
            _ => None,
        })
        .await;
    assert_eq!(told, failure);
    let sent = net.counters(ip(1), ip(66)).sent.bytes;
    assert!(sent < MOST_BYTES_WITHOUT_A_KEY, "{sent} bytes were sent");
    failure
}

fn ml_dsa_65() -> Credential {
    let key = ExpandedSigningKey::<MlDsa65>::from_seed(&[65; 32].into());
    let spki = [&ML_DSA_65_PREFIX[..], &key.verifying_key().encode()].concat();
    Credential::new(spki, move |message| {
        let signature = key.sign_deterministic(message, &[]).unwrap();
        signature.encode().to_vec()
    })
}

#[test]
fn a_wrong_peer_id_is_a_typed_error_and_our_key_is_not_sent() {
    in_virtual_time(async {
        let net = quiet_net(1);
        let alice = Peer::start(&net, ip(1), 1);
        let mut bob = Peer::start(&net, ip(2), 2);
        let carol = keypair(3).peer_id();
        let wrong = Address::from(bob.socket()).with_peer_id(carol);
        let failure = alice.node.dial(&wrong).await.unwrap_err();
        let ours = failed(HandshakeFailure::WrongPeer, false);
        assert_eq!(failure, DialFailure::Transport(ours));
        let theirs = failed(HandshakeFailure::WrongPeer, true);
        assert_eq!(
            refusal(&mut bob.events).await,
            IncomingRefusal::Handshake(theirs)
        );
        let sent = net.counters(ip(1), ip(2)).sent.bytes;
        assert!(sent < MOST_BYTES_WITHOUT_A_KEY, "{sent} bytes were sent");
        assert!(alice.node.peers().is_empty() && bob.node.peers().is_empty());
    });
}

#[test]
fn a_wrong_network_id_is_a_typed_error_and_nothing_is_served() {
    in_virtual_time(async {
        let net = quiet_net(2);
        let mut elsewhere = config();
        elsewhere.network = "another".to_owned();
        let alice = Peer::start_with(&net, ip(1), 1, elsewhere);
        let mut bob = Peer::start(&net, ip(2), 2);
        let failure = alice.node.dial(&bob.address()).await.unwrap_err();
        let ours = failed(HandshakeFailure::WrongNetwork, true);
        assert_eq!(failure, DialFailure::Transport(ours));
        let theirs = failed(HandshakeFailure::WrongNetwork, false);
        assert_eq!(
            refusal(&mut bob.events).await,
            IncomingRefusal::Handshake(theirs)
        );
        assert!(alice.node.peers().is_empty() && bob.node.peers().is_empty());
    });
}

#[test]
fn a_classical_only_client_is_refused() {
    let handshake = Handshake::with(Credential::of(&keypair(66))).classical();
    let (refusal, alert) = in_virtual_time(async { knock(&quiet_net(3), &handshake).await });
    let incompatible = failed(HandshakeFailure::Incompatible, false);
    assert_eq!(refusal, IncomingRefusal::Handshake(incompatible));
    assert_eq!(alert, 40);
}

#[test]
fn a_classical_only_acceptor_gets_no_key() {
    let handshake = Handshake::with(Credential::of(&keypair(2))).classical();
    let failure = in_virtual_time(async { lured_to(&quiet_net(4), &handshake).await });
    let incompatible = failed(HandshakeFailure::Incompatible, true);
    assert_eq!(failure, DialFailure::Transport(incompatible));
}

#[test]
fn an_ml_dsa_65_key_of_a_dialler_is_refused() {
    let handshake = Handshake::with(ml_dsa_65());
    let (refusal, alert) = in_virtual_time(async { knock(&quiet_net(5), &handshake).await });
    let unsupported = failed(HandshakeFailure::UnsupportedKey, false);
    assert_eq!(refusal, IncomingRefusal::Handshake(unsupported));
    assert_eq!(alert, 43);
}

#[test]
fn an_ml_dsa_65_key_of_an_acceptor_gets_no_key() {
    let handshake = Handshake::with(ml_dsa_65());
    let failure = in_virtual_time(async { lured_to(&quiet_net(6), &handshake).await });
    let unsupported = failed(HandshakeFailure::UnsupportedKey, false);
    assert_eq!(failure, DialFailure::Transport(unsupported));
}

#[test]
fn a_handshake_signed_with_another_key_is_refused() {
    let forged = Credential::forged(&keypair(1), &keypair(66));
    let handshake = Handshake::with(forged);
    let (refusal, alert) = in_virtual_time(async { knock(&quiet_net(7), &handshake).await });
    let bad = failed(HandshakeFailure::BadSignature, false);
    assert_eq!(refusal, IncomingRefusal::Handshake(bad));
    assert_eq!(alert, 51);
}

#[test]
fn an_acceptor_that_shows_a_key_it_does_not_own_gets_no_key() {
    let forged = Credential::forged(&keypair(2), &keypair(66));
    let handshake = Handshake::with(forged);
    let failure = in_virtual_time(async { lured_to(&quiet_net(8), &handshake).await });
    let bad = failed(HandshakeFailure::BadSignature, false);
    assert_eq!(failure, DialFailure::Transport(bad));
}

#[test]
fn a_tampered_key_is_refused() {
    let owner = keypair(66);
    let mut spki = owner.public_key().to_spki_der();
    *spki.last_mut().unwrap() ^= 1;
    let tampered = Credential::new(spki, move |message| {
        owner.sign(message).unwrap().as_bytes().to_vec()
    });
    let handshake = Handshake::with(tampered);
    let (refusal, alert) = in_virtual_time(async { knock(&quiet_net(9), &handshake).await });
    let bad = failed(HandshakeFailure::BadSignature, false);
    assert_eq!(refusal, IncomingRefusal::Handshake(bad));
    assert_eq!(alert, 51);
}

#[test]
fn a_truncated_credential_is_refused() {
    let mut spki = keypair(66).public_key().to_spki_der();
    spki.pop();
    let handshake = Handshake::with(Credential::new(spki, |_| vec![0; 4627]));
    let (refusal, alert) = in_virtual_time(async { knock(&quiet_net(10), &handshake).await });
    let bad = failed(HandshakeFailure::BadCredential, false);
    assert_eq!(refusal, IncomingRefusal::Handshake(bad));
    assert_eq!(alert, 42);
}

#[test]
fn a_probe_without_a_client_key_is_refused() {
    let handshake = Handshake::with(Credential::withheld());
    let (refusal, alert) = in_virtual_time(async { knock(&quiet_net(11), &handshake).await });
    let none = failed(HandshakeFailure::NoCredential, false);
    assert_eq!(refusal, IncomingRefusal::Handshake(none));
    assert_eq!(alert, 116);
}

#[test]
fn a_client_that_knows_no_client_keys_is_refused() {
    let handshake = Handshake {
        credential: None,
        ..Handshake::with(Credential::withheld())
    };
    let (refusal, alert) = in_virtual_time(async { knock(&quiet_net(12), &handshake).await });
    let incompatible = failed(HandshakeFailure::Incompatible, false);
    assert_eq!(refusal, IncomingRefusal::Handshake(incompatible));
    assert_eq!(alert, 40);
}
