//! Lookups: how many hops, how long with a third of the nodes dead, how a new node enters.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cretoai_network::discovery::store::StoreConfig;
use cretoai_network::discovery::{Command, DiscoveryConfig, K, Looked, Outcome};

use super::options::Options;
use super::report::{Report, Target};
use super::statistics::{Sorted, line, percent};
use super::town::{Lookup, PATIENCE, Town, Towns, millis};

/// The mean round trip of the network model.
const RTT: f64 = 50.0;

/// What hops must hold: nodes, median, 99th percentile.
const HOPS: [(u32, f64, f64); 3] = [(1_000, 2.0, 4.0), (10_000, 3.0, 5.0), (50_000, 3.0, 6.0)];

pub(crate) fn run(options: &Options, towns: &mut Towns, report: &mut Report) {
    if options.wants("hops") || options.wants("hops-large") {
        hops(options, towns, report);
    }
    let nodes = if options.quick { 1_000 } else { 10_000 };
    if options.wants("dead") {
        dead(options, towns.of(nodes), report, Variant::Warm);
        dead(options, towns.of(nodes), report, Variant::Lossy);
    }
    if options.wants("cold") {
        dead(options, towns.of(nodes), report, Variant::Cold);
    }
    if options.wants("bootstrap") {
        bootstrap(towns.of(1_000), report);
    }
}

fn hops(options: &Options, towns: &mut Towns, report: &mut Report) {
    let mut points = Vec::new();
    for (nodes, median, worst) in HOPS {
        let is_large = nodes > 10_000;
        if is_large && !options.wants("hops-large") || options.quick && nodes > 1_000 {
            continue;
        }
        let built = Instant::now();
        let mut town = if is_large {
            unrefreshed(nodes)
        } else {
            towns.of(nodes)
        };
        report.note(&format!(
            "{nodes} nodes, seed {nodes}, after {:.0?}",
            built.elapsed()
        ));
        let (looked, _, _) = measure(&mut town, 2_000);
        let hops: Vec<_> = looked.iter().map(|one| f64::from(one.hops)).collect();
        let sorted = Sorted::new(hops);
        points.push((f64::from(nodes).log2(), sorted.mean()));
        let name = |what| format!("hops to the nearest node, {nodes} nodes, {what}");
        report.row(
            &name("median"),
            sorted.percentile(0.5),
            "hops",
            Target::AtMost(median),
        );
        report.row(
            &name("p99"),
            sorted.percentile(0.99),
            "hops",
            Target::AtMost(worst),
        );
        report.row(&name("mean"), sorted.mean(), "hops", Target::None);
    }
    if points.len() > 1 {
        let (start, slope) = line(&points);
        report.note(&format!(
            "fit: mean hops = {start:.2} + {slope:.3} · log2 N"
        ));
    }
}

/// A large network, whose tables only its joins have made: refreshing it would take hours. Without
/// refreshes its estimates are out of date, so that the density quota does not hold in it.
fn unrefreshed(nodes: u32) -> Town {
    let config = DiscoveryConfig {
        refresh: Duration::from_secs(100_000),
        density_quota: false,
        ..DiscoveryConfig::default()
    };
    let mut town = Town::new(nodes.into(), config);
    for _ in 0..nodes {
        town.join();
        town.world.run_for(Duration::from_millis(100));
        town.settle();
    }
    town.world.run_for(Duration::from_secs(30));
    town
}

/// Lookups from different nodes at once: what each came to, how many found the nearest node, and how
/// many exactly the k nearest.
fn measure(town: &mut Town, count: usize) -> (Vec<Looked>, usize, usize) {
    let origins = town.some_nodes(count);
    if town.world.model().all_warm {
        for origin in &origins {
            town.world.warm_up(*origin);
        }
        town.world.run_for(Duration::from_millis(1));
    }
    town.world.take_happened();
    let lookups: Vec<_> = origins.into_iter().map(|from| town.look(from)).collect();
    town.world.run_for(Duration::from_secs(15));
    let mut by_place: BTreeMap<_, _> = BTreeMap::new();
    for (node, looked) in town.looked() {
        by_place.insert((node, looked.target), looked);
    }
    let (mut nearest, mut exact, mut all) = (0, 0, Vec::new());
    for lookup in lookups {
        let found = found(town, &lookup);
        let own = town.world.contact(lookup.from).peer;
        let mut truth = town.world.nearest(&lookup.key, K + 1);
        truth.retain(|peer| *peer != own);
        truth.truncate(K);
        nearest += usize::from(!found.is_empty() && found.first() == truth.first());
        exact += usize::from(found == truth);
        all.extend(by_place.get(&(lookup.from, lookup.key)).copied());
    }
    (all, nearest, exact)
}

fn found(town: &mut Town, lookup: &Lookup) -> Vec<cretoai_network::identity::PeerId> {
    match town.world.take_done(lookup.from, lookup.operation) {
        Some((_, Outcome::Closest(found))) => found.into_iter().map(|one| one.peer).collect(),
        _ => Vec::new(),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Variant {
    Warm,
    Lossy,
    Cold,
}

/// A third of the nodes dies at once, nothing is repaired, and lookups begin.
fn dead(options: &Options, mut town: Town, report: &mut Report, variant: Variant) {
    let nodes = town.nodes.len();
    let lookups = if options.quick { 500 } else { 5_000 };
    let keys: Vec<_> = (0..200).map(|_| town.publish()).collect();
    town.world.run_for(Duration::from_secs(5));
    town.kill(0.3);
    let model = town.world.model();
    model.all_warm = variant != Variant::Cold;
    model.loss = if variant == Variant::Lossy { 0.03 } else { 0.0 };
    let what = match variant {
        Variant::Warm => "warm",
        Variant::Lossy => "warm, 3 % loss",
        Variant::Cold => "cold",
    };
    let name = |row: &str| format!("30 % of {nodes} dead, {what}: {row}");
    let judged = |limit| match variant {
        Variant::Warm => Target::AtMost(limit),
        Variant::Lossy | Variant::Cold => Target::None,
    };
    // What the lookups find out of the dead, the gets do not know.
    let mut untouched = town.clone();
    let in_time = match variant {
        Variant::Warm | Variant::Lossy => Target::AtMost(500.0),
        Variant::Cold => Target::None,
    };
    town.world.take_traffic();
    let cpu = Instant::now();
    let (looked, nearest, exact) = measure(&mut town, lookups);
    let cpu = cpu.elapsed();
    let traffic = town.world.take_traffic();
    let of = |pick: fn(&Looked) -> f64| Sorted::new(looked.iter().map(pick).collect());
    let closest = of(|one| millis(one.nearest_after) / RTT);
    report.row(
        &name("closest node p50"),
        closest.percentile(0.5),
        "RTT",
        judged(3.5),
    );
    report.row(
        &name("closest node p95"),
        closest.percentile(0.95),
        "RTT",
        judged(5.0),
    );
    let full = of(|one| millis(one.over_after) / RTT);
    report.row(
        &name("full set p50"),
        full.percentile(0.5),
        "RTT",
        judged(7.0),
    );
    report.row(
        &name("full set p95"),
        full.percentile(0.95),
        "RTT",
        judged(8.5),
    );
    report.row(
        &name("full set p95"),
        full.percentile(0.95) * RTT,
        "ms",
        in_time,
    );
    let least = match variant {
        Variant::Cold => Target::None,
        Variant::Warm | Variant::Lossy => Target::AtLeast(99.9),
    };
    report.row(
        &name("closest node found"),
        percent(nearest, lookups),
        "%",
        least,
    );
    report.row(
        &name("exactly the k closest"),
        percent(exact, lookups),
        "%",
        least,
    );
    let requests = of(|one| one.requests as f64);
    report.row(
        &name("requests a lookup"),
        requests.mean(),
        "",
        Target::None,
    );
    let each = |total: f64| total / lookups as f64;
    report.row(
        &name("bytes a lookup"),
        each(traffic.bytes as f64),
        "bytes",
        Target::None,
    );
    report.row(
        &name("handshakes a lookup"),
        each(traffic.handshakes as f64),
        "",
        Target::None,
    );
    let micros = each(cpu.as_secs_f64() * 1e6);
    report.row(
        &name("processor time a lookup, all nodes"),
        micros,
        "us",
        Target::None,
    );
    gets(&mut untouched, report, &keys, lookups, &name, variant);
}

fn gets(
    town: &mut Town,
    report: &mut Report,
    keys: &[cretoai_network::discovery::Key],
    count: usize,
    name: &dyn Fn(&str) -> String,
    variant: Variant,
) {
    let origins = town.some_nodes(count).into_iter();
    let mut pairs: Vec<_> = origins.zip(keys.iter().copied().cycle()).collect();
    // Who holds a record finds it with itself.
    pairs.retain(|(from, key)| !town.holds(*from, key));
    if variant != Variant::Cold {
        for (origin, _) in &pairs {
            town.world.warm_up(*origin);
        }
        town.world.run_for(Duration::from_millis(1));
    }
    let begun = pairs.into_iter();
    let gets: Vec<_> = begun.map(|(from, key)| town.get(from, key)).collect();
    town.world.run_for(PATIENCE);
    let outcomes: Vec<_> = gets.iter().map(|one| town.was_found(one)).collect();
    let found = outcomes.iter().filter(|(is_found, _)| *is_found).count();
    let times = Sorted::new(outcomes.iter().map(|(_, after)| after / RTT).collect());
    let judged = |limit| match variant {
        Variant::Warm => Target::AtMost(limit),
        Variant::Lossy | Variant::Cold => Target::None,
    };
    report.row(&name("GET p50"), times.percentile(0.5), "RTT", judged(3.0));
    report.row(&name("GET p95"), times.percentile(0.95), "RTT", judged(4.5));
    let least = Target::AtLeast(99.9);
    report.row(&name("GET found"), percent(found, gets.len()), "%", least);
}

/// A new node with one dead seed and one live.
fn bootstrap(mut town: Town, report: &mut Report) {
    let mut times = Vec::new();
    let mut contacts = Vec::new();
    for _ in 0..50 {
        let dead = town.world.add(&town.config.clone(), StoreConfig::default());
        town.world.kill(dead);
        let live = town.random_node().expect("somebody runs");
        let node = town.world.add(&town.config.clone(), StoreConfig::default());
        let seeds = vec![town.world.contact(dead), town.world.contact(live)];
        let began = town.world.now();
        let operation = town.world.start(node, Command::Bootstrap { seeds });
        let done = town.world.run_until_done(node, operation, PATIENCE);
        let Some((at, Outcome::Bootstrapped { contacts: known })) = done else {
            times.push(f64::INFINITY);
            continue;
        };
        times.push(millis(at.since(began)));
        contacts.push(known as f64);
    }
    let times = Sorted::new(times);
    let name = |what| format!("bootstrap of a new node, one dead seed, one live: {what}");
    report.row(
        &name("worst of 50"),
        times.percentile(1.0),
        "ms",
        Target::AtMost(2_000.0),
    );
    report.row(&name("median"), times.percentile(0.5), "ms", Target::None);
    let fewest = Sorted::new(contacts).percentile(0.0);
    report.row(
        &name("fewest contacts then"),
        fewest,
        "nodes",
        Target::AtLeast(K as f64),
    );
}
