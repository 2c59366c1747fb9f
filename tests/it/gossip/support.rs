//! Nodes that gossip.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use cretoai_network::gossip::Message;
use cretoai_network::node::{P2PConfig, P2PNode};
use cretoai_network::services::gossip::{Received, SubscribeOptions, Subscription};
use cretoai_network::sim::Net;
use cretoai_network::wire::codec::{WireType, encode};
use cretoai_network::wire::frame::encode_frame;
use tokio::time::{sleep, timeout};

use crate::support::nodes::{address, config, spawn_with};

pub(super) const TOPIC: &str = "vertices";

/// Longest that a message is waited for, in virtual time.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Header of a stream of gossip: protocol 5, version 1.
pub(super) const HEADER: [u8; 2] = [5, 1];

pub(super) fn frame<T: WireType>(kind: u8, body: &T) -> Vec<u8> {
    let mut out = BytesMut::new();
    encode_frame(kind, &encode(body), &mut out);
    out.to_vec()
}

/// A node with gossip and without discovery.
pub(super) fn gossiping() -> P2PConfig {
    P2PConfig {
        enable_gossip: true,
        ..config()
    }
}

/// Nodes 1 to `count`, each of which has dialled up to three of those before it.
pub(super) async fn network(net: &Net, count: u16) -> Vec<P2PNode> {
    let mut nodes = Vec::new();
    for number in 1..=count {
        let node = spawn_with(net, number, gossiping());
        for other in number.saturating_sub(3)..number {
            if other > 0 {
                node.dial(&address(other)).await.unwrap();
            }
        }
        nodes.push(node);
    }
    nodes
}

/// A subscription of each.
pub(super) async fn subscribe_all(
    nodes: &[P2PNode],
    options: &SubscribeOptions,
) -> Vec<Subscription> {
    let mut subscriptions = Vec::new();
    for node in nodes {
        let subscribed = node.gossip().subscribe(TOPIC, options.clone()).await;
        subscriptions.push(subscribed.unwrap());
    }
    // A mesh stands within a second.
    sleep(Duration::from_secs(2)).await;
    subscriptions
}

pub(super) async fn say(node: &P2PNode, text: &str) {
    let data = Bytes::copy_from_slice(text.as_bytes());
    node.gossip().publish(TOPIC, data).await.unwrap();
}

/// The next message, in time.
pub(super) async fn next(subscription: &mut Subscription) -> Message {
    match timeout(PATIENCE, subscription.next()).await {
        Ok(Some(Received::Message(message))) => message,
        other => panic!("no message: {other:?}"),
    }
}

/// That nothing comes for a while.
pub(super) async fn is_silent(subscription: &mut Subscription) -> bool {
    timeout(Duration::from_secs(3), subscription.next())
        .await
        .is_err()
}
