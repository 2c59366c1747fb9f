//! Gossip between nodes that have two connections for a while.

use std::net::SocketAddr;
use std::time::Duration;

use cretoai_network::services::gossip::SubscribeOptions;
use cretoai_network::sim::LinkProfile;
use cretoai_network::wire::Address;
use tokio::time::sleep;

use super::support::{TOPIC, gossiping, next, say};
use crate::support::nodes::{PORT, in_virtual_time, ip, net_with, spawn_with};

/// After this, nothing changes any more: the longest wait of the rule about duplicates and some.
const SETTLED: Duration = Duration::from_secs(10);

#[test]
fn two_connections_of_one_dialler_keep_nobody_from_gossip() {
    all_gossip([(1, 2), (1, 2)]);
}

#[test]
fn connections_dialled_from_both_ends_keep_nobody_from_gossip() {
    all_gossip([(1, 2), (2, 1)]);
}

/// Two dials, from and to these nodes, a moment apart. The ends may see the connections confirmed in different
/// orders, and each takes the later one until one of them closes the other: what one end opens then comes on a connection
/// that is not the choice of the other.
fn all_gossip(dials: [(u16, u16); 2]) {
    for seed in 0..60 {
        in_virtual_time(async {
            let latency = Duration::from_millis(1 + seed % 40);
            let link = LinkProfile {
                jitter: latency,
                loss: if seed % 3 == 0 { 0.05 } else { 0.0 },
                ..LinkProfile::with_latency(latency)
            };
            let net = net_with(seed, link);
            let nodes = [1, 2].map(|number| spawn_with(&net, number, gossiping()));
            let mut subscriptions = Vec::new();
            for node in &nodes {
                let options = SubscribeOptions::default();
                let subscription = node.gossip().subscribe(TOPIC, options).await;
                subscriptions.push(subscription.unwrap());
            }
            let offset = latency * u32::try_from(seed % 4).unwrap() / 2;
            let dials = dials.map(|(from, to)| {
                let node = nodes[usize::from(from) - 1].clone();
                // Whoever answers: that two dials lead to one node is seen only then.
                let place = Address::from(SocketAddr::new(ip(to), PORT));
                async move { node.dial(&place).await }
            });
            let [first, second] = dials;
            let second = async {
                sleep(offset).await;
                second.await
            };
            let (first, second) = tokio::join!(first, second);
            assert!(first.is_ok() || second.is_ok(), "seed {seed}");
            sleep(SETTLED).await;
            for (number, node) in nodes.iter().enumerate() {
                let neighbours = node.gossip().neighbours(TOPIC).await.unwrap();
                assert_eq!(neighbours.len(), 1, "seed {seed}, node {number}");
                say(node, &format!("of {number}")).await;
            }
            for (number, subscription) in subscriptions.iter_mut().enumerate() {
                let expected = format!("of {}", 1 - number);
                assert_eq!(next(subscription).await.data, expected, "seed {seed}");
            }
        });
    }
}
