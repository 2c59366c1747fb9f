//! A member that brings nothing on a topic ends outside its mesh.

use proptest::prelude::*;

use super::*;

/// Messages a second at which each set judges soon, from the fewest to many, and the share of them with which
/// a member is judged: one in sixteen where the mesh alone decides.
fn rates(config: &ScoreConfig) -> (&'static [f64], f64) {
    let is_by_source = config.default_topic == TopicScore::default();
    match config.default_topic.mesh_deliveries.rule {
        Deliveries::Absolute { .. } => (&[23.0, 120.0, 700.0], 1.0),
        Deliveries::Expected { .. } if is_by_source => (&[1.0, 23.0, 120.0, 700.0], 1.0),
        Deliveries::Expected { .. } => (&[23.0, 120.0, 700.0, 7_000.0], 1.0 / 16.0),
    }
}

/// Half a minute and a little, in which the silent are out of the meshes of each set.
const STATED: Duration = Duration::from_secs(35);

#[test]
fn a_member_with_the_best_record_that_falls_silent_is_out_in_half_a_minute() {
    for (name, config) in sets() {
        let (rates, asked) = rates(&config);
        for rate in rates {
            for seed in 1..=5 {
                let mut world = World::new(config.clone(), seed);
                world.talk(topic(0), *rate);
                let member = world.join(Member {
                    asked,
                    first: 1.0,
                    ..Member::new(A, topic(0), 1.0)
                });
                world.run(Duration::from_secs(600));
                assert_eq!(world.member(member).pruned, None);
                world.member(member).brings = 0.0;
                let fell = world.now;
                world.run(STATED);
                let pruned = world.member(member).pruned;
                assert!(pruned.is_some(), "{name}, {rate}/s, seed {seed}");
                println!(
                    "{name}, {rate}/s: out after {:?}",
                    pruned.unwrap().since(fell)
                );
            }
        }
    }
}

#[test]
fn a_member_that_never_brings_anything_is_out_in_half_a_minute() {
    for (name, config) in sets() {
        let (rates, asked) = rates(&config);
        for rate in rates {
            let mut world = World::new(config.clone(), 1);
            world.talk(topic(0), *rate);
            let member = world.join(Member {
                asked,
                ..Member::new(A, topic(0), 0.0)
            });
            world.run(STATED);
            assert!(world.member(member).pruned.is_some(), "{name}, {rate}/s");
        }
    }
}

/// The messages are those that are expected of it, and few: nothing is forgotten between them.
#[test]
fn on_a_quiet_topic_a_member_that_falls_silent_is_out_after_some_messages() {
    for (name, config) in sets() {
        let most = match name {
            "default" => 32,
            "unsigned" => 27,
            "plain" => 29,
            _ => continue,
        };
        let mut world = World::new(config, 1);
        // One in ten minutes, for days.
        world.talk(topic(0), 1.0 / 600.0);
        let member = world.join(Member::new(A, topic(0), 1.0));
        world.run(Duration::from_secs(2 * 86_400));
        assert_eq!(world.member(member).pruned, None, "{name}");
        world.member(member).brings = 0.0;
        while world.member(member).pruned.is_none() {
            world.heartbeat();
            let missed = world.member(member).missed;
            assert!(missed <= most, "{name}: {missed}");
        }
        println!("{name}: {}", world.member(member).missed);
    }
}

#[test]
fn a_member_that_brings_less_than_two_fifths_is_out_in_a_minute() {
    let mut world = World::new(ScoreConfig::default(), 1);
    world.talk(topic(0), 120.0);
    let half = world.join(Member::new(A, topic(0), 0.36));
    world.run(Duration::from_secs(60));
    assert!(world.member(half).pruned.is_some());
}

#[test]
fn who_brings_nothing_is_in_the_mesh_for_less_than_a_tenth_of_the_time() {
    for (name, config) in sets() {
        let (rates, asked) = rates(&config);
        for rate in rates {
            let mut world = World::new(config.clone(), 1);
            world.talk(topic(0), *rate);
            let member = world.join(Member {
                asked,
                ..Member::new(A, topic(0), 0.0)
            });
            let time = Duration::from_secs(4 * 3_600);
            world.run(time);
            let share = world.member(member).in_mesh.as_secs_f64() / time.as_secs_f64();
            println!("{name}, {rate}/s: {share:.3} of the time");
            assert!(share < 0.1, "{name}, {rate}/s: {share}");
        }
    }
}

/// It brings what it says itself, and is the first: a quarter of all messages.
#[test]
fn attack_14_who_says_much_itself_and_passes_nothing_on_is_out_in_a_minute() {
    for config in [unsigned(), ScoreConfig::plain()] {
        let mut world = World::new(config, 1);
        world.talk(topic(0), 40.0);
        let member = world.join(Member {
            asked: 1.0 / 16.0,
            first: 1.0,
            ..Member::new(A, topic(0), 0.25)
        });
        let end = world.now + Duration::from_secs(60);
        while world.now < end {
            for _ in 0..7 {
                world.board.first_delivery(A, topic(0));
            }
            world.heartbeat();
        }
        assert!(world.member(member).pruned.is_some());
    }
}

#[test]
fn what_was_not_asked_for_excuses_nothing() {
    let mut board = board(ScoreConfig::default());
    let now = fall_silent(&mut board, A, topic(0));
    for _ in 0..1_000 {
        board.duplicate(now, A, topic(0), now);
    }
    assert!(!board.deserves_mesh(A, &topic(0)));
}

/// A set that differs from the default in one topic's numbers, and may or may not be valid.
fn any_topic() -> impl Strategy<Value = TopicScore> {
    let absolute =
        (1.0_f64..40.0, 2.0_f64..10.0).prop_map(|(threshold, factor)| Deliveries::Absolute {
            threshold,
            traffic: threshold * factor,
            activation: Duration::from_secs(5),
        });
    let expected = (0.1_f64..0.9, 8.0_f64..100.0)
        .prop_map(|(share, evidence)| Deliveries::Expected { share, evidence });
    let decays = [0.5_f64..0.99, 0.5_f64..0.99, 0.5_f64..0.999];
    (
        prop_oneof![absolute, expected],
        (0.0_f64..1.0, 0.0_f64..100.0),
        (0.0_f64..1.0, 0.0_f64..100.0),
        0.01_f64..200.0,
        decays,
    )
        .prop_map(|(rule, presence, first, weight, [d2, d3, d3b])| {
            let mut topic = TopicScore::default();
            (topic.time_in_mesh.weight, topic.time_in_mesh.cap) = presence;
            (topic.first_deliveries.weight, topic.first_deliveries.cap) = first;
            topic.first_deliveries.decay = d2;
            topic.mesh_deliveries.weight = -weight;
            topic.mesh_deliveries.decay = d3;
            topic.mesh_deliveries.cap = 400.0;
            topic.mesh_deliveries.rule = rule;
            topic.mesh_failure.decay = d3b;
            topic.invalid.weight = -1_000.0;
            topic
        })
}

/// The fewest messages an interval at which a member is surely judged, with some to spare.
fn least_rate(deliveries: &MeshDeliveries) -> f64 {
    let post_decay = deliveries.decay / (1.0 - deliveries.decay);
    match deliveries.rule {
        Deliveries::Absolute { traffic, .. } => 1.2 * traffic / post_decay + 2.0,
        Deliveries::Expected { evidence, .. } => 1.2 * evidence / post_decay + 2.0,
    }
}

/// A member with the best record falls silent. Says how long after it was in the mesh, if not longer
/// than `time`.
fn stays(config: &ScoreConfig, rate: f64, time: Duration) -> Option<Duration> {
    let mut world = World::new(config.clone(), 1);
    world.talk(topic(0), rate);
    let member = world.join(Member {
        first: 1.0,
        ..Member::new(A, topic(0), 1.0)
    });
    world.run(Duration::from_secs(120));
    world.member(member).brings = 0.0;
    let fell = world.now;
    while world.now.since(fell) < time && world.member(member).pruned.is_none() {
        world.heartbeat();
    }
    world.member(member).pruned.map(|at| at.since(fell))
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 100_000, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn in_every_valid_set_the_silent_are_out_in_the_time_that_it_says(default_topic in any_topic()) {
        let config = ScoreConfig { default_topic, ..ScoreConfig::default() };
        prop_assume!(config.validate().is_ok());
        // Two heartbeats and an interval until the next look.
        let bound = config.longest_silence() + Duration::from_millis(2_400);
        let rate = least_rate(&default_topic.mesh_deliveries);
        prop_assume!(rate * bound.as_secs_f64() < 200_000.0);
        let stayed = stays(&config, rate, bound);
        prop_assert!(stayed.is_some(), "in the mesh after {bound:?}");
    }

    #[test]
    fn in_a_set_that_is_refused_for_it_the_silent_stay(mut default_topic in any_topic()) {
        let presence = default_topic.earned_by_presence();
        prop_assume!(presence > 0.0);
        // Just too little.
        let largest = default_topic.mesh_deliveries.rule.penalty_of_silence();
        default_topic.mesh_deliveries.weight = -0.999 * presence / largest;
        let config = ScoreConfig { default_topic, ..ScoreConfig::default() };
        prop_assert_eq!(config.validate(), Err(ScoreConfigError::SilencePays));
        let rate = least_rate(&default_topic.mesh_deliveries).min(300.0);
        prop_assert_eq!(stays(&config, rate, Duration::from_secs(300)), None);
    }
}
