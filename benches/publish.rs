//! What it costs a node to publish: `cargo bench --bench publish`.
//!
//! One machine of gossip with twenty neighbours, and real ML-DSA-87 signatures: messages are sealed together, as
//! many as were said in a fiftieth of a second, and written out for every neighbour, as own messages are. What
//! the network does with them is not in it. A rate is messages a second of one core.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "criterion's macros write undocumented functions; a bench fails by panicking"
)]

#[path = "support/gossip_machine.rs"]
mod gossip_machine;

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

use gossip_machine::{Machine, messages};

/// Neighbours, to each of which every message goes.
const NEIGHBOURS: u64 = 20;

fn publish(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("publish to 20 neighbours");
    for (together, bytes) in [(1, 256), (16, 256), (200, 256), (200, 1_024), (64, 4_096)] {
        let mut machine = Machine::new(1, NEIGHBOURS);
        let mut round = 0;
        group.throughput(Throughput::Elements(together));
        group.bench_function(format!("{together} of {bytes} B under one seal"), |bench| {
            bench.iter_batched(
                || {
                    round += 1;
                    messages(round, together, bytes)
                },
                |messages| {
                    machine.publish(&messages);
                    let sent = machine.sent.iter().map(Bytes::len).sum::<usize>();
                    assert!(sent >= messages.len() * bytes, "not all was sent");
                    machine.sent.clear();
                },
                BatchSize::PerIteration,
            );
        });
        assert_eq!(machine.signed, round, "one seal each time");
    }
    group.finish();
}

criterion_group!(benches, publish);
criterion_main!(benches);
