//! Twenty links of attackers to each honest one.

use std::time::Duration;

use cretoai_network::sim::gossip::{
    Disturbance, Outcome, Reach, Scenario, Stage, SybilAttack, Sybils,
};

use super::figures::{self, Latency};
use super::options::Options;
use super::report::{Report, Target};
use super::runs::{Arm, Runs, scenario};

/// Links of attackers to each honest one, and of each attacker: those of `gossipsub-hardening`.
const RATIO: u32 = 20;
const LINKS: u32 = 100;

/// Honest nodes; with the word `large`, and without.
const LARGE: u32 = 1_000;
const SMALL: u32 = 200;

/// The same with the word `hundred`: attackers that pass messages on take as much memory as honest nodes.
const FEWEST: u32 = 100;

/// Before the first message of attacks that begin with the network: as in the original.
const BEFORE_FIRST: Duration = Duration::from_secs(30);

pub(crate) fn run(options: &Options, report: &mut Report) {
    for attack in SybilAttack::ALL {
        for (nodes, suffix) in [(SMALL, ""), (LARGE, "-large")] {
            let word = word(attack);
            let is_named = options.wants(&format!("{word}{suffix}"));
            if is_named || options.wants(&format!("sybil{suffix}")) {
                let nodes = if options.has("hundred") {
                    FEWEST
                } else {
                    nodes
                };
                for arm in Arm::wanted(options) {
                    besiege(options, report, attack, nodes, arm);
                }
            }
        }
    }
}

const fn word(attack: SybilAttack) -> &'static str {
    match attack {
        SybilAttack::EclipseNet => "eclipse-net",
        SybilAttack::EclipsePublishers => "eclipse-publishers",
        SybilAttack::EclipseOne => "eclipse-one",
        SybilAttack::CensorOne => "censor-one",
        SybilAttack::Degrade => "degrade",
        SybilAttack::ColdBoot => "cold-boot",
        SybilAttack::CovertFlash => "covert-flash",
        SybilAttack::Dawn => "dawn",
    }
}

fn besiege(options: &Options, report: &mut Report, attack: SybilAttack, nodes: u32, arm: Arm) {
    let name = format!("{} at 20:1", word(attack));
    let scenario = besieged(options, attack, nodes);
    let runs = Runs::of(options, report, &name, arm, scenario);
    let is_judged = arm != Arm::Plain;
    deliveries(&runs, report, attack, is_judged);
    places(&runs, report, is_judged);
    if attack == SybilAttack::CensorOne {
        censored(&runs, report, is_judged);
    }
    figures::cost(&runs, report, Target::None, Target::None, Target::None);
}

/// Whether an attack begins with the network.
const fn is_early(attack: SybilAttack) -> bool {
    matches!(attack, SybilAttack::ColdBoot | SybilAttack::Dawn)
}

fn besieged(options: &Options, attack: SybilAttack, nodes: u32) -> Scenario {
    let standard = scenario(options);
    let (quiet, warm_up) = if is_early(attack) {
        (BEFORE_FIRST, Duration::ZERO)
    } else {
        (standard.quiet, standard.warm_up)
    };
    Scenario {
        nodes,
        quiet,
        warm_up,
        disturbance: Disturbance::Sybils(Sybils {
            attack,
            ratio: RATIO,
            links: LINKS,
        }),
        ..standard
    }
}

const fn judged(is_judged: bool, most: f64) -> Target {
    if is_judged {
        Target::AtMost(most)
    } else {
        Target::None
    }
}

fn deliveries(runs: &Runs, report: &mut Report, attack: SybilAttack, is_judged: bool) {
    let latency = if is_judged {
        Latency::p99(1_000.0)
    } else {
        Latency::ANY
    };
    // What begins with the network has no moment: all of it is under attack.
    let first = if is_early(attack) {
        Stage::Before
    } else {
        Stage::Shock
    };
    let attacked = |one: &Outcome| one.after(first);
    let missing = judged(is_judged, 0.0);
    figures::reach(runs, report, "under attack: ", attacked, missing, latency);
}

/// How many places in meshes the attackers have.
fn places(runs: &Runs, report: &mut Report, is_judged: bool) {
    let name = "heartbeats until Sybils have < 20 %";
    runs.row(report, name, "", judged(is_judged, 10.0), |one| {
        let heartbeats = one.heartbeats_until_below(0.2);
        heartbeats.map_or(f64::INFINITY, |count| count as f64)
    });
    let name = "the same from the first message on";
    runs.row(report, name, "", judged(is_judged, 10.0), |one| {
        let heartbeats = one.spoken_until_below(0.2);
        heartbeats.map_or(f64::INFINITY, |count| count as f64)
    });
    for heartbeat in [1, 2, 5, 10, 20, 40] {
        let name = format!("Sybils in meshes at heartbeat {heartbeat}");
        runs.row(report, &name, "%", Target::None, |one| {
            let taken = one.taken.get(heartbeat - 1);
            taken.map_or(f64::NAN, |taken| 100.0 * taken)
        });
    }
}

/// How much slower the messages of the censored publisher are than those of the others.
fn censored(runs: &Runs, report: &mut Report, is_judged: bool) {
    let target = judged(is_judged, 2.0);
    runs.row(
        report,
        "p99 of the censored beside others",
        "times",
        target,
        |one| {
            let p99 = |stages: &[Reach]| {
                let mut reach = Reach::default();
                let shock = &stages[Stage::Shock as usize..];
                shock.iter().for_each(|part| reach.merge(part));
                let p99 = reach.latency.quantile(0.99);
                p99.map_or(f64::NAN, figures::millis)
            };
            p99(&one.censored) / p99(&one.stages)
        },
    );
}
