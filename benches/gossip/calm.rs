//! Nothing goes wrong.

use std::time::Duration;

use cretoai_network::sim::gossip::{Outcome, Publishing, Scenario};

use super::figures::{self, Latency};
use super::options::Options;
use super::report::{Report, Target};
use super::runs::{Arm, Runs, publishing, scenario};

/// All that was published.
const NOTHING: Target = Target::AtMost(0.0);

pub(crate) fn run(options: &Options, report: &mut Report) {
    for arm in Arm::wanted(options) {
        if options.wants("calm") {
            calm(options, report, arm);
        }
        if options.wants("big") {
            big(options, report, arm);
        }
        if options.wants("cold") {
            cold(options, report, arm);
        }
    }
    if options.wants("bound") {
        bound(options, report);
    }
}

/// A target of the arm that ships.
fn of(arm: Arm, target: Target) -> Target {
    if arm == Arm::Plain {
        Target::None
    } else {
        target
    }
}

fn latency(arm: Arm, latency: Latency) -> Latency {
    if arm == Arm::Plain {
        Latency::ANY
    } else {
        latency
    }
}

fn calm(options: &Options, report: &mut Report, arm: Arm) {
    let runs = Runs::of(options, report, "2 KiB", arm, scenario(options));
    let most = Latency {
        p50: 78.0,
        p99: 92.0,
        max: 170.0,
    };
    figures::reach(
        &runs,
        report,
        "",
        Outcome::whole,
        NOTHING,
        latency(arm, most),
    );
    let copies = of(arm, Target::AtMost(2.02));
    let control = of(arm, Target::AtMost(450.0));
    figures::cost(&runs, report, copies, control, Target::None);
    figures::bound(&runs, report);
}

fn big(options: &Options, report: &mut Report, arm: Arm) {
    let mut scenario = publishing(
        scenario(options),
        Publishing {
            publishers: 100,
            per_second: 15.0,
            bytes: 16 << 10,
        },
    );
    scenario.model.uplink = Some(50_000_000);
    let runs = Runs::of(options, report, "16 KiB at 50 Mbit/s", arm, scenario);
    let most = latency(arm, Latency::p99(160.0));
    figures::reach(&runs, report, "", Outcome::whole, NOTHING, most);
    let copies = of(arm, Target::AtMost(1.1));
    let share = of(arm, Target::AtMost(4.0));
    figures::cost(&runs, report, copies, Target::None, share);
}

/// Every node publishes: most sources are cold when the measurement begins.
fn cold(options: &Options, report: &mut Report, arm: Arm) {
    let standard = scenario(options);
    let publishers = standard.nodes;
    let scenario = publishing(
        standard,
        Publishing {
            publishers,
            per_second: 0.12 * f64::from(publishers),
            bytes: 2_048,
        },
    );
    let name = "every node publishes 0.12/s";
    let runs = Runs::of(options, report, name, arm, scenario.clone());
    let most = latency(arm, Latency::p99(110.0));
    figures::reach(&runs, report, "", Outcome::whole, NOTHING, most);
    let copies = of(arm, Target::AtMost(2.1));
    figures::cost(&runs, report, copies, Target::None, Target::None);
    // The same from the first message on, which nobody can spread but to all.
    let scenario = Scenario {
        warm_up: Duration::ZERO,
        measured: scenario.warm_up + scenario.measured,
        ..scenario
    };
    let name = "the same, measured from the first message on";
    let runs = Runs::of(options, report, name, arm, scenario);
    figures::reach(&runs, report, "", Outcome::whole, NOTHING, Latency::ANY);
    figures::cost(&runs, report, Target::None, Target::None, Target::None);
}

/// What no algorithm is faster than, at all sizes: next to nothing is published.
fn bound(options: &Options, report: &mut Report) {
    for nodes in [200, 1_000, 5_000] {
        let silent = Publishing {
            publishers: 100,
            per_second: 1e-6,
            bytes: 64,
        };
        let scenario = Scenario {
            nodes,
            quiet: Duration::ZERO,
            warm_up: Duration::ZERO,
            measured: Duration::from_secs(2),
            ..publishing(scenario(options), silent)
        };
        let runs = Runs::of(options, report, "shortest paths", Arm::BySource, scenario);
        figures::bound(&runs, report);
        if options.quick {
            break;
        }
    }
}
