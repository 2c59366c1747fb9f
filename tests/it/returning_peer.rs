//! How long it takes to meet a peer again.

use std::net::{Ipv4Addr, SocketAddr};

use cretoai_network::node::P2PConfig;
use cretoai_network::wire::Address;

use crate::support::nodes::{
    PORT, TICKS, address, assert_round_trips, config, connected_pair, elapsed, in_virtual_time, ip,
    peer, quiet_net, spawn, spawn_with, until,
};

#[test]
fn a_returning_peer_has_its_first_reply_after_one_round_trip() {
    in_virtual_time(async {
        let net = quiet_net(1);
        let (dialler, acceptor) = connected_pair(&net).await;
        dialler.ping(peer(2)).await.unwrap();
        dialler.disconnect(&peer(2));
        until(|| acceptor.peers().is_empty() && dialler.peers().is_empty()).await;

        let (reply, took) = elapsed(dialler.dial_and_ping(&address(2))).await;
        assert!(reply.unwrap() <= took);
        assert_round_trips(took, 1);
        until(|| acceptor.peers().contains(&peer(1))).await;
        assert_eq!(dialler.peers(), [peer(2)]);
        let (_, took) = elapsed(dialler.ping(peer(2))).await;
        assert_round_trips(took, 1);
    });
}

#[test]
fn a_returning_peer_without_early_data_pays_two_round_trips() {
    in_virtual_time(async {
        let net = quiet_net(2);
        let without = P2PConfig {
            enable_0rtt: false,
            ..config()
        };
        let dialler = spawn_with(&net, 1, without.clone());
        let acceptor = spawn_with(&net, 2, without);
        dialler.dial(&address(2)).await.unwrap();
        dialler.ping(peer(2)).await.unwrap();
        dialler.disconnect(&peer(2));
        until(|| acceptor.peers().is_empty() && dialler.peers().is_empty()).await;
        let (reply, took) = elapsed(dialler.dial_and_ping(&address(2))).await;
        reply.unwrap();
        assert_round_trips(took, 2);
    });
}

#[test]
fn a_peer_that_returns_at_another_listening_address_resumes_too() {
    in_virtual_time(async {
        let net = quiet_net(4);
        let other_port = PORT + 1;
        let sockets =
            [PORT, other_port].map(|port| SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)));
        let acceptor = P2PConfig {
            listen_addresses: sockets.map(Address::from).to_vec(),
            ..config()
        };
        let (dialler, acceptor) = (spawn(&net, 1), spawn_with(&net, 2, acceptor));
        dialler.dial(&address(2)).await.unwrap();
        dialler.ping(peer(2)).await.unwrap();
        dialler.disconnect(&peer(2));
        until(|| acceptor.peers().is_empty() && dialler.peers().is_empty()).await;

        let other = Address::from(SocketAddr::new(ip(2), other_port)).with_peer_id(peer(2));
        let (reply, took) = elapsed(dialler.dial_and_ping(&other)).await;
        reply.unwrap();
        assert_round_trips(took, 1);
    });
}

#[test]
fn a_peer_that_is_connected_is_pinged_without_another_handshake() {
    in_virtual_time(async {
        let net = quiet_net(3);
        let (dialler, _acceptor) = connected_pair(&net).await;
        let before = dialler.swarm().connection(&peer(2)).unwrap().stats();
        let (reply, took) = elapsed(dialler.dial_and_ping(&address(2))).await;
        reply.unwrap();
        assert_round_trips(took, 1);
        let after = dialler.swarm().connection(&peer(2)).unwrap().stats();
        assert!(
            after.bytes_sent > before.bytes_sent,
            "the ping took another way"
        );
        assert!(took + TICKS >= after.rtt);
    });
}
