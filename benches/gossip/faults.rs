//! Nodes that fail, links that lose, and peers that betray.

use std::time::Duration;

use cretoai_network::sim::gossip::{Disturbance, Outcome, Scenario, Stage, Turn};

use super::figures::{self, Latency};
use super::options::Options;
use super::report::{Report, Target};
use super::runs::{Arm, Runs, scenario};

/// Everything is delivered.
const NOTHING: Target = Target::AtMost(0.0);

/// One message in ten thousand.
const NEXT_TO_NOTHING: Target = Target::AtMost(0.01);

/// The share of the nodes that fails, or betrays.
const SHARE: f64 = 0.2;

pub(crate) fn run(options: &Options, report: &mut Report) {
    for arm in Arm::wanted(options) {
        if options.wants("silent") {
            let disturbance = Disturbance::Silent(SHARE);
            whole(
                options,
                report,
                "20 % silent",
                arm,
                with(options, disturbance),
                100.0,
            );
        }
        if options.wants("loss") {
            let mut lossy = with(options, Disturbance::None);
            lossy.model.loss = 0.05;
            whole(options, report, "5 % loss", arm, lossy, 130.0);
        }
        if options.wants("crash") {
            crash(options, report, arm);
        }
        if options.wants("restart") {
            restart(options, report, arm);
        }
        if options.wants("oracle") {
            turncoats(options, report, "oracle", arm, Turn::Mute);
        }
        if options.wants("bait") {
            turncoats(options, report, "bait", arm, Turn::Bait);
        }
    }
}

fn with(options: &Options, disturbance: Disturbance) -> Scenario {
    Scenario {
        disturbance,
        ..scenario(options)
    }
}

fn p99(arm: Arm, most: f64) -> Latency {
    if arm == Arm::Plain {
        Latency::ANY
    } else {
        Latency::p99(most)
    }
}

fn whole(
    options: &Options,
    report: &mut Report,
    name: &str,
    arm: Arm,
    scenario: Scenario,
    most: f64,
) {
    let runs = Runs::of(options, report, name, arm, scenario);
    figures::reach(&runs, report, "", Outcome::whole, NOTHING, p99(arm, most));
    figures::cost(&runs, report, Target::None, Target::None, Target::None);
}

fn crash(options: &Options, report: &mut Report, arm: Arm) {
    let scenario = with(options, Disturbance::Crash(SHARE));
    let runs = Runs::of(options, report, "20 % crash", arm, scenario);
    stages(&runs, report, [Latency::ANY, p99(arm, 145.0), Latency::ANY]);
}

fn restart(options: &Options, report: &mut Report, arm: Arm) {
    let disturbance = Disturbance::Restarts {
        share: SHARE,
        down: Duration::from_secs(5),
    };
    let mut scenario = with(options, disturbance);
    scenario.model.loss = 0.05;
    let name = "5 % loss, 20 % restart";
    let runs = Runs::of(options, report, name, arm, scenario);
    figures::reach(
        &runs,
        report,
        "",
        Outcome::whole,
        NEXT_TO_NOTHING,
        Latency::ANY,
    );
    figures::cost(&runs, report, Target::None, Target::None, Target::None);
}

fn turncoats(options: &Options, report: &mut Report, name: &str, arm: Arm, turn: Turn) {
    let disturbance = Disturbance::Turncoats { share: SHARE, turn };
    let runs = Runs::of(options, report, name, arm, with(options, disturbance));
    let worst = Latency {
        max: if arm == Arm::Plain {
            f64::INFINITY
        } else {
            600.0
        },
        ..Latency::ANY
    };
    let after = Latency {
        max: worst.max,
        ..p99(arm, 95.0)
    };
    stages(&runs, report, [worst, worst, after]);
}

/// Before, the first ten seconds after it in two parts, and the rest.
fn stages(runs: &Runs, report: &mut Report, [before, shock, after]: [Latency; 3]) {
    for (name, stage, latency) in [
        ("before: ", Stage::Before, before),
        ("0–2 s after: ", Stage::Shock, shock),
        (
            "2–10 s after: ",
            Stage::Recovery,
            Latency {
                max: shock.max,
                ..Latency::ANY
            },
        ),
        ("from 10 s after: ", Stage::After, after),
    ] {
        let of = |one: &Outcome| one.stage(stage);
        figures::reach(runs, report, name, of, NOTHING, latency);
    }
    figures::cost(runs, report, Target::None, Target::None, Target::None);
}
