//! Entering a network.

use clap::Args;
use cretoai_network::node::{P2PConfig, P2PNode};
use cretoai_network::p2p::Reachability;
use cretoai_network::wire::Address;

use crate::failure::Failure;
use crate::start::Visitor;

/// How a command enters the network.
#[derive(Debug, Args)]
pub(super) struct Entry {
    /// A node of the network, like `/ip4/192.0.2.7/udp/9000/quic-v1`. May be given several times; one
    /// that answers is enough.
    #[arg(long, value_name = "ADDR", required = true)]
    bootstrap: Vec<Address>,
    #[command(flatten)]
    visitor: Visitor,
}

impl Entry {
    /// A node that has entered and asks without answering: it is gone again soon, and nobody should
    /// remember it.
    pub(super) async fn visit(self) -> Result<P2PNode, Failure> {
        self.enter(Reachability::Private).await
    }

    /// A node that has entered and stays.
    pub(super) async fn settle(self) -> Result<P2PNode, Failure> {
        self.enter(Reachability::Unknown).await
    }

    async fn enter(self, reachability: Reachability) -> Result<P2PNode, Failure> {
        let node = self.visitor.start_among(P2PConfig {
            bootstrap_nodes: self.bootstrap,
            reachability,
            enable_gossip: false,
            ..P2PConfig::default()
        })?;
        match node.discovery().bootstrap().await {
            Ok(_) => Ok(node),
            Err(error) => {
                node.shutdown().await;
                Err(error.into())
            }
        }
    }
}
