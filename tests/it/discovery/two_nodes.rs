//! The smallest network.

use std::time::Duration;

use bytes::Bytes;
use cretoai_network::discovery::Key;
use cretoai_network::p2p::DialFailure;
use cretoai_network::services::discovery::{DiscoveryError, MutableValue};

use super::support::{contacts, network, waiting};
use crate::support::nodes::{in_virtual_time, peer, quiet_net, spawn, spawn_with};

#[test]
fn two_nodes_enter_find_each_other_and_share_records() {
    in_virtual_time(async {
        let net = quiet_net(1);
        let nodes = network(&net, 2).await;
        let [first, second] = &nodes[..] else {
            panic!("not two");
        };
        assert_eq!((contacts(first).await, contacts(second).await), (1, 1));
        let found = second.discovery().find_peer(peer(1)).await.unwrap();
        assert_eq!(found[0].peer_id(), Some(peer(1)));
        let put = first.discovery().put_immutable("hello").await.unwrap();
        assert_eq!(put.replicas, 1);
        let got = second.discovery().get_immutable(put.key).await.unwrap();
        assert_eq!(got, Bytes::from("hello"));
        let value = MutableValue {
            salt: Bytes::from("salt"),
            value: Bytes::from("one"),
            sequence: 1,
            lifetime: Duration::from_secs(3_600),
        };
        second.discovery().put_mutable(value).await.unwrap();
        let got = first
            .discovery()
            .get_mutable(peer(2), b"salt")
            .await
            .unwrap();
        assert_eq!((got.value, got.owner), (Bytes::from("one"), peer(2)));
    });
}

#[test]
fn a_node_alone_finds_nobody_and_says_so() {
    in_virtual_time(async {
        let net = quiet_net(2);
        let node = spawn_with(&net, 1, waiting());
        let discovery = node.discovery();
        assert_eq!(discovery.bootstrap().await, Err(DiscoveryError::NoContacts));
        assert_eq!(
            discovery.find_peer(peer(2)).await,
            Err(DiscoveryError::NotFound)
        );
        assert_eq!(node.connect(peer(2)).await, Err(DialFailure::NoAddress));
        let key = Key::of_value(b"nothing");
        let missing = discovery.get_immutable(key).await;
        assert_eq!(missing, Err(DiscoveryError::NotFound));
        let put = discovery.put_immutable("own").await.unwrap();
        assert_eq!(put.replicas, 0);
        assert_eq!(discovery.get_immutable(put.key).await.unwrap(), "own");
    });
}

#[test]
fn a_node_without_discovery_says_so() {
    in_virtual_time(async {
        let node = spawn(&quiet_net(3), 1);
        assert!(!node.discovery().is_enabled());
        let disabled = Err(DiscoveryError::Disabled);
        assert_eq!(node.discovery().bootstrap().await, disabled);
        assert!(node.discovery().events().is_err());
        node.shutdown().await;
    });
}

#[test]
fn after_shutdown_every_command_ends() {
    in_virtual_time(async {
        let node = spawn_with(&quiet_net(4), 1, waiting());
        let discovery = node.discovery().clone();
        node.shutdown().await;
        let stopped = Err(DiscoveryError::Stopped);
        assert_eq!(discovery.find_peer(peer(2)).await, stopped);
        assert_eq!(discovery.bootstrap().await, Err(DiscoveryError::Stopped));
        assert!(discovery.table().await.is_err());
    });
}
