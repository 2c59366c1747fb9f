//! Dials from fresh identities.

use std::time::Duration;

use cretoai_network::identity::PeerId;
use cretoai_network::node::P2PNode;
use cretoai_network::p2p::{EventStream, SwarmEvent};
use cretoai_network::wire::Address;
use tokio::time::{Instant, timeout};

use super::{Part, Reply, Trouble, say, start, to_micros};

/// How long a closed connection may take to be gone: it is this node's own work.
const PARTING: Duration = Duration::from_secs(5);

/// Each fresh node meets one of `addresses` for the first time, and returns once.
pub(super) async fn run(
    network: &str,
    addresses: &[Address],
    contacts: u32,
) -> Result<Reply, Trouble> {
    let mut micros = Vec::new();
    for (done, address) in (1..=contacts).zip(addresses.iter().cycle()) {
        let node = start(network, Part::Passing)?;
        let samples = meet_twice(&node, address).await;
        node.shutdown().await;
        micros.extend(samples?);
        say(&Reply::Progress { done: done.into() })?;
    }
    Ok(Reply::Contact { micros })
}

async fn meet_twice(node: &P2PNode, address: &Address) -> Result<[u64; 2], Trouble> {
    let mut events = node.events();
    let (peer, first) = dial(node, address).await?;
    // The ticket for the return comes with the first answer.
    node.ping(peer).await?;
    node.disconnect(&peer);
    timeout(PARTING, parted(&mut events, peer)).await?;
    let (_, second) = dial(node, address).await?;
    Ok([first, second])
}

async fn dial(node: &P2PNode, address: &Address) -> Result<(PeerId, u64), Trouble> {
    let start = Instant::now();
    let peer = node.dial(address).await?;
    Ok((peer, to_micros(start.elapsed())))
}

/// A dial to a connected peer would return at once.
async fn parted(events: &mut EventStream, peer: PeerId) {
    while let Some(event) = events.next().await {
        let what = event.map(|event| event.what);
        if matches!(what, Ok(SwarmEvent::PeerDisconnected { peer: who, .. }) if who == peer) {
            return;
        }
    }
}
