//! Whoever finds no room in a mesh learns of others.

use std::collections::BTreeSet;
use std::time::Duration;

use cretoai_network::node::P2PConfig;
use cretoai_network::services::gossip::{GossipSettings, SubscribeOptions};
use tokio::time::sleep;

use super::support::{TOPIC, gossiping, next, say, subscribe_all};
use crate::support::nodes::{address, in_virtual_time, peer, quiet_net, spawn_with};

/// A node with a plain mesh: in others, members come and go as they are tried.
fn plain(gossip: GossipSettings) -> P2PConfig {
    P2PConfig {
        gossip: GossipSettings {
            by_source: false,
            ..gossip
        },
        ..gossiping()
    }
}

/// The smallest mesh that is allowed.
fn narrow() -> P2PConfig {
    plain(GossipSettings {
        mesh_n_low: 3,
        mesh_n: 4,
        mesh_n_high: 4,
        ..GossipSettings::default()
    })
}

fn wide() -> P2PConfig {
    plain(GossipSettings::default())
}

/// Node 1 has its mesh full of those that it dialled, and the others have room. A newcomer that knows only
/// node 1 is pruned, and after some messages it believes whom node 1 recommends.
#[test]
fn a_pruned_node_learns_of_others_and_connects() {
    in_virtual_time(async {
        let net = quiet_net(84);
        let mut nodes = vec![spawn_with(&net, 1, narrow())];
        for number in 2..=5 {
            let node = spawn_with(&net, number, wide());
            for other in 2..number {
                node.dial(&address(other)).await.unwrap();
            }
            nodes[0].dial(&address(number)).await.unwrap();
            nodes.push(node);
        }
        let mut subscriptions = subscribe_all(&nodes, &SubscribeOptions::default()).await;
        let newcomer = spawn_with(&net, 6, wide());
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
        for number in 0..280 {
            say(&nodes[1], &number.to_string()).await;
            sleep(Duration::from_millis(250)).await;
        }
        sleep(Duration::from_secs(5)).await;
        let connected = nodes[5].peers();
        assert!(connected.len() > 1, "{connected:?}");
        let known = nodes[5].gossip().neighbours(TOPIC).await.unwrap();
        let grafted = known
            .iter()
            .filter(|one| one.in_mesh && one.peer != peer(1));
        assert!(grafted.count() > 0, "{known:?}");
        let mut heard = BTreeSet::new();
        for _ in 0..280 {
            heard.insert(next(&mut subscriptions[5]).await.data);
        }
        assert_eq!(heard.len(), 280);
        for node in &nodes {
            for other in 1..=6 {
                assert_eq!(node.reputation(&peer(other)), 0);
            }
        }
    });
}
