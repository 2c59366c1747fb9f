//! A peer that reads nothing any more.

use std::time::Duration;

use cretoai_network::sim::gossip::{Disturbance, Outcome, Scenario};

use super::figures::{self, Latency};
use super::options::Options;
use super::report::{Report, Target};
use super::runs::{Arm, Runs, scenario};

pub(crate) fn run(options: &Options, report: &mut Report) {
    if !options.wants("slow") {
        return;
    }
    for arm in Arm::wanted(options) {
        let scenario = Scenario {
            nodes: 100,
            measured: Duration::from_secs(45),
            disturbance: Disturbance::SlowReader,
            ..scenario(options)
        };
        let runs = Runs::of(options, report, "one reads nothing", arm, scenario);
        let all = Target::AtMost(0.0);
        figures::reach(&runs, report, "", Outcome::whole, all, Latency::ANY);
        let name = "out of the last mesh after nothing more is taken";
        runs.row(report, name, "s", Target::AtMost(5.0), |one| {
            one.slow_reader
                .map_or(f64::INFINITY, |time| time.as_secs_f64())
        });
        let name = "most that waits for it at one neighbour";
        runs.row(report, name, "KiB", Target::EachAtMost(1_024.0), |one| {
            one.waited as f64 / 1_024.0
        });
    }
}
