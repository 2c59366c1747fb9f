//! Two processes that run with one identity.

use std::time::Duration;

use cretoai_network::p2p::SwarmEvent;

use crate::support::nodes::{ROUND_TRIP, in_virtual_time, ip, peer, quiet_net};
use crate::support::peer::{Peer, pass};

/// Dials of each twin.
const DIALS: usize = 10;

/// What one dial may make a third node tell: the connection, that it took over, an introduction, an
/// observed address, and the end of the former one.
const EVENTS_A_DIAL: usize = 5;

#[test]
fn two_nodes_with_one_identity_displace_each_other_only_as_often_as_they_dial() {
    in_virtual_time(async {
        let net = quiet_net(1);
        let mut bob = Peer::start(&net, ip(2), 2);
        let twins = [Peer::start(&net, ip(11), 1), Peer::start(&net, ip(12), 1)];
        for _ in 0..DIALS {
            for twin in &twins {
                twin.node.dial(&bob.address()).await.unwrap();
                pass(Duration::from_secs(6)).await;
                assert!(twin.is_connected(2), "the newer connection stays");
                assert_eq!(bob.node.peers(), [peer(1)]);
            }
            assert!(!twins[0].is_connected(2), "the older one was closed");
        }
        let told = bob.events.drain().len();
        assert!(told <= 2 * DIALS * EVENTS_A_DIAL, "{told} events");
        pass(Duration::from_secs(600)).await;
        assert_eq!(bob.events.drain(), [], "nothing goes on by itself");
        assert!(twins[1].is_connected(2));
    });
}

#[test]
fn two_nodes_with_one_identity_that_dial_at_once_come_to_rest() {
    in_virtual_time(async {
        let net = quiet_net(2);
        let mut bob = Peer::start(&net, ip(2), 2);
        let twins = [Peer::start(&net, ip(11), 1), Peer::start(&net, ip(12), 1)];
        let to_bob = bob.address();
        let dials = (twins[0].node.dial(&to_bob), twins[1].node.dial(&to_bob));
        let (first, second) = tokio::join!(dials.0, dials.1);
        assert!(first.is_ok() && second.is_ok());
        pass(Duration::from_secs(10)).await;
        bob.events.drain();
        pass(Duration::from_secs(600)).await;
        assert_eq!(bob.events.drain(), []);
        let connected = twins.iter().filter(|twin| twin.is_connected(2)).count();
        assert_eq!(connected, 1);
    });
}

#[test]
fn twins_dialled_by_a_third_node_come_to_rest() {
    in_virtual_time(async {
        let net = quiet_net(3);
        let mut bob = Peer::start(&net, ip(2), 2);
        let twins = [Peer::start(&net, ip(11), 1), Peer::start(&net, ip(12), 1)];
        twins[0].node.dial(&bob.address()).await.unwrap();
        pass(4 * ROUND_TRIP).await;
        // Connected already: the second address is not dialled.
        bob.node.dial(&twins[1].address()).await.unwrap();
        pass(Duration::from_secs(10)).await;
        bob.events.drain();
        pass(Duration::from_secs(600)).await;
        let restless = |event: &SwarmEvent| event.to_string();
        let told: Vec<_> = bob.events.drain().iter().map(restless).collect();
        assert!(told.is_empty(), "{told:?}");
        assert_eq!(bob.node.peers(), [peer(1)]);
    });
}

#[test]
fn a_node_does_not_connect_to_its_own_twin() {
    in_virtual_time(async {
        let net = quiet_net(4);
        let twins = [Peer::start(&net, ip(11), 1), Peer::start(&net, ip(12), 1)];
        assert!(twins[0].node.dial(&twins[1].address()).await.is_err());
        let unnamed = cretoai_network::wire::Address::from(twins[1].socket());
        assert!(twins[0].node.dial(&unnamed).await.is_err());
        pass(Duration::from_secs(1)).await;
        assert!(twins.iter().all(|twin| twin.node.peers().is_empty()));
    });
}
