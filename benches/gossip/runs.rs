//! Runs of one scenario with several seeds.

use std::fs;
use std::time::{Duration, Instant};

use cretoai_network::sim::gossip::{
    Authentication, Outcome, Publishing, Scenario, Settings, shipped,
};

use super::options::Options;
use super::report::{Report, Target};

/// Seeds of a row.
const SEEDS: u64 = 5;

/// Measured time with the word `minute`: for a look at rows that take hours.
const MINUTE: Duration = Duration::from_secs(60);

/// Nodes of a smoke run.
const QUICK_NODES: u32 = 200;

/// Times of a smoke run.
const QUICK_WARM_UP: Duration = Duration::from_secs(10);
const QUICK_MEASURED: Duration = Duration::from_secs(20);

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arm {
    /// Links by source, as it ships.
    BySource,
    /// GossipSub v1.1.
    Plain,
    /// As it ships, but authentication costs nothing.
    Unsealed,
}

impl Arm {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::BySource => "by source",
            Self::Plain => "plain",
            Self::Unsealed => "unsealed",
        }
    }

    /// The arm that ships, and those that were named.
    pub(crate) fn wanted(options: &Options) -> Vec<Self> {
        let mut arms = vec![Self::BySource];
        for arm in [Self::Plain, Self::Unsealed] {
            if options.has(arm.word()) {
                arms.push(arm);
            }
        }
        arms
    }
}

/// The row without attack, or its smoke run.
pub(crate) fn scenario(options: &Options) -> Scenario {
    let mut standard = Scenario::default();
    if options.has("minute") {
        standard.measured = MINUTE;
    }
    if options.quick {
        standard.nodes = QUICK_NODES;
        if !options.has("long") {
            standard.warm_up = QUICK_WARM_UP;
            standard.measured = QUICK_MEASURED;
        }
    }
    standard
}

/// The same with other messages.
pub(crate) fn publishing(scenario: Scenario, publishing: Publishing) -> Scenario {
    Scenario {
        publishing,
        ..scenario
    }
}

/// Outcomes of one scenario with all seeds, under a name.
pub(crate) struct Runs {
    pub(crate) name: String,
    seeds: Vec<u64>,
    /// Who has a lower score gets no gossip.
    distrusted: f64,
    pub(crate) outcomes: Vec<Outcome>,
}

impl Runs {
    /// Runs a scenario in one of the arms.
    pub(crate) fn of(
        options: &Options,
        report: &mut Report,
        name: &str,
        arm: Arm,
        mut scenario: Scenario,
    ) -> Self {
        match arm {
            Arm::BySource => {}
            Arm::Plain => scenario.settings = Settings::plain(),
            Arm::Unsealed => scenario.model.authentication = Authentication::Free,
        }
        let name = format!("{name}, {} nodes, {}", scenario.nodes, arm.word());
        let seeds = seeds(options);
        let (mut outcomes, mut speeds, mut memory) = (Vec::new(), Vec::new(), Vec::new());
        for seed in &seeds {
            forget_peak();
            let begin = Instant::now();
            let outcome = scenario.run(*seed, &shipped);
            speeds.push(outcome.handled as f64 / begin.elapsed().as_secs_f64());
            memory.push(peak_bytes() / f64::from(scenario.nodes));
            outcomes.push(outcome);
        }
        let runs = Self {
            name,
            seeds,
            distrusted: scenario.settings.score.thresholds.gossip,
            outcomes,
        };
        runs.faults(report);
        let row = |what: &str| format!("{}: {what}", runs.name);
        report.row(
            &row("inputs a second of the simulator"),
            &speeds,
            "/s",
            Target::None,
        );
        report.row(
            &row("peak memory of the process a node"),
            &memory,
            "B",
            Target::None,
        );
        runs
    }

    /// One row: what a figure is for each seed.
    pub(crate) fn row(
        &self,
        report: &mut Report,
        what: &str,
        unit: &str,
        target: Target,
        figure: impl Fn(&Outcome) -> f64,
    ) {
        let values: Vec<_> = self.outcomes.iter().map(figure).collect();
        report.row(&format!("{}: {what}", self.name), &values, unit, target);
    }

    /// What no machine may do.
    fn faults(&self, report: &mut Report) {
        self.row(
            report,
            "faults between honest nodes",
            "",
            Target::EachAtMost(0.0),
            |one| one.accused as f64,
        );
        let wrong = |one: &Outcome| {
            (one.traffic.repeated + one.traffic.foreign + one.whole().refused) as f64
        };
        let none = Target::EachAtMost(0.0);
        self.row(report, "wrong deliveries", "", none, wrong);
        let lowest = |one: &Outcome| one.lowest_score;
        let name = "lowest score among honest nodes";
        self.row(
            report,
            name,
            "",
            Target::EachAtLeast(self.distrusted),
            lowest,
        );
        for (seed, outcome) in self.seeds.iter().zip(&self.outcomes) {
            if let Some(first) = outcome.accusations.first() {
                report.note(&format!("seed {seed}: the first accusation is {first:?}"));
            }
            for (publisher, at, node) in outcome.missing.iter().take(3) {
                report.note(&format!(
                    "seed {seed}: what {publisher:?} published at {at:?} missed {node:?}"
                ));
            }
        }
    }
}

/// The seeds that were named, or all.
fn seeds(options: &Options) -> Vec<u64> {
    let seeds = if options.quick { 1 } else { SEEDS };
    let is_named = |seed: &u64| options.has(&format!("seed-{seed}"));
    let named: Vec<u64> = (1..=seeds).filter(is_named).collect();
    if named.is_empty() {
        (1..=seeds).collect()
    } else {
        named
    }
}

/// The most memory that the process had since [`forget_peak`], in bytes; 0 where there is no `/proc`.
fn peak_bytes() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = peak.and_then(|peak| peak.split_whitespace().next());
    kibibytes
        .and_then(|count| count.parse().ok())
        .map_or(0.0, |count: f64| count * 1_024.0)
}

/// Begins to look for the peak anew, where the system can.
fn forget_peak() {
    // Linux: "5" resets the peak of the resident set (proc(5)).
    let _ = fs::write("/proc/self/clear_refs", "5");
}
