//! What it costs a node to hear: `cargo bench --bench verify`.
//!
//! One machine of gossip that has one neighbour and gets a publisher's messages, with real ML-DSA-87 signatures:
//! by how many messages share a seal. A rate is messages a second of one core. Then what an attacker can make it
//! do: announce as many messages as are heard between two heartbeats, none of which there is.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "criterion's macros write undocumented functions; a bench fails by panicking"
)]

#[path = "support/arriving.rs"]
mod arriving;
#[path = "support/gossip_machine.rs"]
mod gossip_machine;

use std::time::Duration;

use bytes::Bytes;
use cretoai_network::gossip::{GossipConfig, Input, Link};
use cretoai_network::wire::codec::{List, encode};
use cretoai_network::wire::message::gossip::{self as wire, IHave, MAX_IDS};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

use arriving::arrive;
use gossip_machine::{Machine, messages};

/// Messages that are heard at once.
const HEARD: u64 = 1_024;

/// What a publisher sends its one neighbour of so many messages, so many of them under each seal.
fn said(together: u64, bytes: usize) -> Vec<Bytes> {
    let mut publisher = Machine::new(1, 1);
    let mut batches = Vec::new();
    for round in 0..HEARD / together {
        publisher.publish(&messages(round, together, bytes));
        // Its pace is 50 seals a second.
        publisher.pass(Duration::from_millis(20));
        batches.append(&mut publisher.sent);
    }
    assert_eq!(publisher.signed, HEARD / together);
    batches
}

fn hear(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hear 1024 messages");
    group
        .sample_size(10)
        .throughput(Throughput::Elements(HEARD));
    for (together, bytes) in [(64, 256), (1_024, 256), (1_024, 1_024)] {
        let batches = said(together, bytes);
        group.bench_function(format!("{together} of {bytes} B under one seal"), |bench| {
            bench.iter_batched_ref(
                || Machine::new(2, 1),
                |machine| {
                    arrive(machine, Link(0), &batches);
                    assert_eq!(machine.delivered, HEARD);
                    assert_eq!(machine.verified, HEARD / together);
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

/// Frames with the ids of messages that nobody said.
fn bait(round: u64) -> Vec<Input> {
    let most = GossipConfig::default().max_ihave_length;
    let ids: Vec<_> = (0..most as u64)
        .map(|number| invented(round, number))
        .collect();
    let frames = ids.chunks(MAX_IDS).map(|ids| {
        let ids = List::truncated(ids.iter().copied());
        Input::Frame {
            link: Link(0),
            kind: wire::IHAVE,
            body: encode(&IHave { topic: 0, ids }),
        }
    });
    frames.collect()
}

fn invented(round: u64, number: u64) -> [u8; 32] {
    let mut id = [0x5a; 32];
    id[..8].copy_from_slice(&number.to_le_bytes());
    id[8..16].copy_from_slice(&round.to_le_bytes());
    id
}

/// Attack 1: all that is heard of one neighbour between two heartbeats, and what follows until the next one. Of
/// a core it is this time in 700 ms; it ends when the neighbour is graylisted, after three.
fn announcements(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("announcements of nothing");
    group.sample_size(10);
    let mut round = 0;
    group.bench_function("as many as are heard in a heartbeat", |bench| {
        bench.iter_batched_ref(
            || {
                round += 1;
                (Machine::new(2, 1), bait(round))
            },
            |(machine, frames)| {
                for frame in frames.drain(..) {
                    machine.tell(frame);
                }
                machine.pass(Duration::from_millis(700));
                assert!(!machine.sent.is_empty(), "nothing was asked for");
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, hear, announcements);
criterion_main!(benches);
