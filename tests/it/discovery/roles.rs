//! Nodes that say what they are.

use std::collections::BTreeSet;
use std::time::Duration;

use cretoai_network::discovery::Key;
use cretoai_network::identity::PeerId;
use cretoai_network::node::P2PNode;
use cretoai_network::services::discovery::{DiscoveryError, ROLE_CONSENSUS, ROLE_RELAY, RoleError};
use tokio::time::sleep;

use super::support::network;
use crate::support::nodes::{in_virtual_time, ip, peer, quiet_net};

async fn with_role(node: &P2PNode, role: &str, limit: usize) -> BTreeSet<PeerId> {
    let found = node.discovery().find_role(role, limit).await.unwrap();
    found.into_iter().map(|one| one.peer_id).collect()
}

#[test]
fn live_nodes_with_a_role_are_found_and_dead_ones_are_not() {
    in_virtual_time(async {
        let net = quiet_net(31);
        let mut nodes = network(&net, 25).await;
        for node in &nodes[4..7] {
            node.discovery()
                .advertise_role(ROLE_CONSENSUS)
                .await
                .unwrap();
        }
        sleep(Duration::from_secs(2)).await;
        let all: BTreeSet<_> = [5, 6, 7].map(peer).into();
        for node in [&nodes[0], &nodes[14], &nodes[24]] {
            assert_eq!(with_role(node, ROLE_CONSENSUS, 10).await, all);
            assert_eq!(with_role(node, ROLE_CONSENSUS, 2).await.len(), 2);
            assert!(with_role(node, ROLE_RELAY, 10).await.is_empty());
        }
        net.kill(ip(6));
        drop(nodes.remove(5));
        let alive: BTreeSet<_> = [5, 7].map(peer).into();
        assert_eq!(with_role(&nodes[0], ROLE_CONSENSUS, 10).await, alive);
    });
}

#[test]
fn who_withdraws_a_role_or_a_key_is_not_found_any_more() {
    in_virtual_time(async {
        let net = quiet_net(32);
        let nodes = network(&net, 8).await;
        let (first, second) = (nodes[0].discovery(), nodes[1].discovery());
        first.advertise_role("gateway").await.unwrap();
        let key = Key::of_value(b"a file");
        first.provide(key).await.unwrap();
        sleep(Duration::from_secs(1)).await;
        assert_eq!(second.find_role("gateway", 5).await.unwrap().len(), 1);
        let providers = second.find_providers(key, 5).await.unwrap();
        assert_eq!(providers[0].peer_id, peer(1));
        first.withdraw_role("gateway").await.unwrap();
        first.stop_providing(key).await.unwrap();
        sleep(Duration::from_secs(1)).await;
        assert!(second.find_role("gateway", 5).await.unwrap().is_empty());
        assert!(second.find_providers(key, 5).await.unwrap().is_empty());
        assert_eq!(first.stats().await.unwrap().publications, 0);
    });
}

#[test]
fn a_name_that_is_no_role_is_refused() {
    in_virtual_time(async {
        let nodes = network(&quiet_net(33), 1).await;
        let discovery = nodes[0].discovery();
        let refused = discovery.advertise_role("").await;
        assert_eq!(refused, Err(DiscoveryError::Role(RoleError::Length(0))));
        assert!(discovery.find_role("\n", 1).await.is_err());
        assert!(discovery.withdraw_role(&"x".repeat(65)).await.is_err());
    });
}
