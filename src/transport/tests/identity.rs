//! Who may not connect, and what each end learns of it.

use std::sync::Mutex;

use super::*;
use crate::sim::Verdict;
use crate::transport::{CloseReason, HandshakeFailure};

/// A dialler's whole first flights: key 2.6 KB and signature 4.6 KB would come on top.
const MOST_BYTES_WITHOUT_OUR_KEY: usize = 6 * 1200;

#[test]
fn another_identity_at_the_address_is_refused_before_our_own_key_is_sent() {
    in_virtual_time(async {
        let net = quiet_net(7);
        let sent = Arc::new(Mutex::new(0));
        let counter = sent.clone();
        net.set_tap(move |datagram| {
            if datagram.from.ip() == ip(1) {
                *counter.lock().unwrap() += datagram.contents.len();
            }
            Verdict::Pass
        });
        let (alice, bob, carol) = (keypair(1), keypair(2), keypair(3));
        let dialler = bind(net.host(ip(1)), &alice, Credential::RawPublicKey);
        let acceptor = Arc::new(bind(net.host(ip(2)), &bob, Credential::RawPublicKey));
        spawn_echo(acceptor.clone());
        let error = dial(&dialler, address_of(2), carol.peer_id())
            .await
            .unwrap_err();
        let wrong = HandshakeFailure::WrongPeer;
        assert_eq!(
            error,
            DialError::Failed(CloseReason::Handshake {
                failure: wrong,
                by_peer: false
            })
        );
        tokio::time::sleep(Duration::from_secs(5)).await;
        let sent = *sent.lock().unwrap();
        assert!(sent < MOST_BYTES_WITHOUT_OUR_KEY, "{sent} bytes were sent");
    });
}

#[test]
fn a_peer_of_another_network_is_refused_by_name() {
    in_virtual_time(async {
        let net = quiet_net(8);
        let (alice, bob) = (keypair(1), keypair(2));
        let dialler = QuicTransport::bind(
            config(Credential::RawPublicKey),
            &alice,
            NetworkId::of("another"),
            net.host(ip(1)),
        );
        let acceptor = Arc::new(bind(net.host(ip(2)), &bob, Credential::RawPublicKey));
        spawn_echo(acceptor.clone());
        let error = dial(&dialler.unwrap(), address_of(2), bob.peer_id())
            .await
            .unwrap_err();
        let wrong = HandshakeFailure::WrongNetwork;
        assert_eq!(
            error,
            DialError::Failed(CloseReason::Handshake {
                failure: wrong,
                by_peer: true
            })
        );
    });
}

#[test]
fn the_two_kinds_of_credential_do_not_mix() {
    in_virtual_time(async {
        let net = quiet_net(9);
        let (alice, bob) = (keypair(1), keypair(2));
        let dialler = bind(net.host(ip(1)), &alice, Credential::X509);
        let acceptor = Arc::new(bind(net.host(ip(2)), &bob, Credential::RawPublicKey));
        spawn_echo(acceptor.clone());
        let error = dial(&dialler, address_of(2), bob.peer_id())
            .await
            .unwrap_err();
        assert!(
            matches!(error, DialError::Failed(CloseReason::Handshake { .. })),
            "{error:?}"
        );
    });
}
