//! A node of this stack, with the default configuration.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;

use bytes::Bytes;
use compare_worker::{Deliveries, Failure, Node, QUEUE, TOPIC};
use cretoai_network::crypto::AwsLc;
use cretoai_network::gossip::Published;
use cretoai_network::identity::Keypair;
use cretoai_network::node::{P2PConfig, P2PNode};
use cretoai_network::services::gossip::{GossipError, Received, SubscribeOptions, Subscription};
use tokio::task::JoinSet;

fn main() -> ExitCode {
    compare_worker::main::<Ours>()
}

#[derive(Debug)]
struct Ours {
    node: P2PNode,
    publishing: JoinSet<Result<Published, GossipError>>,
}

impl Node for Ours {
    async fn start(deliveries: Arc<Deliveries>) -> Result<Self, Failure> {
        let config = P2PConfig {
            listen_addresses: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()],
            ..P2PConfig::default()
        };
        let keypair = Keypair::generate(Arc::new(AwsLc))?;
        let node = P2PNode::builder(keypair).config(config).spawn()?;
        let options = SubscribeOptions {
            capacity: QUEUE,
            ..SubscribeOptions::default()
        };
        let subscription = node.gossip().subscribe(TOPIC, options).await?;
        tokio::spawn(count(subscription, deliveries));
        Ok(Self {
            node,
            publishing: JoinSet::new(),
        })
    }

    fn address(&self) -> String {
        let addresses = self.node.listen_addresses();
        addresses
            .first()
            .map(ToString::to_string)
            .unwrap_or_default()
    }

    async fn dial(&self, address: &str) -> Result<(), Failure> {
        self.node.dial(&address.parse()?).await?;
        Ok(())
    }

    async fn neighbours(&self) -> Result<usize, Failure> {
        let neighbours = self.node.gossip().neighbours(TOPIC).await?;
        let is_in_mesh = neighbours.iter().any(|one| one.in_mesh);
        Ok(if is_in_mesh { neighbours.len() } else { 0 })
    }

    async fn publish(&mut self, message: Bytes) -> Result<(), Failure> {
        let node = self.node.clone();
        self.publishing
            .spawn(async move { node.gossip().publish(TOPIC, message).await });
        while let Some(outcome) = self.publishing.try_join_next() {
            outcome??;
        }
        Ok(())
    }

    async fn published(&mut self) -> Result<(), Failure> {
        while let Some(outcome) = self.publishing.join_next().await {
            outcome??;
        }
        Ok(())
    }
}

async fn count(mut subscription: Subscription, deliveries: Arc<Deliveries>) {
    while let Some(received) = subscription.next().await {
        // What is lost is missing in the count.
        if let Received::Message(message) = received {
            deliveries.add(&message.data);
        }
    }
}
