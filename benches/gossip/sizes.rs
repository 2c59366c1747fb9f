//! Larger networks.

use std::time::Duration;

use cretoai_network::sim::gossip::{Outcome, Scenario};

use super::figures::{self, Latency};
use super::options::Options;
use super::report::{Report, Target};
use super::runs::{Arm, Runs, scenario};

/// Measured time: a large network has as many deliveries in less of it.
const MEASURED: Duration = Duration::from_secs(30);

/// Messages a second: ten thousand nodes hold more of them than a computer has memory, if there are
/// many.
const PER_SECOND: f64 = 30.0;

/// By how much a node of a larger network may have more to do, in per cent.
const MORE: f64 = 15.0;

pub(crate) fn run(options: &Options, report: &mut Report) {
    let sizes: Vec<u32> = [(5_000, "five-large"), (10_000, "ten-large")]
        .into_iter()
        .filter(|(_, word)| options.wants(word))
        .map(|(nodes, _)| nodes)
        .collect();
    if sizes.is_empty() {
        return;
    }
    for arm in Arm::wanted(options) {
        let beside = of_size(options, report, 1_000, arm);
        let before = beside.outcomes.iter().map(Outcome::sent);
        let before: Vec<f64> = before.collect();
        for nodes in &sizes {
            let runs = of_size(options, report, *nodes, arm);
            let more = runs.outcomes.iter().zip(&before);
            let more: Vec<f64> = more
                .map(|(one, before)| 100.0 * (one.sent() / before - 1.0))
                .collect();
            let name = format!("{}: more sent a delivery than of 1 000", runs.name);
            report.row(&name, &more, "%", Target::AtMost(MORE));
        }
    }
}

fn of_size(options: &Options, report: &mut Report, nodes: u32, arm: Arm) -> Runs {
    let mut scenario = Scenario {
        nodes,
        measured: MEASURED,
        ..scenario(options)
    };
    scenario.publishing.per_second = PER_SECOND;
    let runs = Runs::of(options, report, "2 KiB at 30/s", arm, scenario);
    let all = Target::AtMost(0.0);
    figures::reach(&runs, report, "", Outcome::whole, all, Latency::ANY);
    figures::cost(&runs, report, Target::None, Target::None, Target::None);
    figures::bound(&runs, report);
    runs
}
