//! The machine that ships, in small worlds: that it runs here, and that nobody has to complain.

use super::*;
use crate::gossip::score::Colocation;

/// Forty nodes of which each has about ten neighbours.
fn town(settings: Settings, disturbance: Disturbance) -> Scenario {
    Scenario {
        nodes: 40,
        dials: 5,
        settings,
        publishing: Publishing {
            publishers: 4,
            per_second: 10.0,
            bytes: 2_048,
        },
        warm_up: 6 * SECOND,
        measured: 12 * SECOND,
        disturbance,
        ..Scenario::default()
    }
}

fn run(scenario: &Scenario, seed: u64) -> Outcome {
    println!("seed {seed}");
    let outcome = scenario.run(seed, &shipped);
    let whole = outcome.whole();
    assert!(whole.published > 60 && whole.refused == 0);
    assert_eq!(whole.missing, 0, "{:?}", outcome.missing);
    assert_eq!(outcome.accused, 0, "{:?}", outcome.accusations);
    assert_eq!((outcome.traffic.repeated, outcome.traffic.foreign), (0, 0));
    assert_nobody_is_distrusted(scenario, &outcome);
    outcome
}

#[test]
fn links_by_source_bring_everything_with_fewer_copies_than_a_plain_mesh() {
    let by_source = run(&town(Settings::default(), Disturbance::None), 1);
    let plain = run(&town(Settings::plain(), Disturbance::None), 1);
    assert!(by_source.copies() < 3.0, "{}", by_source.copies());
    assert!(plain.copies() > 4.5, "{}", plain.copies());
    // A seal goes with every message here, and a control frame with few of them.
    assert!(by_source.seal_copies() <= by_source.copies() + 0.05);
    assert!(by_source.control() < 1_000.0, "{}", by_source.control());
}

#[test]
fn nothing_is_lost_to_losses_crashes_silence_or_betrayal() {
    let mut lossy = town(Settings::default(), Disturbance::None);
    lossy.model.loss = 0.05;
    run(&lossy, 2);
    for disturbance in [
        Disturbance::Silent(0.2),
        Disturbance::Crash(0.2),
        Disturbance::Turncoats {
            share: 0.2,
            turn: Turn::Mute,
        },
        Disturbance::Turncoats {
            share: 0.2,
            turn: Turn::Bait,
        },
    ] {
        println!("{disturbance:?}");
        run(&town(Settings::default(), disturbance), 3);
    }
}

/// One in five is twice as near as the others, and has most messages first: who is far brings nothing that is not
/// here yet, and would. The mesh alone decides in plain ones, and on topics without signatures.
#[test]
fn where_the_mesh_alone_decides_who_is_far_is_not_taken_for_silent() {
    let near = Disturbance::Turncoats {
        share: 0.2,
        turn: Turn::Mute,
    };
    let plain = town(Settings::plain(), near);
    let mut unsigned = town(Settings::default(), near);
    unsigned.model.is_unsigned = true;
    for mut scenario in [plain, unsigned] {
        println!("{:?}", scenario.settings.gossip.spreading);
        // Some fifty messages with which each member is audited come before.
        (scenario.publishing.per_second, scenario.warm_up) = (40.0, 22 * SECOND);
        let lowest = run(&scenario, 13).lowest_score;
        assert!(lowest >= 0.0, "{lowest}");
    }
}

/// They come back under a new epoch, and others remember what they said in the one before. Publishers are
/// among them, and some say something before a neighbour is there again.
#[test]
fn nothing_of_when_they_were_up_is_lost_to_nodes_that_restart() {
    let mut scenario = town(
        Settings::default(),
        Disturbance::Restarts {
            share: 0.5,
            down: 5 * SECOND,
        },
    );
    (scenario.nodes, scenario.dials) = (16, 3);
    // They stop at different moments, and the last ones are back ten seconds before the end.
    scenario.measured = 24 * SECOND;
    for seed in 8..=12 {
        let outcome = run(&scenario, seed);
        assert_eq!(outcome.honest, scenario.nodes, "all are back");
        let whole = outcome.whole();
        let others = u64::from(scenario.nodes - 1);
        assert!(whole.expected < whole.published * others, "some were down");
    }
}

#[test]
fn a_slow_uplink_is_shared_by_all_that_a_node_sends() {
    let mut slow = town(Settings::default(), Disturbance::None);
    slow.publishing.bytes = 16 << 10;
    let fast = run(&slow, 4);
    slow.model.uplink = Some(50_000_000);
    let slow = run(&slow, 4);
    let p50 = |outcome: &Outcome| outcome.whole().latency.quantile(0.5).unwrap();
    // A copy takes 3.4 ms with its seal, and there are a few before it.
    assert!(p50(&slow) > p50(&fast) + 3 * MILLISECOND);
    assert!(p50(&slow) < p50(&fast) + 80 * MILLISECOND);
}

/// The same publications, without what proves them.
#[test]
fn without_authentication_a_slow_uplink_is_faster() {
    let mut sealed = town(Settings::default(), Disturbance::None);
    sealed.publishing.bytes = 16 << 10;
    sealed.model.uplink = Some(20_000_000);
    let with = run(&sealed, 5);
    sealed.model.authentication = Authentication::Free;
    let without = run(&sealed, 5);
    let p99 = |outcome: &Outcome| outcome.whole().latency.quantile(0.99).unwrap();
    assert!(p99(&without) < p99(&with));
    assert!(without.traffic.proof_bytes() > 0, "they are counted");
    assert!(without.traffic.verifying.is_zero());
}

/// Scores are looked at: where nobody may share a network with anybody, and everybody is in one, it shows.
#[test]
fn honest_nodes_that_do_not_trust_each_other_are_seen() {
    let mut scenario = town(Settings::default(), Disturbance::None);
    scenario.settings.score.colocation = Colocation {
        weight: -150.0,
        threshold: 0,
    };
    assert!(scenario.run(6, &shipped).lowest_score < -100.0);
}

#[test]
fn what_waits_for_a_slow_reader_is_bounded_and_seen() {
    println!("seed 7");
    let mut scenario = town(Settings::default(), Disturbance::SlowReader);
    scenario.publishing.bytes = 16 << 10;
    scenario.publishing.per_second = 40.0;
    scenario.measured = 30 * SECOND;
    let outcome = scenario.run(7, &shipped);
    println!("{} bytes waited, {:?}", outcome.waited, outcome.slow_reader);
    assert!(outcome.waited > 32 << 10 && outcome.waited <= 1 << 20);
    // Most neighbours found out: they sent it more than is taken.
    let slowest = outcome.slow_reader.unwrap();
    assert!(slowest > 2 * SECOND && slowest <= 5 * SECOND);
    assert_nobody_is_distrusted(&scenario, &outcome);
}
