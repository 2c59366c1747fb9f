//! Finding peers and records.

use std::time::Duration;

use cretoai_network::discovery::Key;
use cretoai_network::identity::PeerId;
use cretoai_network::node::P2PNode;
use cretoai_network::services::discovery::DiscoveryError;
use cretoai_network::wire::Address;
use tokio::time::{Instant, sleep};

use super::super::control::Reply;
use super::{Part, Trouble, start, to_micros};

/// How often the table is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// How long a table may take to fill.
const PATIENCE: Duration = Duration::from_secs(20);

/// Enters through the first seed that answers; the time until this many nodes are known.
pub(super) async fn enter(
    node: &P2PNode,
    seeds: &[Address],
    contacts: usize,
) -> Result<Reply, Trouble> {
    let start = Instant::now();
    for seed in seeds {
        node.dial(seed).await?;
    }
    while node.discovery().table().await?.len() < contacts {
        if start.elapsed() > PATIENCE {
            return Err("the table does not fill".into());
        }
        // Whoever was first has nobody to ask; it is found by the others.
        if !seeds.is_empty() {
            match node.discovery().bootstrap().await {
                // The seed has not said yet that it answers.
                Ok(_) | Err(DiscoveryError::NoContacts) => {}
                Err(error) => return Err(error.into()),
            }
        }
        sleep(LOOK_EVERY).await;
    }
    let micros = to_micros(start.elapsed());
    Ok(Reply::Enter { micros })
}

/// Finds each peer; those that are not found have no time.
pub(super) async fn find(node: &P2PNode, peers: &[String]) -> Result<Reply, Trouble> {
    let mut micros = Vec::new();
    for peer in peers {
        let peer: PeerId = peer.parse()?;
        let start = Instant::now();
        match node.discovery().find_peer(peer).await {
            Ok(_) => {
                let span = to_micros(start.elapsed());
                // Found is who can be talked to.
                if node.connect(peer).await.is_ok() {
                    micros.push(span);
                }
            }
            Err(DiscoveryError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Reply::Find { micros })
}

/// Stores records with values of this node's own.
pub(super) async fn put(node: &P2PNode, records: u32) -> Result<Reply, Trouble> {
    let mut keys = Vec::new();
    for number in 0..records {
        let value = format!("{} {number}", node.peer_id());
        let receipt = node.discovery().put_immutable(value).await?;
        keys.push(PeerId::from_bytes(*receipt.key.as_bytes()).to_string());
    }
    Ok(Reply::Put { keys })
}

/// Looks for records from a node that holds none, beside this one; their keys prove their values.
pub(super) async fn get(
    network: &str,
    seeds: Vec<Address>,
    keys: &[String],
) -> Result<Reply, Trouble> {
    let visitor = start(network, Part::Visiting(seeds))?;
    let found = get_all(&visitor, keys).await;
    visitor.shutdown().await;
    Ok(Reply::Get { found: found? })
}

async fn get_all(visitor: &P2PNode, keys: &[String]) -> Result<u64, Trouble> {
    visitor.discovery().bootstrap().await?;
    let mut found = 0;
    for key in keys {
        let key = Key::from(key.parse::<PeerId>()?);
        match visitor.discovery().get_immutable(key).await {
            Ok(_) => found += 1,
            Err(DiscoveryError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(found)
}
