//! Records while nodes come and go.

use std::time::Duration;

use cretoai_network::discovery::Key;
use rand_chacha::rand_core::Rng;

use super::options::Options;
use super::report::{Report, Target};
use super::statistics::{Sorted, percent};
use super::town::{Town, Towns, below};

/// Few enough that an hour of all of them takes minutes, and fifty times what holds a record.
const NODES: u32 = 1_000;
const KEYS: usize = 300;

/// Half of the nodes are replaced in this time.
const HALF_LIFE_MINUTES: u32 = 10;

/// Gets are counted from here on.
const WARM_UP_MINUTES: u32 = 20;

pub(crate) fn run(options: &Options, towns: &mut Towns, report: &mut Report) {
    if options.wants("churn") {
        let minutes = if options.quick { 30 } else { 60 };
        let town = towns.of(NODES);
        churn(
            report,
            "half replaced in 10 min",
            town,
            minutes,
            replace_some,
        );
        let town = towns.of(NODES);
        churn(
            report,
            "half killed at once every 10 min",
            town,
            minutes,
            kill_half,
        );
    }
}

/// Steps in which a minute goes by.
const STEPS: usize = 250;

/// Lets a network live for some minutes, and looks for its records all the time.
fn churn(
    report: &mut Report,
    name: &str,
    mut town: Town,
    minutes: u32,
    minute: fn(&mut Town, u32) -> usize,
) {
    let keys: Vec<_> = (0..KEYS).map(|_| town.publish()).collect();
    town.world.take_traffic();
    let (mut found, mut asked, mut times) = (0, 0, Vec::new());
    for now in 1..=minutes {
        let newcomers = minute(&mut town, now);
        let gets = if now > WARM_UP_MINUTES { 250 } else { 0 };
        let outcomes = look_for(&mut town, &keys, gets, newcomers);
        asked += outcomes.len();
        found += outcomes.iter().filter(|(is_found, _)| *is_found).count();
        times.extend(outcomes.into_iter().map(|(_, after)| after));
    }
    let traffic = town.world.take_traffic();
    let row = |what| format!("{name}, {NODES} nodes, {KEYS} keys, {minutes} min: {what}");
    report.row(
        &row("found"),
        percent(found, asked),
        "%",
        Target::AtLeast(99.9),
    );
    report.row(&row("gets"), asked as f64, "", Target::None);
    let times = Sorted::new(times);
    report.row(&row("get p50"), times.percentile(0.5), "ms", Target::None);
    report.row(&row("get p99"), times.percentile(0.99), "ms", Target::None);
    let each = |count: u64| count as f64 / f64::from(NODES) / f64::from(minutes);
    report.row(
        &row("questions a node and minute"),
        each(traffic.questions),
        "",
        Target::None,
    );
    report.row(
        &row("stores a node and minute"),
        each(traffic.stores),
        "",
        Target::None,
    );
}

/// Gets by random nodes and nodes that join, both spread over the minute.
fn look_for(town: &mut Town, keys: &[Key], count: usize, newcomers: usize) -> Vec<(bool, f64)> {
    let mut gets = Vec::new();
    let step = Duration::from_secs(45) / u32::try_from(STEPS).unwrap_or(1);
    for now in 0..STEPS {
        let due = |all: usize| all * (now + 1) / STEPS - all * now / STEPS;
        for _ in 0..due(newcomers) {
            town.join();
        }
        for _ in 0..due(count) {
            let key = keys[below(&mut town.world, keys.len())];
            let from = town.random_without(&key).expect("few hold a record");
            gets.push(town.get(from, key));
        }
        town.world.run_for(step);
    }
    town.world.run_for(Duration::from_secs(15));
    town.settle();
    // One that died while it asked says nothing about the records.
    gets.retain(|one| town.world.is_alive(one.from));
    gets.iter().map(|one| town.was_found(one)).collect()
}

/// Each node stops with the same probability each minute, and another one joins in its place: how many.
fn replace_some(town: &mut Town, _: u32) -> usize {
    let stays = 0.5_f64.powf(1.0 / f64::from(HALF_LIFE_MINUTES));
    let mut gone = 0;
    for node in town.world.alive() {
        let drawn = f64::from(town.world.rng().next_u32()) / f64::from(u32::MAX);
        if drawn > stays {
            town.world.kill(node);
            gone += 1;
        }
    }
    town.bury();
    gone
}

/// Every ten minutes half of the nodes stop at once, and as many join within a minute, in which the others
/// look for records, too.
fn kill_half(town: &mut Town, minute: u32) -> usize {
    if !minute.is_multiple_of(HALF_LIFE_MINUTES) {
        return 0;
    }
    let before = town.world.alive().len();
    town.kill(0.5);
    before - town.world.alive().len()
}
