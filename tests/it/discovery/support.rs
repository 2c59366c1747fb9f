//! Networks of nodes that enter through the first.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use cretoai_network::identity::PeerId;
use cretoai_network::node::{P2PConfig, P2PNode};
use cretoai_network::p2p::{OutboundRequest, RequestError};
use cretoai_network::sim::Net;
use cretoai_network::wire::Address;
use cretoai_network::wire::codec::encode;
use cretoai_network::wire::message::VERSION;
use cretoai_network::wire::message::discovery::{
    ACCEPTOR_READS, FIND_NODE, FindNode, PROTOCOL, reads_after,
};
use tokio::time::sleep;

use crate::support::nodes::{PORT, config, ip, spawn_with};

/// A node with discovery that waits for others.
pub(super) fn waiting() -> P2PConfig {
    P2PConfig {
        enable_discovery: true,
        ..config()
    }
}

/// The address of a node's host, without an identity.
pub(super) fn host(number: u16) -> Address {
    SocketAddr::new(ip(number), PORT).into()
}

/// A node that enters through the first.
pub(super) fn entering() -> P2PConfig {
    P2PConfig {
        bootstrap_nodes: vec![host(1)],
        ..waiting()
    }
}

/// Nodes 1 to `count`: the first waits, the others enter through it one after the other, and then all
/// have time to settle.
pub(super) async fn network(net: &Net, count: u16) -> Vec<P2PNode> {
    let mut nodes = vec![spawn_with(net, 1, waiting())];
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

/// Whether a node has a peer in its table.
pub(super) async fn has(node: &P2PNode, peer: PeerId) -> bool {
    let table = node.discovery().table().await.unwrap();
    table.iter().any(|entry| entry.contact.peer == peer)
}

/// A question for the nodes near nothing in particular.
pub(super) fn question() -> OutboundRequest {
    OutboundRequest {
        protocol: PROTOCOL,
        version: VERSION,
        kind: FIND_NODE,
        body: encode(&FindNode {
            target: [7; 32],
            want: 20,
        }),
        requests: ACCEPTOR_READS,
        responses: reads_after(FIND_NODE),
    }
}

/// Asks a connected peer that question.
pub(super) async fn ask(node: &P2PNode, peer: PeerId) -> Result<Bytes, RequestError> {
    let deadline = Duration::from_secs(5);
    let reply = node.swarm().request(peer, &question(), deadline).await?;
    Ok(reply.body)
}
