//! P1 to P4, one by one.

use super::*;

fn terms(board: &ScoreBoard, number: u64) -> TopicTerms {
    board.snapshot(A).unwrap().topics[&topic(number)]
}

#[test]
fn time_in_the_mesh_counts_from_the_graft_to_the_last_heartbeat() {
    let mut board = board(ScoreConfig::default());
    board.grafted(at(10), A, topic(0));
    assert_eq!(terms(&board, 0).time_in_mesh, 0.0);
    board.decay(at(40));
    assert_eq!(terms(&board, 0).time_in_mesh, 0.5);
    // A second graft of a member begins nothing anew.
    board.grafted(at(40), A, topic(0));
    assert_eq!(terms(&board, 0).time_in_mesh, 0.5);
    board.pruned(A, topic(0));
    assert_eq!(board.topic_score(A, &topic(0)), 0.0);
}

#[test]
fn first_deliveries_count_to_their_cap_and_decay() {
    let mut board = board(ScoreConfig::default());
    for _ in 0..50 {
        board.first_delivery(A, topic(0));
    }
    assert_eq!(terms(&board, 0).first_deliveries, 4.0);
    for _ in 0..100 {
        board.first_delivery(A, topic(0));
    }
    assert_eq!(terms(&board, 0).first_deliveries, 8.0);
    board.decay(at(1));
    assert_eq!(terms(&board, 0).first_deliveries, 8.0 * 0.97);
}

/// A member of a plain mesh, past its activation, on a topic with traffic.
fn plain_member(brought: u64, now: Micros, seen: Micros) -> ScoreBoard {
    let mut board = board(counting());
    board.grafted(Micros(0), A, topic(0));
    board.decay(Micros(5_000_001));
    for _ in 0..200 {
        board.first_delivery(B, topic(0));
    }
    for _ in 0..brought {
        board.duplicate(now, A, topic(0), seen);
    }
    board
}

#[test]
fn absolute_deliveries_count_within_the_window() {
    let window = Duration::from_millis(10);
    for (late, is_counted) in [(9_999, true), (10_000, true), (10_001, false)] {
        let board = plain_member(20, at(5) + Duration::from_micros(late), at(5));
        let is_owing = terms(&board, 0).mesh_deliveries < 0.0;
        assert_ne!(is_owing, is_counted, "{late} us of {window:?}");
    }
}

#[test]
fn the_absolute_deficit_is_squared() {
    for (brought, deficit) in [(0, 20.0), (19, 1.0), (20, 0.0), (21, 0.0), (150, 0.0)] {
        let board = plain_member(brought, at(5), at(5));
        assert_eq!(terms(&board, 0).mesh_deliveries, -0.05 * deficit * deficit);
    }
}

#[test]
fn nobody_owes_more_than_is_said() {
    let mut board = board(counting());
    board.grafted(Micros(0), A, topic(0));
    board.decay(Micros(5_000_001));
    for _ in 0..199 {
        board.first_delivery(B, topic(0));
        assert_eq!(terms(&board, 0).mesh_deliveries, 0.0);
    }
    board.first_delivery(B, topic(0));
    assert_eq!(terms(&board, 0).mesh_deliveries, -20.0);
}

#[test]
fn what_was_said_before_a_membership_is_not_owed() {
    let mut board = board(counting());
    for _ in 0..900 {
        board.first_delivery(B, topic(0));
    }
    board.grafted(Micros(0), A, topic(0));
    board.decay(Micros(5_000_001));
    assert_eq!(terms(&board, 0).mesh_deliveries, 0.0);
}

#[test]
fn an_absolute_deficit_counts_after_the_activation() {
    for (micros, is_owing) in [(4_999_999, false), (5_000_000, false), (5_000_001, true)] {
        let mut board = board(counting());
        board.grafted(Micros(0), A, topic(0));
        for _ in 0..1_000 {
            board.first_delivery(B, topic(0));
        }
        board.decay(Micros(micros));
        assert_eq!(terms(&board, 0).mesh_deliveries < 0.0, is_owing);
    }
}

#[test]
fn a_share_is_owed_from_the_evidence_on() {
    let mut board = board(ScoreConfig::default());
    board.grafted(Micros(0), A, topic(0));
    for count in 1..=33 {
        board.expected(A, topic(0), Expectation::Broken);
        let owed = if count < 32 { 0.0 } else { -80.0 };
        assert_eq!(terms(&board, 0).mesh_deliveries, owed, "{count}");
    }
}

#[test]
fn who_brings_its_share_owes_nothing() {
    let mut board = board(ScoreConfig::default());
    board.grafted(Micros(0), A, topic(0));
    for number in 0..1_000 {
        let outcome = if number % 10 < 6 {
            Expectation::Kept
        } else {
            Expectation::Broken
        };
        board.expected(A, topic(0), outcome);
    }
    assert_eq!(terms(&board, 0).mesh_deliveries, 0.0);
}

#[test]
fn only_members_owe() {
    let mut board = board(ScoreConfig::default());
    board.grafted(Micros(0), A, topic(0));
    board.first_delivery(A, topic(0));
    board.pruned(A, topic(0));
    for _ in 0..100 {
        board.expected(A, topic(0), Expectation::Broken);
    }
    board.grafted(Micros(0), A, topic(0));
    assert_eq!(terms(&board, 0).mesh_deliveries, 0.0);
}

#[test]
fn a_prune_keeps_the_deficit_and_the_next_membership_begins_without() {
    for (name, config) in sets() {
        let mut board = board(config);
        let now = fall_silent(&mut board, A, topic(0));
        let owed = terms(&board, 0).mesh_deliveries;
        assert!(owed < 0.0);
        board.pruned(A, topic(0));
        assert_eq!(terms(&board, 0).mesh_failure, owed, "{name}");
        // A second prune of one that is out adds nothing.
        board.pruned(A, topic(0));
        board.grafted(now, A, topic(0));
        assert_eq!(terms(&board, 0).mesh_failure, owed, "{name}");
        assert_eq!(terms(&board, 0).mesh_deliveries, 0.0, "{name}");
    }
}

#[test]
fn failures_keep_out_for_longer_than_the_back_off() {
    for (name, config) in sets() {
        let mut board = board(config);
        let now = fall_silent(&mut board, A, topic(0));
        board.pruned(A, topic(0));
        board.decay(now + Duration::from_secs(61));
        assert!(!board.deserves_mesh(A, &topic(0)), "{name}");
        board.decay(now + Duration::from_secs(601));
        assert!(board.deserves_mesh(A, &topic(0)), "{name}");
    }
}

#[test]
fn invalid_messages_cost_their_square() {
    let mut board = board(ScoreConfig::default());
    for count in 1..=4 {
        board.invalid(A, topic(0));
        let count = f64::from(count);
        assert_eq!(terms(&board, 0).invalid, -52.0 * count * count);
    }
}

#[test]
fn a_snapshot_adds_up() {
    for (name, config) in sets() {
        let mut board = board(config.clone());
        fall_silent(&mut board, A, topic(0));
        for _ in 0..7 {
            board.first_delivery(A, topic(1));
        }
        board.invalid(A, topic(2));
        board.misbehaved(A, 6);
        board.slow(A, 20);
        board.set_application(A, 1.5);
        let snapshot = board.snapshot(A).unwrap();
        assert_eq!(snapshot.total(), board.score(A), "{name}");
        for (topic, terms) in &snapshot.topics {
            assert_eq!(terms.total(), board.topic_score(A, topic), "{name}");
        }
        let topics = snapshot.topics.values();
        let beside: f64 = topics.map(TopicTerms::without_deficits).sum();
        let owed = snapshot.topics[&topic(0)].total();
        assert_eq!(snapshot.deficits, owed.max(-config.deficit_cap), "{name}");
        let present = snapshot.topics[&topic(0)].time_in_mesh;
        assert_eq!(snapshot.earned + snapshot.lost, beside - present, "{name}");
    }
}

#[test]
fn a_topic_without_signatures_is_scored_as_one_unless_it_is_named() {
    let named = TopicScore {
        weight: 2.0,
        ..TopicScore::default()
    };
    let mut config = ScoreConfig::default();
    config.topics.insert(topic(1), named);
    let mut board = board(config);
    board.unsigned_topic(topic(0));
    board.unsigned_topic(topic(1));
    assert_eq!(board.config().topic(&topic(0)), &TopicScore::unsigned());
    assert_eq!(board.config().topic(&topic(1)), &named);
    assert_eq!(board.config().topic(&topic(2)), &TopicScore::default());
}
