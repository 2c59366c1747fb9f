//! What a hop costs: `cargo bench --bench propagation`.
//!
//! One machine of gossip with twenty neighbours, and real ML-DSA-87 signatures: one of them brings messages, and the
//! time is that until they are verified, handed to the program and written out for the others who are to have
//! them. The latency of a hop is this and that of its link. How long a message takes through a whole network is
//! what the bench `gossip` prints.

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
use cretoai_network::gossip::{GossipConfig, Link};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

use arriving::arrive;
use gossip_machine::{Machine, messages};

/// Neighbours of the machine.
const NEIGHBOURS: u64 = 20;

/// The one that brings the messages.
const FROM: Link = Link(NEIGHBOURS - 1);

/// Messages under one seal, as a publisher sends them to a neighbour.
fn said(together: u64, bytes: usize) -> Vec<Bytes> {
    let mut publisher = Machine::new(1, 1);
    publisher.publish(&messages(0, together, bytes));
    assert_eq!(publisher.signed, 1);
    std::mem::take(&mut publisher.sent)
}

fn pass_on(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pass on to a mesh");
    group
        .sample_size(20)
        .measurement_time(Duration::from_secs(5));
    for (together, bytes) in [(1, 256), (1, 2_048), (200, 256), (200, 1_024)] {
        let batches = said(together, bytes);
        group.throughput(Throughput::Elements(together));
        group.bench_function(format!("{together} of {bytes} B under one seal"), |bench| {
            bench.iter_batched_ref(
                || Machine::new(2, NEIGHBOURS),
                |machine| {
                    arrive(machine, FROM, &batches);
                    assert_eq!(machine.delivered, together);
                    // The mesh of a publisher of whom nothing is known has it, but for who brought it.
                    let members = GossipConfig::default().mesh_n_low - 1;
                    let least = members * bytes * usize::try_from(together).unwrap();
                    assert!(machine.sent_bytes >= least, "not all was passed on");
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, pass_on);
criterion_main!(benches);
