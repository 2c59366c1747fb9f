//! Whole scenarios, of machines that flood.

use super::*;

/// Sixty nodes, of which each has about ten neighbours.
fn small() -> Scenario {
    Scenario {
        nodes: 60,
        dials: 5,
        publishing: Publishing {
            publishers: 6,
            per_second: 10.0,
            bytes: 600,
        },
        warm_up: 5 * SECOND,
        measured: 30 * SECOND,
        ..Scenario::default()
    }
}

fn run(scenario: &Scenario, seed: u64) -> Outcome {
    println!("seed {seed}");
    scenario.run(seed, &Flood::build)
}

#[test]
fn everything_arrives_no_faster_than_the_paths_allow() {
    let outcome = run(&small(), 1);
    let whole = outcome.whole();
    // Ten a second for thirty seconds: within four standard deviations.
    assert!(whole.published.abs_diff(300) < 70, "{}", whole.published);
    assert_eq!(whole.expected, whole.published * 59);
    assert_eq!((whole.missing, whole.refused), (0, 0));
    assert_eq!(whole.latency.len(), whole.expected);
    assert_eq!(outcome.shortest.len(), 6 * 59);
    for share in [0.01, 0.5, 0.99] {
        let bound = outcome.shortest.quantile(share).unwrap();
        let found = whole.latency.quantile(share).unwrap();
        // A packet is a tenth faster than its link at most, and of several paths the fastest counts.
        assert!(found > bound * 90 / 100, "{found:?} {bound:?}");
        assert!(found < bound * 115 / 100, "{found:?} {bound:?}");
    }
    // Each sends to all but the one it has it from: as many copies as there are links, twice, less one
    // a node.
    let each = (2.0 * 300.0 - 59.0) / 59.0;
    assert!(
        (outcome.copies() - each).abs() < 0.2,
        "{}",
        outcome.copies()
    );
    assert_eq!((outcome.accused, outcome.traffic.repeated), (0, 0));
    assert!(outcome.missing.is_empty());
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_one_another() {
    let scenario = Scenario {
        model: NetworkModel {
            loss: 0.05,
            uplink: Some(50_000_000),
            ..NetworkModel::default()
        },
        disturbance: Disturbance::Restarts {
            share: 0.2,
            down: 5 * SECOND,
        },
        ..small()
    };
    let (one, other) = (run(&scenario, 7), run(&scenario, 7));
    assert_eq!(one, other);
    let third = run(&scenario, 8);
    assert_ne!(one.handled, third.handled);
    assert_ne!(one.shortest, third.shortest);
}

/// Both arms of a measurement meet the same graph and the same messages.
#[test]
fn graph_and_publications_do_not_depend_on_the_machines() {
    let silent = |setup| -> Box<dyn Machine> { Box::new(Grafter::new(setup_seed(&setup))) };
    let one = run(&small(), 3);
    let other = small().run(3, &silent);
    assert_eq!(one.shortest, other.shortest);
    assert_eq!(one.whole().published, other.whole().published);
    assert_eq!(one.whole().expected, other.whole().expected);
    assert_eq!(other.whole().missing, other.whole().expected);
}

fn setup_seed(setup: &crate::gossip::Setup) -> [u8; 32] {
    setup.seed
}

#[test]
fn nodes_that_crash_take_their_messages_and_nobody_elses() {
    let outcome = run(
        &Scenario {
            disturbance: Disturbance::Crash(0.2),
            ..small()
        },
        4,
    );
    assert_eq!((outcome.honest, outcome.whole().missing), (48, 0));
    let before = outcome.stage(Stage::Before);
    assert_eq!(before.published.min(50), 50);
    let late = outcome.stage(Stage::After);
    assert_eq!(late.expected % late.published, 0);
    assert_eq!(late.expected / late.published, 47);
    let parts = Stage::ALL[1..]
        .iter()
        .map(|stage| outcome.stage(*stage).published);
    assert_eq!(parts.sum::<u64>(), outcome.whole().published);
}

#[test]
fn the_silent_are_not_counted_and_the_rest_get_everything() {
    let outcome = run(
        &Scenario {
            disturbance: Disturbance::Silent(0.2),
            ..small()
        },
        5,
    );
    let whole = outcome.whole();
    assert_eq!((outcome.honest, whole.missing), (48, 0));
    assert_eq!(whole.expected, whole.published * 47);
}

#[test]
fn turncoats_are_fast_until_they_turn() {
    let outcome = run(
        &Scenario {
            disturbance: Disturbance::Turncoats {
                share: 0.2,
                turn: Turn::Mute,
            },
            ..small()
        },
        6,
    );
    let [before, after] = [Stage::Before, Stage::After].map(|stage| {
        let latency = outcome.stage(stage).latency;
        latency.quantile(0.5).unwrap()
    });
    assert!(before * 12 / 10 < after, "{before:?} {after:?}");
    assert_eq!(outcome.whole().missing, 0);
}

#[test]
fn restarted_nodes_get_everything_of_when_they_were_up() {
    let outcome = run(
        &Scenario {
            disturbance: Disturbance::Restarts {
                share: 0.3,
                down: 5 * SECOND,
            },
            ..small()
        },
        8,
    );
    let whole = outcome.whole();
    // The flood has no repair: who was dialled anew while a message passed may miss it.
    assert!(whole.missing * 1_000 < whole.expected, "{}", whole.missing);
    assert!(whole.expected < whole.published * 59);
    assert!(whole.expected > whole.published * 45);
    assert_eq!(outcome.honest, 60);
}

#[test]
fn sybils_have_twenty_links_for_each_honest_one() {
    let sybils = |attack| Scenario {
        nodes: 16,
        dials: 2,
        publishing: Publishing {
            publishers: 4,
            per_second: 3.0,
            bytes: 600,
        },
        quiet: 12 * SECOND,
        measured: 3 * SECOND,
        disturbance: Disturbance::Sybils(Sybils {
            attack,
            ratio: 20,
            links: 8,
        }),
        ..small()
    };
    for (attack, targets) in [
        (SybilAttack::EclipseNet, 16),
        (SybilAttack::EclipsePublishers, 4),
        (SybilAttack::EclipseOne, 1),
    ] {
        let scenario = sybils(attack);
        let mut world = World::new(9, scenario.model);
        scenario.gather(&mut world, &Flood::build);
        let attackers = world
            .nodes()
            .filter(|one| world.role(*one) == Role::Attacker);
        let mut links = 0;
        for attacker in attackers {
            for (neighbour, _) in world.neighbours(attacker) {
                assert!(neighbour.0 < targets);
                links += 1;
            }
        }
        // Four honest links each, on average: an attacker has a few too many of a remainder.
        assert!((targets * 4 * 20..targets * 4 * 20 + 8).contains(&links));
    }
    for attack in SybilAttack::ALL {
        let outcome = run(&sybils(attack), 10);
        assert_eq!(outcome.whole().missing, 0, "{attack:?}");
        let reached = outcome.stage(Stage::Shock).published > 0;
        let at_once = matches!(attack, SybilAttack::ColdBoot | SybilAttack::Dawn);
        assert_eq!(reached, !at_once, "{attack:?}");
        assert!(!outcome.taken.is_empty());
        // One of four publishers is censored.
        let censored: u64 = outcome.censored.iter().map(|part| part.published).sum();
        let is_one = censored > 0 && censored < outcome.whole().published;
        assert_eq!(is_one, attack == SybilAttack::CensorOne, "{attack:?}");
    }
}

#[test]
fn attackers_leave_the_meshes_at_the_heartbeat_from_which_on_they_have_few_places() {
    let until = |taken: &[f64]| {
        let outcome = Outcome {
            taken: taken.to_vec(),
            ..Outcome::default()
        };
        outcome.heartbeats_until_below(0.2)
    };
    assert_eq!(until(&[0.9, 0.5, 0.1, 0.0]), Some(3));
    assert_eq!(until(&[0.1, 0.5, 0.1, 0.0]), Some(3));
    assert_eq!(until(&[0.1, 0.1]), Some(1));
    assert_eq!(until(&[0.1, 0.2]), None);
    assert_eq!(until(&[]), None);
    let of_talk = |unspoken| {
        let outcome = Outcome {
            taken: vec![0.9, 0.9, 0.9, 0.1],
            unspoken,
            ..Outcome::default()
        };
        outcome.spoken_until_below(0.2)
    };
    assert_eq!([0, 2, 4].map(of_talk), [Some(4), Some(2), Some(1)]);
}

/// The flood never takes anybody out of its mesh: that must show.
#[test]
fn a_slow_reader_that_stays_in_a_mesh_is_seen() {
    let mut scenario = Scenario {
        disturbance: Disturbance::SlowReader,
        ..small()
    };
    scenario.model.unread = 0;
    assert_eq!(run(&scenario, 11).slow_reader, Some(Duration::MAX));
    // All that was sent to it was taken: nobody can know, and nothing is shown.
    scenario.model.unread = 1 << 30;
    assert_eq!(run(&scenario, 11).slow_reader, Some(Duration::MAX));
    scenario.disturbance = Disturbance::None;
    assert_eq!(run(&scenario, 11).slow_reader, None);
}

/// More publishers than a scenario has nodes: all publish.
#[test]
fn a_scenario_may_have_fewer_nodes_than_publishers() {
    let mut scenario = small();
    scenario.publishing.publishers = 1_000;
    let outcome = run(&scenario, 12);
    assert_eq!((outcome.publishers, outcome.whole().missing), (60, 0));
}
