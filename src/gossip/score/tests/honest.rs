//! An honest member is never out of a mesh by its score.

use proptest::prelude::*;

use super::*;

/// Runs members that lose `loss` of what they bring, beside a topic on which nothing is said; the
/// score is looked at every heartbeat.
fn assert_honest_stay(config: ScoreConfig, rate: f64, loss: f64, asked: f64, seed: u64) {
    let gossip = config.thresholds.gossip;
    let mut world = World::new(config, seed);
    world.talk(topic(0), rate);
    for number in 0..3 {
        let link = Link(number);
        world.join(Member {
            asked,
            ..Member::new(link, topic(0), 1.0 - loss)
        });
        world.join(Member::new(link, topic(1), 1.0 - loss));
    }
    // At least ten minutes, and 1 000 messages where that is at most two days.
    let time = (1_000.0 / rate).clamp(600.0, 172_800.0);
    let end = world.now + Duration::from_secs_f64(time);
    while world.now < end {
        world.heartbeat();
        for number in 0..3 {
            let link = Link(number);
            let score = world.board.score(link);
            assert!(score >= 0.0 && score > gossip, "{score} at {:?}", world.now);
            assert!(world.board.deserves_mesh(link, &topic(0)));
            assert!(world.board.deserves_mesh(link, &topic(1)));
        }
    }
}

#[test]
fn an_honest_member_stays_at_every_rate_with_5_percent_loss() {
    for (_, config) in sets() {
        for rate in [0.01, 0.3, 5.0, 20.0, 22.0, 23.0, 25.0, 40.0, 120.0] {
            assert_honest_stay(config.clone(), rate, 0.05, 1.0, 1);
        }
    }
}

/// As many as are withheld from each other, and one in twenty that is lost.
#[test]
fn a_member_that_is_audited_stays_though_it_audits_as_well() {
    for config in [unsigned(), ScoreConfig::plain()] {
        for (seed, rate) in [(1, 5.0), (2, 23.0), (3, 120.0), (4, 700.0)] {
            let lost = 1.0 - (1.0 - 1.0 / 16.0) * 0.95;
            assert_honest_stay(config.clone(), rate, lost, 1.0 / 16.0, seed);
        }
    }
}

/// The end of a chain, or a leaf of a star, which has nobody else to hear from.
#[test]
fn who_has_nothing_to_bring_on_a_hundred_topics_is_in_no_mesh_and_goes_on_hearing() {
    for (name, config) in sets() {
        let gossip = config.thresholds.gossip;
        let mut board = board(config);
        for number in 0..100 {
            fall_silent(&mut board, A, topic(number));
        }
        for second in 10..100 {
            board.decay(at(second));
            for number in 0..100 {
                board.pruned(A, topic(number));
            }
            assert!(!board.deserves_mesh(A, &topic(0)), "{name}");
            assert!(board.score(A) > gossip, "{name}, {second} s");
        }
    }
}

#[test]
fn who_is_asked_for_nothing_owes_nothing() {
    let mut world = World::new(ScoreConfig::default(), 1);
    world.talk(topic(0), 120.0);
    let silent = world.join(Member {
        asked: 0.0,
        ..Member::new(A, topic(0), 0.0)
    });
    world.run(Duration::from_secs(3_600));
    assert_eq!(world.member(silent).pruned, None);
    assert_eq!(world.board.score(A), 1.0);
}

#[test]
fn a_member_that_is_away_for_a_quarter_of_a_minute_stays() {
    for seed in 1..=5 {
        let mut world = World::new(ScoreConfig::default(), seed);
        world.talk(topic(0), 120.0);
        let member = world.join(Member::new(A, topic(0), 0.95));
        world.run(Duration::from_secs(120));
        world.member(member).brings = 0.0;
        world.run(Duration::from_secs(15));
        world.member(member).brings = 0.95;
        world.run(Duration::from_secs(120));
        assert_eq!(world.member(member).pruned, None, "seed {seed}");
    }
}

#[test]
fn a_topic_that_falls_silent_costs_nobody_anything() {
    for (name, config) in sets() {
        let mut world = World::new(config, 1);
        world.talk(topic(0), 120.0);
        let member = world.join(Member {
            asked: 0.5,
            ..Member::new(A, topic(0), 0.95)
        });
        world.run(Duration::from_secs(120));
        // Nothing is said any more.
        for _ in 0..1_000 {
            world.now = world.now + Duration::from_millis(700);
            world.board.decay(world.now);
            assert!(world.board.deserves_mesh(A, &topic(0)), "{name}");
        }
        assert_eq!(world.member(member).pruned, None);
    }
}

#[test]
fn a_burst_on_a_quiet_topic_costs_nobody_anything() {
    for (name, config) in sets() {
        let mut board = board(config);
        board.grafted(Micros(0), A, topic(0));
        board.decay(at(600));
        for number in 0..2_000 {
            board.first_delivery(B, topic(0));
            if number % 20 != 0 {
                board.duplicate(at(600), A, topic(0), at(600));
                board.expected(A, topic(0), Expectation::Kept);
            } else {
                board.expected(A, topic(0), Expectation::Broken);
            }
        }
        for second in 601..800 {
            board.decay(at(second));
            assert!(board.deserves_mesh(A, &topic(0)), "{name}, {second} s");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn an_honest_member_stays(
        seed: u64, log_rate in -2.0_f64..2.0, loss in 0.0_f64..=0.05, asked in 0.4_f64..1.0,
    ) {
        for (_, config) in sets() {
            assert_honest_stay(config, 10_f64.powf(log_rate), loss, asked, seed);
        }
    }
}
