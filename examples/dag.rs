//! A DAG consensus over gossip: five nodes in one process build one graph, and end with equal copies.
//!
//! Each node knows two others. Every tenth vertex is published by nobody, so that the others have to ask
//! for it. Ends with status 1 if the copies differ.

#![allow(clippy::disallowed_methods, reason = "this program measures and waits")]

// The module stands in `dag/mod.rs`, with what is said by gossip in `dag/replica.rs`; `dag` is the name of this file already.
#[path = "dag/mod.rs"]
mod consensus;

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use cretoai_network::crypto::AwsLc;
use cretoai_network::identity::Keypair;
use cretoai_network::node::{P2PConfig, P2PNode};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use consensus::workload::{Made, Workload};
use consensus::{Replica, digest_of};

const NODES: usize = 5;

/// Vertices of each node, and the time between two: three seconds in all.
const VERTICES: u32 = 300;
const PACE: Duration = Duration::from_millis(10);

/// How long the nodes may take to meet, and to fetch what is missing at the end.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut nodes: Vec<P2PNode> = Vec::new();
    let mut replicas = Vec::new();
    for _ in 0..NODES {
        let node = node()?;
        replicas.push(Replica::join(&node).await?);
        if let Some(last) = nodes.last() {
            node.dial(&last.listen_addresses()[0]).await?;
        }
        nodes.push(node);
    }
    // The chain becomes a ring.
    nodes[0]
        .dial(&nodes[NODES - 1].listen_addresses()[0])
        .await?;
    timeout(PATIENCE, neighbours(&replicas)).await??;

    let made = make(&replicas).await?;
    let all: Vec<_> = made.iter().flat_map(|made| made.ids.clone()).collect();
    for replica in &replicas {
        // Who is not complete by then differs.
        _ = timeout(PATIENCE, replica.wait_for(all.len())).await;
    }
    let expected = digest_of(all.into_iter());
    let agree = show(&nodes, &replicas, &made, expected);
    for node in nodes {
        node.shutdown().await;
    }
    println!("the copies {}", if agree { "agree" } else { "DIFFER" });
    Ok(if agree {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn node() -> Result<P2PNode, Box<dyn Error>> {
    let config = P2PConfig {
        listen_addresses: vec![SocketAddr::from(([127, 0, 0, 1], 0)).into()],
        ..P2PConfig::default()
    };
    let keypair = Keypair::generate(Arc::new(AwsLc))?;
    Ok(P2PNode::builder(keypair).config(config).spawn()?)
}

/// Waits until every node sees its two neighbours in the topic.
async fn neighbours(replicas: &[Arc<Replica>]) -> Result<(), Box<dyn Error>> {
    for replica in replicas {
        while replica.neighbours().await? < 2 {
            sleep(Duration::from_millis(10)).await;
        }
    }
    Ok(())
}

/// All nodes make vertices at once; what each made, in the order of the nodes.
async fn make(replicas: &[Arc<Replica>]) -> Result<Vec<Made>, Box<dyn Error>> {
    let mut making = JoinSet::new();
    for (number, replica) in replicas.iter().enumerate() {
        let replica = Arc::clone(replica);
        let workload = Workload {
            vertices: VERTICES,
            pace: PACE,
            seed: number as u64,
        };
        making.spawn(async move { (number, workload.run(&replica, |_| {}).await) });
    }
    let mut made = making.join_all().await;
    made.sort_unstable_by_key(|(number, _)| *number);
    let made = made.into_iter().map(|(_, made)| Ok(made?));
    made.collect()
}

/// Prints a line for each node; whether all copies are as they should be.
fn show(
    nodes: &[P2PNode],
    replicas: &[Arc<Replica>],
    made: &[Made],
    expected: blake3::Hash,
) -> bool {
    println!("node      made withheld  held waiting fetched digest");
    let mut agree = true;
    for ((node, replica), made) in nodes.iter().zip(replicas).zip(made) {
        let peer = node.peer_id().to_string();
        let status = replica.status();
        agree &= status.digest == expected;
        println!(
            "{:.8}  {:4} {:8} {:5} {:7} {:7} {:.16}",
            peer,
            made.ids.len(),
            made.withheld,
            status.held,
            status.waiting,
            status.fetched,
            status.digest.to_hex(),
        );
    }
    agree
}
