//! Changes of address, and restarts.

use super::*;
use crate::transport::CloseReason;

#[test]
fn a_dialler_that_changes_its_socket_keeps_its_streams() {
    in_virtual_time(async {
        let net = quiet_net(10);
        let (alice, bob) = (keypair(1), keypair(2));
        let dialler = bind(net.host(ip(1)), &alice, Credential::RawPublicKey);
        let acceptor = Arc::new(bind(net.host(ip(2)), &bob, Credential::RawPublicKey));
        spawn_echo(acceptor.clone());
        let connection = dial(&dialler, address_of(2), bob.peer_id()).await.unwrap();
        let (mut send, mut receive) = connection.open_bi().await.unwrap();
        send.write(b"before").await.unwrap();
        assert_eq!(receive.read_chunk(6).await.unwrap().unwrap(), b"before"[..]);
        dialler.rebind(SocketAddr::new(ip(1), PORT + 1)).unwrap();
        send.write(b"after").await.unwrap();
        let answer = timeout(Duration::from_secs(2), receive.read_chunk(6))
            .await
            .unwrap();
        assert_eq!(answer.unwrap().unwrap(), b"after"[..]);
    });
}

#[test]
fn a_restarted_peer_ends_stale_connections_at_once() {
    in_virtual_time(async {
        let net = quiet_net(11);
        let (alice, bob) = (keypair(1), keypair(2));
        let dialler = bind(net.host(ip(1)), &alice, Credential::RawPublicKey);
        let first = Arc::new(bind(net.host(ip(2)), &bob, Credential::RawPublicKey));
        spawn_echo(first);
        let connection = dial(&dialler, address_of(2), bob.peer_id()).await.unwrap();
        ask(&connection, b"x").await;
        net.kill(ip(2));
        let second = Arc::new(bind(net.host(ip(2)), &bob, Credential::RawPublicKey));
        spawn_echo(second);
        connection.kick();
        let (reason, took) = elapsed(connection.closed()).await;
        assert_eq!(reason, CloseReason::Reset);
        assert_round_trips(took, 1);
        let (connection, took) = elapsed(dial(&dialler, address_of(2), bob.peer_id())).await;
        ask(&connection.unwrap(), b"y").await;
        assert!(
            took <= LATENCY * 4 + TICKS,
            "connected again after {took:?}"
        );
    });
}
