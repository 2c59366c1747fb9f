//! Entering a network.

use clap::Args;
use cretoai_network::node::{P2PConfig, P2PNode};
use cretoai_network::p2p::Reachability;
use cretoai_network::wire::Address;

use crate::failure::Failure;
use crate::start::Visitor;

/// How a command enters the network.
#[derive(Debug, Args)]
pub(crate) struct Entry {
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
    pub(crate) async fn visit(self) -> Result<P2PNode, Failure> {
        self.enter(P2PConfig {
            reachability: Reachability::Private,
            ..without_gossip()
        })
        .await
    }

    /// The same, to take part in topics.
    pub(crate) async fn visit_topics(self) -> Result<P2PNode, Failure> {
        self.enter(P2PConfig {
            reachability: Reachability::Private,
            ..P2PConfig::default()
        })
        .await
    }

    /// A node that has entered and stays.
    pub(crate) async fn settle(self) -> Result<P2PNode, Failure> {
        self.enter(without_gossip()).await
    }

    async fn enter(self, config: P2PConfig) -> Result<P2PNode, Failure> {
        let node = self.visitor.start_among(P2PConfig {
            bootstrap_nodes: self.bootstrap,
            ..config
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

fn without_gossip() -> P2PConfig {
    P2PConfig {
        enable_gossip: false,
        ..P2PConfig::default()
    }
}
