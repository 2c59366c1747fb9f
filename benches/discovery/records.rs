//! Storing: how soon, how completely, and how cheaply in bulk.

use std::time::Duration;

use cretoai_network::discovery::{Command, Event, K, Key, Outcome};
use cretoai_network::wire::message::discovery::kind;

use super::options::Options;
use super::report::{Report, Target};
use super::statistics::{Sorted, percent};
use super::town::{PATIENCE, Town, Towns, below, millis};

/// Keys that one node publishes together.
const KEYS: usize = 10_000;

pub(crate) fn run(options: &Options, towns: &mut Towns, report: &mut Report) {
    let sizes: &[u32] = if options.quick {
        &[1_000]
    } else {
        &[1_000, 10_000]
    };
    for nodes in sizes {
        if options.wants("put") {
            put(&mut towns.of(*nodes), report, *nodes);
        }
        if options.wants("sweep") {
            sweep(&mut towns.of(*nodes), report, *nodes);
        }
    }
}

fn put(town: &mut Town, report: &mut Report, nodes: u32) {
    let count = 200;
    let (mut times, mut replicas, mut covered) = (Vec::new(), Vec::new(), 0);
    for _ in 0..count {
        let (key, record) = town.record();
        let from = town.random_node().expect("somebody runs");
        let began = town.world.now();
        town.world.take_happened();
        let operation = town.world.start(from, Command::Put(record));
        let done = town.world.run_until_done(from, operation, PATIENCE);
        times.push(done.map_or(f64::INFINITY, |(at, _)| millis(at.since(began))));
        town.world.run_for(Duration::from_secs(10));
        let happened = town.world.take_happened().into_iter();
        let complete = happened.filter_map(|(_, _, event)| match event {
            Event::Replicated {
                key: of, replicas, ..
            } if of == key => Some(replicas),
            _ => None,
        });
        replicas.push(complete.max().unwrap_or(0) as f64);
        covered += holders(town, &key);
    }
    let (times, replicas) = (Sorted::new(times), Sorted::new(replicas));
    let name = |what| format!("PUT among {nodes} nodes, new contacts: {what}");
    report.row(
        &name("hand-back p50"),
        times.percentile(0.5),
        "ms",
        Target::AtMost(1_000.0),
    );
    report.row(
        &name("hand-back p95"),
        times.percentile(0.95),
        "ms",
        Target::None,
    );
    report.row(
        &name("fewest replicas"),
        replicas.percentile(0.0),
        "",
        Target::AtLeast(K as f64),
    );
    report.row(&name("mean replicas"), replicas.mean(), "", Target::None);
    let share = percent(covered, count * K);
    report.row(
        &name("of the true k nearest hold it"),
        share,
        "%",
        Target::None,
    );
}

/// How many of the true k nearest nodes hold a record.
fn holders(town: &Town, key: &Key) -> usize {
    let nearest = town.world.nearest(key, K).into_iter();
    let nodes = nearest.filter_map(|peer| town.world.find(&peer));
    let machines = nodes.filter_map(|node| town.world.machine(node));
    machines
        .filter(|one| one.holds(kind::IMMUTABLE, key))
        .count()
}

fn sweep(town: &mut Town, report: &mut Report, nodes: u32) {
    let requests = plain_lookup(town);
    let records: Vec<_> = (0..KEYS).map(|_| town.record()).collect();
    let keys: Vec<_> = records.iter().map(|(key, _)| *key).collect();
    let from = town.random_node().expect("somebody runs");
    town.world.run_for(Duration::from_secs(1));
    town.world.take_traffic();
    town.world.watch(Some(from));
    let began = town.world.now();
    let records = records.into_iter().map(|(_, record)| record).collect();
    let operation = town.world.start(from, Command::PutMany(records));
    let done = town
        .world
        .run_until_done(from, operation, Duration::from_secs(3_600));
    let traffic = town.world.take_traffic();
    town.world.watch(None);
    let (took, complete) = match done {
        Some((at, Outcome::Published { complete, .. })) => (at.since(began), complete),
        _ => (Duration::MAX, 0),
    };
    let name = |what| format!("{KEYS} keys by one of {nodes} nodes: {what}");
    let baseline = KEYS as f64 * (requests + K as f64);
    let sent = (traffic.questions + traffic.stores) as f64;
    let limit = if nodes > 1_000 { 4.0 } else { 1.5 };
    let share = 100.0 * sent / baseline;
    report.row(
        &name("of the messages one by one"),
        share,
        "%",
        Target::AtMost(limit),
    );
    report.row(
        &name("questions"),
        traffic.questions as f64,
        "",
        Target::None,
    );
    report.row(&name("stores"), traffic.stores as f64, "", Target::None);
    report.row(
        &name("refused as busy"),
        traffic.busy as f64,
        "",
        Target::None,
    );
    report.row(
        &name("took, virtual"),
        took.as_secs_f64(),
        "s",
        Target::None,
    );
    report.row(
        &name("keys with k replicas"),
        percent(complete, KEYS),
        "%",
        Target::None,
    );
    let sample: Vec<_> = (0..500)
        .map(|_| keys[below(&mut town.world, KEYS)])
        .collect();
    let covered: usize = sample.iter().map(|key| holders(town, key)).sum();
    let share = percent(covered, sample.len() * K);
    report.row(
        &name("of the true k nearest hold it"),
        share,
        "%",
        Target::AtLeast(99.0),
    );
}

/// Requests of a lookup in this town.
fn plain_lookup(town: &mut Town) -> f64 {
    let origins = town.some_nodes(300);
    town.world.take_happened();
    for origin in origins {
        let lookup = town.look(origin);
        town.world
            .run_until_done(lookup.from, lookup.operation, PATIENCE);
    }
    let looked = town.looked();
    Sorted::new(looked.iter().map(|(_, one)| one.requests as f64).collect()).mean()
}
