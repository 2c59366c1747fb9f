//! Whoever finds no room in a mesh learns of others.

use std::time::Duration;

use cretoai_network::node::P2PConfig;
use cretoai_network::services::gossip::{GossipSettings, SubscribeOptions};
use tokio::time::sleep;

use super::support::{TOPIC, gossiping, next, say, subscribe_all};
use crate::support::nodes::{address, in_virtual_time, peer, quiet_net, spawn_with};

/// The smallest meshes that are allowed.
fn narrow() -> P2PConfig {
    P2PConfig {
        gossip: GossipSettings {
            mesh_n_low: 3,
            mesh_n: 4,
            mesh_n_high: 4,
            ..GossipSettings::default()
        },
        ..gossiping()
    }
}

/// Node 1 has its mesh full of those that it dialled. A newcomer that knows only node 1 is pruned, and
/// after some messages it believes whom node 1 recommends.
#[test]
fn a_pruned_node_learns_of_others_and_connects() {
    in_virtual_time(async {
        let net = quiet_net(84);
        let mut nodes: Vec<_> = (1..=5)
            .map(|number| spawn_with(&net, number, narrow()))
            .collect();
        for other in 2..=5 {
            nodes[0].dial(&address(other)).await.unwrap();
        }
        let mut subscriptions = subscribe_all(&nodes, &SubscribeOptions::default()).await;
        let newcomer = spawn_with(&net, 6, narrow());
        newcomer.dial(&address(1)).await.unwrap();
        subscriptions.extend(
            subscribe_all(
                std::slice::from_ref(&newcomer),
                &SubscribeOptions::default(),
            )
            .await,
        );
        nodes.push(newcomer);
        assert_eq!(nodes[5].peers(), [peer(1)]);
        for number in 0..140 {
            say(&nodes[1], &number.to_string()).await;
            sleep(Duration::from_millis(500)).await;
        }
        sleep(Duration::from_secs(5)).await;
        let connected = nodes[5].peers();
        eprintln!("{:?}", nodes[5].gossip().score(peer(1)).await);
        eprintln!("{:?}", nodes[5].gossip().neighbours(TOPIC).await);
        eprintln!("{:?}", nodes[0].gossip().neighbours(TOPIC).await);
        assert!(connected.len() > 1, "{connected:?}");
        let known = nodes[5].gossip().neighbours(TOPIC).await.unwrap();
        let grafted = known
            .iter()
            .filter(|one| one.in_mesh && one.peer != peer(1));
        assert!(grafted.count() > 0, "{known:?}");
        for number in 0..140 {
            assert_eq!(next(&mut subscriptions[5]).await.data, number.to_string());
        }
        for node in &nodes {
            for other in 1..=6 {
                assert_eq!(node.reputation(&peer(other)), 0);
            }
        }
    });
}
