//! One node of the demonstration, seen from inside: reads commands, prints replies.

mod contact;
mod discovery;
mod flood;
mod produce;
mod store;

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use cretoai_network::crypto::AwsLc;
use cretoai_network::identity::{Keypair, PeerId};
use cretoai_network::node::{P2PConfig, P2PNode};
use cretoai_network::p2p::Reachability;
use cretoai_network::wire::Address;
use tokio::io::{AsyncBufReadExt, BufReader, stdin};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use self::flood::Counter;
use self::store::Store;
use super::control::{Command, Holding, Reply};
use crate::failure::Failure;
use crate::output::print_line;

/// How long a request may take: the count of all messages is one.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(90);

#[derive(Debug, Args)]
pub(crate) struct DemoNode {
    /// Name of the network.
    #[arg(long, value_name = "NAME")]
    network: String,
}

/// The node and what its handlers share.
struct Worker {
    network: String,
    node: P2PNode,
    store: Arc<Store>,
}

/// Why a command could not be carried out; its text goes to the demonstration.
type Trouble = Box<dyn std::error::Error + Send + Sync>;

impl DemoNode {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let node = start(&self.network, Part::Living)?;
        let store = Store::serve(&node)?;
        Counter::serve(&node)?;
        for address in node.listen_addresses() {
            say(&Reply::Ready {
                peer: node.peer_id().to_string(),
                address: address.to_string(),
            })?;
        }
        let worker = Worker {
            network: self.network,
            node,
            store,
        };
        let outcome = worker.obey().await;
        worker.node.shutdown().await;
        outcome
    }
}

impl Worker {
    /// Carries out one command after the other, until the input ends: also in the middle of one.
    async fn obey(&self) -> Result<(), Failure> {
        let (sender, mut lines) = mpsc::channel(1);
        let reading = async move {
            let mut input = BufReader::new(stdin()).lines();
            while let Ok(Some(line)) = input.next_line().await {
                if sender.send(line).await.is_err() {
                    break;
                }
            }
        };
        let working = async {
            while let Some(line) = lines.recv().await {
                let reply = self.carry_out(&line).await;
                say(&reply.unwrap_or_else(|trouble| Reply::Failed {
                    message: trouble.to_string(),
                }))?;
            }
            Ok(())
        };
        tokio::select! {
            () = reading => Ok(()),
            outcome = working => outcome,
        }
    }

    async fn carry_out(&self, line: &str) -> Result<Reply, Trouble> {
        match serde_json::from_str(line)? {
            Command::Join { addresses } => self.join(&addresses).await,
            Command::Contact {
                addresses,
                contacts,
            } => contact::run(&self.network, &parse_all(&addresses)?, contacts).await,
            Command::Ping { peer, count } => self.ping(peer.parse()?, count).await,
            Command::Flood { peer, messages } => {
                flood::run(&self.node, peer.parse()?, messages).await
            }
            Command::Produce { vertices, seed } => {
                produce::run(&self.node, &self.store, vertices, seed).await
            }
            Command::Settle {
                vertices,
                patience_ms,
            } => Ok(self
                .settle(vertices, Duration::from_millis(patience_ms))
                .await),
            Command::Enter { seeds, contacts } => {
                discovery::enter(&self.node, &parse_all(&seeds)?, contacts).await
            }
            Command::Find { peers } => discovery::find(&self.node, &peers).await,
            Command::Put { records } => discovery::put(&self.node, records).await,
            Command::Get { keys } => {
                let seeds = self.node.listen_addresses();
                discovery::get(&self.network, seeds, &keys).await
            }
        }
    }

    async fn join(&self, addresses: &[String]) -> Result<Reply, Trouble> {
        for address in parse_all(addresses)? {
            self.node.dial(&address).await?;
        }
        Ok(Reply::Join {
            connected: addresses.len(),
        })
    }

    async fn ping(&self, peer: PeerId, count: u32) -> Result<Reply, Trouble> {
        let mut micros = Vec::new();
        for _ in 0..count {
            micros.push(to_micros(self.node.ping(peer).await?));
        }
        Ok(Reply::Ping { micros })
    }

    async fn settle(&self, vertices: usize, patience: Duration) -> Reply {
        let complete = self.store.wait_for(vertices);
        // What is missing then is told by the numbers.
        _ = timeout_at(Instant::now() + patience, complete).await;
        Reply::Settle(self.store.holding())
    }
}

/// What a node is to the network.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// A member, which finds others and is found.
    Living,
    /// One that connects for a moment: nobody should remember it.
    Passing,
    /// One that asks through these nodes, and holds nothing.
    Visiting(Vec<Address>),
}

/// A node with a fresh identity on a free loopback port.
fn start(network: &str, part: Part) -> Result<P2PNode, Failure> {
    let loopback = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let config = P2PConfig {
        network: network.to_owned(),
        listen_addresses: vec![loopback.into()],
        request_timeout: REQUEST_TIMEOUT,
        enable_discovery: part != Part::Passing,
        reachability: match part {
            Part::Visiting(_) => Reachability::Private,
            Part::Living | Part::Passing => Reachability::default(),
        },
        bootstrap_nodes: match part {
            Part::Visiting(seeds) => seeds,
            Part::Living | Part::Passing => Vec::new(),
        },
        ..P2PConfig::default()
    };
    let keypair = Keypair::generate(Arc::new(AwsLc))?;
    Ok(P2PNode::builder(keypair).config(config).spawn()?)
}

fn say(reply: &Reply) -> Result<(), Failure> {
    let line = serde_json::to_string(reply).map_err(|error| Failure::Output(error.into()))?;
    print_line(line)
}

fn parse_all(addresses: &[String]) -> Result<Vec<Address>, Trouble> {
    let parsed = addresses.iter().map(|address| Ok(address.parse()?));
    parsed.collect()
}

fn to_micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
