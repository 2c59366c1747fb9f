//! One node of the demonstration, seen from inside: reads commands, prints replies.

mod contact;
mod discovery;
mod flood;
mod gossip;

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use cretoai_network::crypto::AwsLc;
use cretoai_network::identity::{Keypair, PeerId};
use cretoai_network::node::{P2PConfig, P2PNode};
use cretoai_network::p2p::Reachability;
use cretoai_network::wire::Address;
use tokio::io::{AsyncBufReadExt, BufReader, stdin};
use tokio::sync::{OnceCell, mpsc};
use tokio::time::{Instant, timeout_at};

use self::flood::Counter;
use self::gossip::Topics;
use super::control::{Command, Holding, Reply};
use super::dag::workload::Workload;
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

/// Time between two vertices of a node: five nodes make 2 500 a second.
const PACE: Duration = Duration::from_millis(2);

/// Progress is told after so many vertices.
const PROGRESS_EVERY: u32 = 50;

/// The node and what its handlers share.
struct Worker {
    network: String,
    node: P2PNode,
    /// From the command on that asks for them: nodes of discovery take part in none.
    topics: OnceCell<Topics>,
}

/// Why a command could not be carried out; its text goes to the demonstration.
type Trouble = Box<dyn std::error::Error + Send + Sync>;

impl DemoNode {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let node = start(&self.network, Part::Living)?;
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
            topics: OnceCell::new(),
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
            Command::Subscribe { neighbours } => self.subscribe(neighbours).await,
            Command::Produce { vertices, seed } => self.produce(vertices, seed).await,
            Command::Settle {
                vertices,
                patience_ms,
            } => {
                self.settle(vertices, Duration::from_millis(patience_ms))
                    .await
            }
            Command::Spread { messages } => self.topics()?.news.spread(messages).await,
            Command::Hear {
                messages,
                patience_ms,
            } => {
                let patience = Duration::from_millis(patience_ms);
                Ok(self.topics()?.news.hear(messages, patience).await)
            }
            Command::FloodTopic { messages } => self.topics()?.flood.run(messages).await,
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

    async fn subscribe(&self, neighbours: usize) -> Result<Reply, Trouble> {
        let join = || Topics::join(&self.node);
        let topics = self.topics.get_or_try_init(join).await?;
        topics.wait_for(neighbours).await?;
        Ok(Reply::Subscribe { neighbours })
    }

    async fn produce(&self, vertices: u32, seed: u64) -> Result<Reply, Trouble> {
        let workload = Workload {
            vertices,
            pace: PACE,
            seed,
        };
        let progress = |number: u32| {
            if number.is_multiple_of(PROGRESS_EVERY) {
                // Who cannot be told is gone, and ends this process.
                _ = say(&Reply::Progress {
                    done: number.into(),
                });
            }
        };
        let made = workload.run(&self.topics()?.dag, progress).await?;
        Ok(Reply::Produce {
            ids: made.ids.iter().map(ToString::to_string).collect(),
            withheld: made.withheld,
        })
    }

    async fn settle(&self, vertices: usize, patience: Duration) -> Result<Reply, Trouble> {
        let dag = &self.topics()?.dag;
        // What is missing then is told by the numbers.
        _ = timeout_at(Instant::now() + patience, dag.wait_for(vertices)).await;
        let status = dag.status();
        Ok(Reply::Settle(Holding {
            vertices: status.held,
            waiting: status.waiting,
            fetched: status.fetched,
            digest: status.digest.to_string(),
        }))
    }

    fn topics(&self) -> Result<&Topics, Trouble> {
        let topics = self.topics.get();
        topics.ok_or_else(|| "this node takes part in no topic".into())
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
