//! Limits, and numbers at the end of their range.

use super::*;

#[test]
fn links_beyond_the_limit_are_not_scored() {
    let mut board = ScoreBoard::new(ScoreConfig::default());
    for number in 0..MAX_LINKS as u64 {
        board.connected(Micros(0), Link(number), IpGroup::Local);
    }
    let (last, beyond) = (Link(MAX_LINKS as u64 - 1), Link(MAX_LINKS as u64));
    assert!(board.deserves_mesh(last, &topic(0)));
    board.connected(Micros(0), beyond, IpGroup::Local);
    assert!(!board.deserves_mesh(beyond, &topic(0)));
    board.disconnected(Micros(0), last);
    board.connected(Micros(0), beyond, IpGroup::Local);
    assert!(board.deserves_mesh(beyond, &topic(0)));
}

#[test]
fn topics_of_a_link_are_bounded_and_the_mildest_goes() {
    let mut board = board(ScoreConfig::default());
    let most = MAX_TOPICS as u64;
    board.invalid(A, topic(0));
    for number in 1..most {
        board.first_delivery(A, topic(number));
    }
    assert_eq!(board.snapshot(A).unwrap().topics.len(), MAX_TOPICS);
    for number in most..2 * most {
        board.first_delivery(A, topic(number));
        assert_eq!(board.snapshot(A).unwrap().topics.len(), MAX_TOPICS);
    }
    assert!(board.topic_score(A, &topic(0)) < 0.0);
}

#[test]
fn memberships_beyond_the_limit_are_refused() {
    let mut board = board(ScoreConfig::default());
    let most = MAX_TOPICS as u64;
    for number in 0..most {
        assert!(board.deserves_mesh(A, &topic(number)));
        board.grafted(Micros(0), A, topic(number));
    }
    assert!(board.deserves_mesh(A, &topic(0)));
    assert!(!board.deserves_mesh(A, &topic(most)));
    board.grafted(Micros(0), A, topic(most));
    assert_eq!(board.snapshot(A).unwrap().topics.len(), MAX_TOPICS);
    board.pruned(A, topic(7));
    assert!(board.deserves_mesh(A, &topic(most)));
}

#[test]
fn topics_whose_traffic_is_counted_are_bounded() {
    let mut board = board(counting());
    let most = MAX_TOPICS as u64;
    for number in 0..=most {
        board.grafted(Micros(0), A, topic(number));
        for _ in 0..300 {
            board.first_delivery(Link(9), topic(number));
        }
    }
    board.decay(Micros(0) + Duration::from_millis(5_001));
    for number in 0..=most {
        for _ in 0..300 {
            board.first_delivery(Link(9), topic(number));
        }
    }
    assert!(board.topic_score(A, &topic(most - 1)) < 0.0);
    assert_eq!(board.topic_score(A, &topic(most)), 0.0);
}

#[test]
fn topics_of_which_nothing_is_known_any_more_are_forgotten() {
    let mut board = board(ScoreConfig::default());
    board.first_delivery(A, topic(0));
    board.grafted(Micros(0), A, topic(1));
    board.decay(at(10_000));
    let topics = board.snapshot(A).unwrap().topics;
    assert_eq!(topics.keys().collect::<Vec<_>>(), [&topic(1)]);
}

#[test]
fn counters_stop_before_they_overflow() {
    for (name, config) in sets() {
        let mut board = board(config);
        for _ in 0..10_000 {
            board.misbehaved(A, u32::MAX);
            board.slow(A, u32::MAX);
            board.invalid(A, topic(0));
            board.first_delivery(A, topic(0));
            board.expected(A, topic(0), Expectation::Kept);
        }
        board.set_application(A, f64::INFINITY);
        assert!(board.score(A).is_finite(), "{name}");
        board.set_application(A, f64::NEG_INFINITY);
        assert!(board.score(A).is_finite(), "{name}");
        let before = board.score(A);
        board.set_application(A, f64::NAN);
        assert_eq!(board.score(A), before, "{name}");
        let behaviour = board.config().behaviour;
        let most = MAX_COUNT - behaviour.threshold;
        let expected = behaviour.weight * most * most;
        assert_eq!(board.snapshot(A).unwrap().behaviour, expected, "{name}");
    }
}

#[test]
fn a_share_survives_the_cap() {
    let mut board = board(ScoreConfig::default());
    board.grafted(Micros(0), A, topic(0));
    for number in 0..50_000 {
        let outcome = if number % 2 == 0 {
            Expectation::Kept
        } else {
            Expectation::Broken
        };
        board.expected(A, topic(0), outcome);
    }
    let deficit = 1.0 - 0.5 / 0.6;
    let expected: f64 = -80.0 * deficit * deficit;
    let p3 = board.snapshot(A).unwrap().topics[&topic(0)].mesh_deliveries;
    assert!((p3 - expected).abs() < 0.01, "{p3}");
}

#[test]
fn a_pause_of_any_length_is_one_step() {
    for (name, config) in sets() {
        let mut board = board(config);
        fall_silent(&mut board, A, topic(0));
        board.misbehaved(A, 9);
        board.invalid(A, topic(0));
        // 584 000 years.
        board.decay(Micros(u64::MAX));
        assert!(board.score(A).is_finite(), "{name}");
        assert_eq!(board.snapshot(A).unwrap().behaviour, 0.0, "{name}");
        board.grafted(Micros(u64::MAX), A, topic(1));
        board.decay(Micros(u64::MAX));
        board.disconnected(Micros(u64::MAX), A);
        board.connected(Micros(u64::MAX), A, group(A));
        assert!(board.score(A).is_finite(), "{name}");
    }
}

#[test]
fn a_clock_that_goes_back_changes_nothing() {
    let mut board = board(ScoreConfig::default());
    board.grafted(Micros(0), A, topic(0));
    board.misbehaved(A, 9);
    board.decay(at(100));
    let before = board.snapshot(A);
    board.decay(at(3));
    board.grafted(at(3), A, topic(0));
    assert_eq!(board.snapshot(A), before);
}

#[test]
fn heartbeats_shorter_than_an_interval_add_up() {
    let (mut often, mut seldom) = (board(ScoreConfig::default()), board(ScoreConfig::default()));
    for board in [&mut often, &mut seldom] {
        board.misbehaved(A, 1_000);
    }
    for beat in 1..=1_000 {
        often.decay(Micros(beat * 700_000));
    }
    seldom.decay(at(700));
    let (a, b) = (often.score(A), seldom.score(A));
    assert!((a - b).abs() <= 1e-9 * b.abs(), "{a} {b}");
}

#[test]
fn who_is_not_connected_has_no_score() {
    let mut board = ScoreBoard::new(ScoreConfig::default());
    board.grafted(Micros(0), A, topic(0));
    board.first_delivery(A, topic(0));
    board.expected(A, topic(0), Expectation::Kept);
    board.invalid(A, topic(0));
    board.misbehaved(A, 9);
    board.slow(A, 9);
    board.set_application(A, 9.0);
    board.pruned(A, topic(0));
    board.disconnected(Micros(0), A);
    assert_eq!(board.score(A), 0.0);
    assert_eq!(board.snapshot(A), None);
    assert!(!board.deserves_mesh(A, &topic(0)));
    assert_eq!(board.retained(), 0);
}

#[test]
fn topics_without_signatures_are_bounded() {
    let mut board = board(ScoreConfig::default());
    for number in 0..=MAX_TOPICS as u64 {
        board.unsigned_topic(topic(number));
    }
    assert_eq!(board.config().topics.len(), MAX_TOPICS);
    assert_eq!(board.config().validate(), Ok(()));
}

#[test]
fn a_topic_is_scored_as_unsigned_for_as_long_as_the_program_says_so() {
    let mut config = ScoreConfig::default();
    config.topics.insert(topic(0), config.unsigned_topic);
    let mut board = ScoreBoard::new(config);
    for number in 0..=1 {
        board.unsigned_topic(topic(number));
        assert!(board.config().topics.contains_key(&topic(number)));
        board.sealed_topic(&topic(number));
    }
    assert!(
        board.config().topics.contains_key(&topic(0)),
        "its set names it"
    );
    assert!(!board.config().topics.contains_key(&topic(1)));
}
