//! Gossip among real nodes over the simulated network.
//!
//! Real QUIC and real cryptography in virtual time: the spans are virtual, the real time is what the work of
//! all nodes together takes on this machine.
//!
//! `cargo bench --features sim --bench gossip_net [-- WORD …]`, with the words `large` (10 MiB to 36 nodes
//! at 100 Mbit/s, five seeds) and `many` (200 nodes, 120 messages a second). Exit status 1 if a row misses its
//! target.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measurement stops at the first surprise, and reads the clock"
)]

#[path = "gossip_net/nodes.rs"]
mod nodes;

use std::ops::RangeInclusive;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cretoai_network::node::P2PNode;
use cretoai_network::services::gossip::{Received, Subscription};
use cretoai_network::sim::{LinkProfile, runtime};
use tokio::task::JoinSet;
use tokio::time::{Instant as Virtual, timeout};

use nodes::{LATENCY, TOPIC, network};

/// Five, as in the rows of the scale simulator.
const LARGE_SEEDS: RangeInclusive<u64> = 1..=5;
const LARGE_NODES: u16 = 36;
const LARGE_BYTES: usize = 10 << 20;
const LARGE_RATE: u64 = 100_000_000;

/// As the row says.
const MANY_NODES: u16 = 200;
const MANY_PUBLISHERS: u16 = 100;
const MANY_BYTES: usize = 2 << 10;
const MANY_PER_SECOND: u32 = 120;
const MANY_SECONDS: u32 = 20;
const MANY_P99: Duration = Duration::from_millis(400);

/// Longest that a message is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Moments that messages carry, in microseconds since the start.
const STAMP: usize = 8;

fn row(what: &str, value: Duration, limit: Duration) -> bool {
    let is_met = value <= limit;
    let word = if is_met { "" } else { "MISSED" };
    println!("{what:<64} {value:>12.3?}  at most {limit:.3?}  {word}");
    is_met
}

/// One message of 10 MiB; links of 100 Mbit/s each.
async fn large(seed: u64) -> bool {
    let profile = LinkProfile {
        rate_bits_per_s: Some(LARGE_RATE),
        ..LinkProfile::with_latency(LATENCY)
    };
    let (nodes, mut subscriptions) = network(seed, LARGE_NODES, profile).await;
    let said: Bytes = (0..LARGE_BYTES).map(|at| (at / 3 % 251) as u8).collect();
    let start = Virtual::now();
    nodes[0]
        .gossip()
        .publish(TOPIC, said.clone())
        .await
        .unwrap();
    let mut waiting = JoinSet::new();
    for mut subscription in subscriptions.drain(1..) {
        let said = said.clone();
        waiting.spawn(async move {
            let next = timeout(PATIENCE, subscription.next()).await;
            let Ok(Some(Received::Message(message))) = next else {
                return None;
            };
            (message.data == said).then(|| start.elapsed())
        });
    }
    let spans = waiting.join_all().await;
    let got = spans.iter().flatten().count();
    println!("10 MiB reached {got} of {} nodes", LARGE_NODES - 1);
    let last = spans.into_iter().flatten().max().unwrap_or(PATIENCE);
    let once = Duration::from_secs_f64(LARGE_BYTES as f64 * 8.0 / LARGE_RATE as f64);
    // Any two are two links apart, or one.
    let limit = once * 3 / 2 + 2 * LATENCY;
    row(
        "10 MiB to 36 nodes at 100 Mbit/s, last one after",
        last,
        limit,
    ) && got == usize::from(LARGE_NODES) - 1
}

/// Many messages of many publishers.
async fn many() -> bool {
    let profile = LinkProfile::with_latency(LATENCY);
    let (nodes, subscriptions) = network(2, MANY_NODES, profile).await;
    let start = Virtual::now();
    let count = MANY_PER_SECOND * MANY_SECONDS;
    let mut readers = JoinSet::new();
    for (number, subscription) in (0..).zip(subscriptions) {
        // Its own messages do not come back.
        let own = (0..count)
            .filter(|one| publisher_of(*one) == number)
            .count();
        readers.spawn(read(subscription, start, count as usize - own));
    }
    for one in 0..count {
        let due = start + Duration::from_secs(1) * one / MANY_PER_SECOND;
        tokio::time::sleep_until(due).await;
        publish(&nodes[usize::from(publisher_of(one))], start, one);
    }
    let mut spans: Vec<_> = readers.join_all().await.concat();
    spans.sort_unstable();
    let expected = count as usize * (usize::from(MANY_NODES) - 1);
    println!("200 nodes: {} of {expected} deliveries", spans.len());
    let quantile = |part: usize| spans[(spans.len() - 1) * part / 100];
    println!("p50 {:?}, max {:?}", quantile(50), quantile(100));
    row(
        "200 nodes, 120 messages of 2 KiB a second: p99",
        quantile(99),
        MANY_P99,
    ) && spans.len() == expected
}

fn publisher_of(message: u32) -> u16 {
    u16::try_from(message.wrapping_mul(37) % u32::from(MANY_PUBLISHERS)).unwrap()
}

fn publish(node: &P2PNode, start: Virtual, number: u32) {
    let mut data = vec![0; MANY_BYTES];
    let at = u64::try_from(start.elapsed().as_micros()).unwrap();
    data[..STAMP].copy_from_slice(&at.to_le_bytes());
    data[STAMP..STAMP + 4].copy_from_slice(&number.to_le_bytes());
    let gossip = node.gossip().clone();
    tokio::spawn(async move { gossip.publish(TOPIC, data.into()).await.unwrap() });
}

/// How long each message took to this node.
async fn read(mut subscription: Subscription, start: Virtual, count: usize) -> Vec<Duration> {
    let mut spans = Vec::new();
    while spans.len() < count {
        let Ok(Some(received)) = timeout(PATIENCE, subscription.next()).await else {
            break;
        };
        if let Received::Message(message) = received {
            let mut at = [0; STAMP];
            at.copy_from_slice(&message.data[..STAMP]);
            let said = Duration::from_micros(u64::from_le_bytes(at));
            spans.push(start.elapsed().saturating_sub(said));
        }
    }
    spans
}

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let wants = |word: &str| words.is_empty() || words.iter().any(|one| one == word);
    let mut is_met = true;
    let began = Instant::now();
    if wants("large") {
        for seed in LARGE_SEEDS {
            is_met &= runtime().unwrap().block_on(large(seed));
        }
    }
    if wants("many") {
        is_met &= runtime().unwrap().block_on(many());
    }
    println!("real: {:?}", began.elapsed());
    if is_met {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
