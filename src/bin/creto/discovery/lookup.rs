//! `creto lookup`

use clap::Args;
use cretoai_network::node::P2PNode;
use cretoai_network::services::discovery::{DiscoveryError, PeerInfo};
use serde_json::json;

use super::place::Place;
use crate::entry::Entry;
use crate::failure::Failure;
use crate::output::print_line;

/// Providers that are looked for: one screen of them.
const MOST: usize = 20;

#[derive(Debug, Args)]
pub(crate) struct Lookup {
    /// A peer id, or a key with `--closest` or `--providers`.
    #[arg(
        value_name = "ID",
        required_unless_present = "role",
        conflicts_with = "role"
    )]
    place: Option<Place>,
    /// Find the nodes that are nearest to the key instead of the peer with this id.
    #[arg(long, conflicts_with_all = ["providers", "role"])]
    closest: bool,
    /// Find who provides the key.
    #[arg(long, conflicts_with = "role")]
    providers: bool,
    /// Find live nodes with this role.
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// Print JSON, one object a line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    entry: Entry,
}

impl Lookup {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let question = Question {
            place: self.place,
            closest: self.closest,
            providers: self.providers,
            role: self.role,
        };
        let node = self.entry.visit().await?;
        let found = question.answer(&node).await;
        node.shutdown().await;
        let found = found?;
        if found.is_empty() {
            return Err(DiscoveryError::NotFound.into());
        }
        found.iter().try_for_each(|peer| print(peer, self.json))
    }
}

struct Question {
    place: Option<Place>,
    closest: bool,
    providers: bool,
    role: Option<String>,
}

impl Question {
    async fn answer(&self, node: &P2PNode) -> Result<Vec<PeerInfo>, DiscoveryError> {
        let discovery = node.discovery();
        match (&self.role, self.place) {
            (Some(role), _) => discovery.find_role(role, MOST).await,
            (None, Some(place)) if self.closest => discovery.closest_peers(place.0).await,
            (None, Some(place)) if self.providers => discovery.find_providers(place.0, MOST).await,
            (None, Some(place)) => {
                let peer_id = place.peer();
                let addresses = discovery.find_peer(peer_id).await?;
                Ok(vec![PeerInfo {
                    peer_id,
                    addresses,
                    last_seen: None,
                    reputation: node.reputation(&peer_id),
                }])
            }
            (None, None) => Err(DiscoveryError::NotFound),
        }
    }
}

/// One line a peer; the addresses are what was asked for.
fn print(peer: &PeerInfo, json: bool) -> Result<(), Failure> {
    let addresses: Vec<_> = peer.addresses.iter().map(ToString::to_string).collect();
    if json {
        let peer = peer.peer_id.to_string();
        return print_line(json!({"peer": peer, "addresses": addresses}));
    }
    print_line(format_args!(
        "peer={} addresses={}",
        peer.peer_id,
        addresses.join(",")
    ))
}
