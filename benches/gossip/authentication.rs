//! What it costs to prove who said what, at several rates of one publisher.

use std::time::Duration;

use cretoai_network::sim::gossip::{Outcome, Publishing, Scenario};

use super::figures::{self, Latency};
use super::options::Options;
use super::report::{Report, Target};
use super::runs::{Arm, Runs, publishing, scenario};

/// Messages a second of the one publisher; what authentication may be of the payload, in per cent;
/// for how long that is measured, in seconds.
const RATES: [(f64, Target, u64); 4] = [
    (1.0, Target::None, 60),
    (100.0, Target::None, 20),
    (1_000.0, Target::AtMost(30.0), 10),
    (10_000.0, Target::AtMost(7.0), 5),
];

/// What a node receives does not depend on how many there are.
const NODES: u32 = 50;

pub(crate) fn run(options: &Options, report: &mut Report) {
    if !options.wants("authentication") {
        return;
    }
    for (per_second, share, seconds) in RATES {
        let messages = Publishing {
            publishers: 1,
            per_second,
            bytes: 1_024,
        };
        let scenario = Scenario {
            nodes: NODES,
            warm_up: Duration::from_secs(5),
            measured: Duration::from_secs(seconds),
            ..publishing(scenario(options), messages)
        };
        let name = format!("1 KiB at {per_second}/s of one");
        let runs = Runs::of(options, report, &name, Arm::BySource, scenario);
        let all = Target::AtMost(0.0);
        figures::reach(&runs, report, "", Outcome::whole, all, Latency::ANY);
        runs.row(
            report,
            "copies a delivery",
            "",
            Target::None,
            Outcome::copies,
        );
        figures::authentication(&runs, report, share);
        let beyond = |one: &Outcome| one.seal_copies() - one.copies();
        let none = Target::AtMost(0.0);
        runs.row(
            report,
            "seal copies beyond payload copies",
            "",
            none,
            beyond,
        );
        if per_second >= 10_000.0 {
            let most = Target::AtMost(60.0);
            runs.row(
                report,
                "seals a second",
                "/s",
                most,
                Outcome::seals_a_second,
            );
            let share = |one: &Outcome| 100.0 * one.verifying_share();
            runs.row(
                report,
                "core of a receiver",
                "%",
                Target::AtMost(1.0),
                share,
            );
        }
    }
}
