//! Records while nodes come and go.

use std::time::Duration;

use cretoai_network::discovery::Key;
use rand_chacha::rand_core::Rng;

use super::options::Options;
use super::report::{Report, Target};
use super::statistics::{Sorted, percent};
use super::town::{PATIENCE, Town, Towns, below};

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

/// Lets a network live for some minutes, and looks for its records all the time.
fn churn(
    report: &mut Report,
    name: &str,
    mut town: Town,
    minutes: u32,
    minute: fn(&mut Town, u32),
) {
    let keys: Vec<_> = (0..KEYS).map(|_| town.publish()).collect();
    town.world.take_traffic();
    let (mut found, mut asked, mut times) = (0, 0, Vec::new());
    for now in 1..=minutes {
        minute(&mut town, now);
        let outcomes = look_for(
            &mut town,
            &keys,
            if now > WARM_UP_MINUTES { 250 } else { 0 },
        );
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

/// Gets by random nodes, spread over the minute.
fn look_for(town: &mut Town, keys: &[Key], count: usize) -> Vec<(bool, f64)> {
    let mut gets = Vec::new();
    let step = Duration::from_secs(45) / u32::try_from(count.max(1)).unwrap_or(1);
    for _ in 0..count {
        let key = keys[below(&mut town.world, keys.len())];
        let from = town.random_node().expect("somebody runs");
        gets.push(town.get(from, key));
        town.world.run_for(step);
    }
    let rest = if count == 0 { 60 } else { 15 };
    town.world.run_for(Duration::from_secs(rest));
    // One that died while it asked says nothing about the records.
    gets.retain(|one| town.world.is_alive(one.from));
    gets.iter().map(|one| town.was_found(one)).collect()
}

/// Each node stops with the same probability each minute, and another one joins in its place.
fn replace_some(town: &mut Town, _: u32) {
    let stays = 0.5_f64.powf(1.0 / f64::from(HALF_LIFE_MINUTES));
    let alive = town.world.alive();
    let mut gone = 0;
    for node in alive {
        let drawn = f64::from(town.world.rng().next_u32()) / f64::from(u32::MAX);
        if drawn > stays {
            town.world.kill(node);
            gone += 1;
        }
    }
    town.bury();
    town.settle();
    for _ in 0..gone {
        town.join();
    }
}

/// Every ten minutes half of the nodes stop at once, and as many join within a minute.
fn kill_half(town: &mut Town, minute: u32) {
    if !minute.is_multiple_of(HALF_LIFE_MINUTES) {
        return;
    }
    let before = town.world.alive().len();
    town.kill(0.5);
    let missing = before - town.world.alive().len();
    let step = PATIENCE / u32::try_from(missing.max(1)).unwrap_or(1);
    for _ in 0..missing {
        town.join();
        town.world.run_for(step);
    }
    town.settle();
}
