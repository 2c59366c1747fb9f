//! Networks of nodes that enter through the first.

use std::time::Duration;

use cretoai_network::node::{P2PConfig, P2PNode};
use cretoai_network::sim::Net;
use cretoai_network::wire::Address;
use tokio::time::sleep;

use crate::support::nodes::{PORT, config, ip, spawn_with};

/// The first node's address, without its identity.
pub(super) fn seed() -> Address {
    std::net::SocketAddr::new(ip(1), PORT).into()
}

/// A node that enters through the first.
pub(super) fn entering() -> P2PConfig {
    P2PConfig {
        bootstrap_nodes: vec![seed()],
        ..config()
    }
}

/// Nodes 1 to `count`: the first waits, the others enter through it one after the other, and then all
/// have time to settle.
pub(super) async fn network(net: &Net, count: u16) -> Vec<P2PNode> {
    let mut nodes = vec![spawn_with(net, 1, config())];
    for number in 2..=count {
        nodes.push(spawn_with(net, number, entering()));
        sleep(Duration::from_millis(50)).await;
    }
    sleep(Duration::from_secs(5)).await;
    nodes
}

/// Nodes in a node's table.
pub(super) async fn contacts(node: &P2PNode) -> usize {
    node.discovery().table().await.unwrap().len()
}
