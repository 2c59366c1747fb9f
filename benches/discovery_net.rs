//! A network of real nodes over the simulated one: every node finds every other.
//!
//! Real QUIC and real cryptography in virtual time: the spans that are asserted are virtual, the real
//! time is what the work of all nodes together takes on this machine.
//!
//! `cargo bench --features sim --bench discovery_net [-- nodes]`; exit status 1 if a node is not found.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measurement stops at the first surprise, and reads the clock"
)]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cretoai_network::crypto::{AwsLc, SigningSeed};
use cretoai_network::identity::Keypair;
use cretoai_network::node::{P2PConfig, P2PNode};
use cretoai_network::sim::{LinkProfile, Net, runtime};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// One way between any two nodes.
const LATENCY: Duration = Duration::from_millis(25);

/// As the row says.
const NODES: u16 = 100;
const PORT: u16 = 4000;

/// A node is found within this, in virtual time, nineteen times in twenty.
const LOOKUP_P95: Duration = Duration::from_millis(500);

fn ip(number: u16) -> IpAddr {
    let [high, low] = number.to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(10, 0, high, low))
}

fn spawn(net: &Net, number: u16) -> P2PNode {
    let seed = blake3::hash(&number.to_le_bytes());
    let seed = SigningSeed::from_bytes(seed.as_bytes());
    let keypair = Keypair::from_seed(Arc::new(AwsLc), seed).unwrap();
    let seeds = (number > 1).then(|| SocketAddr::new(ip(1), PORT).into());
    let config = P2PConfig {
        listen_addresses: vec![SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT)).into()],
        bootstrap_nodes: seeds.into_iter().collect(),
        ..P2PConfig::default()
    };
    let node = P2PNode::builder(keypair).config(config);
    node.environment(net.host(ip(number))).spawn().unwrap()
}

/// How long it took a node to find each of the others; `None` for those it did not find.
async fn find_all(node: P2PNode, all: Arc<[P2PNode]>) -> Vec<Option<Duration>> {
    let mut spans = Vec::new();
    for other in all.iter().filter(|other| other.peer_id() != node.peer_id()) {
        let start = tokio::time::Instant::now();
        let found = node.discovery().find_peer(other.peer_id()).await;
        let listens = other.listen_addresses();
        let is_right = found.is_ok_and(|found| listens.contains(&found[0]));
        spans.push(is_right.then(|| start.elapsed()));
    }
    spans
}

async fn run(count: u16) -> bool {
    let start = Instant::now();
    let net = Net::new(1);
    net.set_default_profile(LinkProfile::with_latency(LATENCY));
    let mut nodes = Vec::new();
    for number in 1..=count {
        nodes.push(spawn(&net, number));
        sleep(Duration::from_millis(50)).await;
    }
    sleep(Duration::from_secs(5)).await;
    let entered = start.elapsed();
    let nodes: Arc<[P2PNode]> = nodes.into();
    let mut searches = JoinSet::new();
    for node in nodes.iter() {
        searches.spawn(find_all(node.clone(), nodes.clone()));
    }
    let spans = searches.join_all().await.concat();
    let misses = spans.iter().filter(|span| span.is_none()).count();
    let mut found: Vec<_> = spans.into_iter().flatten().collect();
    found.sort_unstable();
    let quantile = |part: usize| found[(found.len() - 1) * part / 100];
    let (p50, p95, max) = (quantile(50), quantile(95), quantile(100));
    println!(
        "nodes {count}: {} lookups, {misses} misses",
        found.len() + misses
    );
    println!("virtual: p50 {p50:?}, p95 {p95:?}, max {max:?} (p95 at most {LOOKUP_P95:?})");
    println!(
        "real: entered after {entered:?}, all found after {:?}",
        start.elapsed()
    );
    misses == 0 && p95 <= LOOKUP_P95
}

fn main() -> ExitCode {
    let count = std::env::args().find_map(|argument| argument.parse().ok());
    let runtime = runtime().unwrap();
    if runtime.block_on(run(count.unwrap_or(NODES))) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
