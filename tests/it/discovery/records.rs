//! Records of many nodes.

use std::time::Duration;

use bytes::Bytes;
use cretoai_network::discovery::record::immutable;
use cretoai_network::discovery::{Key, Rejection};
use cretoai_network::node::P2PNode;
use cretoai_network::services::discovery::{DiscoveryError, MutableValue, PutReceipt};
use cretoai_network::wire::codec::Payload;
use cretoai_network::wire::message::discovery::{Record, kind};
use tokio::time::{sleep, timeout};

use super::support::network;
use crate::support::nodes::{in_virtual_time, keypair, peer, quiet_net};

fn version(sequence: u64) -> MutableValue {
    MutableValue {
        salt: Bytes::from("profile"),
        value: sequence.to_string().into(),
        sequence,
        lifetime: Duration::from_secs(3_600),
    }
}

async fn put(node: &P2PNode, value: &'static str) -> PutReceipt {
    node.discovery().put_immutable(value).await.unwrap()
}

#[test]
fn what_one_node_puts_all_others_get() {
    in_virtual_time(async {
        let net = quiet_net(41);
        let nodes = network(&net, 25).await;
        let one = put(&nodes[3], "value").await;
        assert!(one.replicas >= 10, "{one:?}");
        nodes[4].discovery().put_mutable(version(1)).await.unwrap();
        sleep(Duration::from_secs(2)).await;
        for node in &nodes {
            let discovery = node.discovery();
            assert_eq!(discovery.get_immutable(one.key).await.unwrap(), "value");
            let hardened = discovery.get_hardened(kind::IMMUTABLE, one.key).await;
            assert_eq!(hardened.unwrap().value(), "value");
            let got = discovery.get_mutable(peer(5), b"profile").await.unwrap();
            assert_eq!((got.sequence, got.value), (1, Bytes::from("1")));
        }
    });
}

#[test]
fn a_later_version_supersedes_and_an_earlier_one_is_refused() {
    in_virtual_time(async {
        let net = quiet_net(42);
        let nodes = network(&net, 10).await;
        let owner = keypair(500);
        let discovery = nodes[0].discovery();
        for sequence in [1, 2] {
            discovery
                .put_mutable_as(&owner, version(sequence))
                .await
                .unwrap();
        }
        sleep(Duration::from_secs(2)).await;
        let got = nodes[9]
            .discovery()
            .get_mutable(owner.peer_id(), b"profile")
            .await;
        assert_eq!(got.unwrap().sequence, 2);
        let earlier = discovery.put_mutable_as(&owner, version(1)).await;
        assert_eq!(
            earlier,
            Err(DiscoveryError::Rejected(Rejection::Superseded))
        );
    });
}

#[test]
fn what_cannot_be_put_is_the_callers_error() {
    in_virtual_time(async {
        let nodes = network(&quiet_net(43), 2).await;
        let discovery = nodes[0].discovery();
        let long = discovery.put_immutable(vec![0; (16 << 10) + 1]).await;
        assert!(matches!(long, Err(DiscoveryError::Draft(_))), "{long:?}");
        let salt = MutableValue {
            salt: vec![0; 65].into(),
            ..version(1)
        };
        assert!(discovery.put_mutable(salt).await.is_err());
        let unknown = Record {
            kind: 999,
            body: Payload::try_from(Bytes::new()).unwrap(),
        };
        let refused = discovery.put_record(unknown).await;
        assert_eq!(
            refused,
            Err(DiscoveryError::Rejected(Rejection::UnknownKind))
        );
        let unknown = discovery.get(999, Key::of_value(b"")).await;
        assert_eq!(
            unknown,
            Err(DiscoveryError::Rejected(Rejection::UnknownKind))
        );
    });
}

#[test]
fn many_records_are_put_together_and_can_be_let_go() {
    in_virtual_time(async {
        let nodes = network(&quiet_net(44), 12).await;
        let made = (0..100_u32).map(|number| immutable(number.to_le_bytes().to_vec().into()));
        let (keys, records): (Vec<_>, Vec<_>) = made.map(Result::unwrap).unzip();
        let put = nodes[0].discovery().put_many(records).await.unwrap();
        assert_eq!((put.complete + put.incomplete, put.rejected), (100, 0));
        for key in &keys {
            nodes[7].discovery().get_immutable(*key).await.unwrap();
        }
        let discovery = nodes[0].discovery();
        assert_eq!(discovery.stats().await.unwrap().publications, 100);
        discovery.unpublish(kind::IMMUTABLE, keys[0]).await.unwrap();
        assert_eq!(discovery.stats().await.unwrap().publications, 99);
    });
}

#[test]
fn a_command_that_is_dropped_is_given_up() {
    in_virtual_time(async {
        let nodes = network(&quiet_net(45), 30).await;
        let discovery = nodes[0].discovery();
        // Far more than may be under way at once: if they went on, the last would be refused.
        for number in 0..3_000_u32 {
            let key = Key::of_value(&number.to_le_bytes());
            let given_up = timeout(Duration::ZERO, discovery.closest_peers(key)).await;
            assert!(given_up.is_err(), "{given_up:?}");
        }
        let closest = discovery.closest_peers(Key::of_value(b"x")).await.unwrap();
        assert_eq!(closest.len(), 20);
    });
}
