//! More questions than a node will answer, over real QUIC on loopback and in real time.
//!
//! Peers with identities of their own ask one node, at first as often as it promises to answer, then ten
//! times as often. What they send beyond that costs it a refusal each, and must not cost those that it
//! answers.
//!
//! `cargo bench --features sim --bench overload`; exit status 1 if the goodput under overload is less
//! than four fifths of the peak.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measurement stops at the first surprise, and reads the clock"
)]

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cretoai_network::crypto::{AwsLc, SigningSeed};
use cretoai_network::discovery::ServingConfig;
use cretoai_network::identity::{Keypair, PeerId};
use cretoai_network::node::{P2PConfig, P2PNode};
use cretoai_network::p2p::{OutboundRequest, RequestError};
use cretoai_network::wire::ErrorCode;
use cretoai_network::wire::codec::encode;
use cretoai_network::wire::message::VERSION;
use cretoai_network::wire::message::discovery::{
    ACCEPTOR_READS, FIND_NODE, FindNode, PROTOCOL, reads_after,
};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// Peers that ask: together they may ask more than the node answers in all.
const ASKERS: u16 = 160;

/// How long each load lasts, after a second that is not counted.
const SPAN: Duration = Duration::from_secs(5);

/// Questions of one peer under way: a load that grows beyond is not sent, and counted as not offered.
const MOST_WAITING: u64 = 256;

/// Nobody waits for an answer any longer.
const DEADLINE: Duration = Duration::from_secs(2);

/// Of the peak, under ten times the load.
const LEAST: f64 = 0.8;

/// What became of the questions of one load.
#[derive(Debug, Default)]
struct Counts {
    offered: AtomicU64,
    answered: AtomicU64,
    busy: AtomicU64,
    lost: AtomicU64,
}

fn spawn(number: u16, enable_discovery: bool) -> P2PNode {
    let seed = blake3::hash(&number.to_le_bytes());
    let seed = SigningSeed::from_bytes(seed.as_bytes());
    let keypair = Keypair::from_seed(Arc::new(AwsLc), seed).unwrap();
    let config = P2PConfig {
        listen_addresses: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()],
        enable_discovery,
        enable_mdns: false,
        ..P2PConfig::default()
    };
    P2PNode::builder(keypair).config(config).spawn().unwrap()
}

fn question() -> OutboundRequest {
    OutboundRequest {
        protocol: PROTOCOL,
        version: VERSION,
        kind: FIND_NODE,
        body: encode(&FindNode {
            target: [7; 32],
            want: 40,
        }),
        requests: ACCEPTOR_READS,
        responses: reads_after(FIND_NODE),
    }
}

/// One peer asks at an even rate, whatever becomes of its questions.
async fn ask(node: P2PNode, peer: PeerId, rate: f64, counts: Arc<Counts>, counted_from: Instant) {
    let waiting = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let end = counted_from + SPAN;
    for number in 0.. {
        let at = start + Duration::from_secs_f64(f64::from(number) / rate);
        if at >= end {
            return;
        }
        sleep_until(at).await;
        if waiting.load(Ordering::Relaxed) >= MOST_WAITING {
            continue;
        }
        waiting.fetch_add(1, Ordering::Relaxed);
        let (node, counts, waiting) = (node.clone(), counts.clone(), waiting.clone());
        tokio::spawn(async move {
            let reply = node.swarm().request(peer, &question(), DEADLINE).await;
            waiting.fetch_sub(1, Ordering::Relaxed);
            if at < counted_from || at >= end {
                return;
            }
            counts.offered.fetch_add(1, Ordering::Relaxed);
            let became = match reply {
                Ok(_) => &counts.answered,
                Err(RequestError::Refused(ErrorCode::Busy) | RequestError::Busy) => &counts.busy,
                Err(_) => &counts.lost,
            };
            became.fetch_add(1, Ordering::Relaxed);
        });
    }
}

/// All peers ask for a while, together this many questions a second; how many were offered and answered
/// a second.
async fn load(askers: &[P2PNode], peer: PeerId, rate: f64) -> (f64, f64) {
    let counts = Arc::new(Counts::default());
    let counted_from = Instant::now() + Duration::from_secs(1);
    let each = rate / askers.len() as f64;
    let mut asking = JoinSet::new();
    for node in askers {
        asking.spawn(ask(node.clone(), peer, each, counts.clone(), counted_from));
    }
    asking.join_all().await;
    sleep_until(Instant::now() + DEADLINE).await;
    let a_second = |count: &AtomicU64| count.load(Ordering::Relaxed) as f64 / SPAN.as_secs_f64();
    let (offered, answered) = (a_second(&counts.offered), a_second(&counts.answered));
    println!(
        "wanted {rate:.0}/s: offered {offered:.0}/s, answered {answered:.0}/s, busy {:.0}/s, lost {:.0}/s",
        a_second(&counts.busy),
        a_second(&counts.lost)
    );
    (offered, answered)
}

/// A runtime with one thread: on two processors the node and those who ask do not share one.
fn one_thread() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).enable_all().build().unwrap()
}

fn main() -> ExitCode {
    let (node_runtime, asker_runtime) = (one_thread(), one_thread());
    let node = node_runtime.block_on(async { spawn(0, true) });
    let (peer, addresses) = (node.peer_id(), node.listen_addresses());
    let promised = f64::from(ServingConfig::default().total.per_second);
    let (times, ratio) = asker_runtime.block_on(async {
        let askers: Vec<_> = (1..=ASKERS).map(|number| spawn(number, false)).collect();
        for asker in &askers {
            asker.dial(&addresses[0]).await.unwrap();
        }
        let (_, peak) = load(&askers, peer, promised).await;
        let (offered, answered) = load(&askers, peer, 10.0 * promised).await;
        (offered / peak, answered / peak)
    });
    println!("goodput under {times:.1} times the peak: {ratio:.3} of it (at least {LEAST})");
    node_runtime.block_on(node.shutdown());
    if ratio >= LEAST {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
