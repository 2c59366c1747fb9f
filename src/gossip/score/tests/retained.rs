//! Neighbours that go and come back.

use super::*;

fn return_at(board: &mut ScoreBoard, link: Link, gone: Micros, back: Micros) {
    board.disconnected(gone, link);
    board.decay(back);
    board.connected(back, link, group(link));
}

#[test]
fn what_was_earned_is_gone_at_once() {
    let mut board = board(ScoreConfig::default());
    board.grafted(Micros(0), A, topic(0));
    board.first_delivery(A, topic(0));
    board.set_application(A, 5.0);
    assert!(board.score(A) > 5.0);
    return_at(&mut board, A, at(1), at(1));
    assert_eq!(board.retained(), 0);
    assert_eq!(board.score(A), 0.0);
}

#[test]
fn attack_coming_back_washes_no_penalty_off() {
    for (name, config) in sets() {
        let mut board = board(config);
        board.misbehaved(A, 9);
        board.invalid(A, topic(0));
        board.slow(A, 30);
        board.set_application(A, -1.0);
        let before = board.snapshot(A).unwrap();
        return_at(&mut board, A, at(1), at(3_600));
        assert_eq!(board.snapshot(A), Some(before), "{name}");
    }
}

#[test]
fn attack_coming_back_washes_no_deficit_off() {
    for (name, config) in sets() {
        let mut board = board(config);
        let now = fall_silent(&mut board, A, topic(0));
        assert!(!board.deserves_mesh(A, &topic(0)));
        let owed = board.snapshot(A).unwrap().topics[&topic(0)].mesh_deliveries;
        return_at(&mut board, A, now, now);
        let kept = board.snapshot(A).unwrap().topics[&topic(0)];
        assert_eq!(kept.mesh_failure, owed, "{name}");
        assert_eq!(kept.total(), owed, "{name}");
        assert!(!board.deserves_mesh(A, &topic(0)), "{name}");
    }
}

#[test]
fn attack_a_good_record_elsewhere_does_not_wash_a_topic() {
    let mut board = board(ScoreConfig::plain());
    for number in 1..=20 {
        for _ in 0..40 {
            board.first_delivery(A, topic(number));
        }
    }
    fall_silent(&mut board, A, topic(0));
    assert!(board.score(A) > 0.0);
    let now = at(30);
    board.pruned(A, topic(0));
    return_at(&mut board, A, now, now);
    assert!(board.topic_score(A, &topic(0)) < 0.0);
    assert!(!board.deserves_mesh(A, &topic(0)));
}

#[test]
fn penalties_are_forgotten_when_their_time_is_over() {
    let retain = ScoreConfig::default().retain.as_secs();
    for (back, is_known) in [(retain - 1, true), (retain, false), (retain + 1, false)] {
        let mut board = board(ScoreConfig::default());
        board.invalid(A, topic(0));
        board.disconnected(Micros(0), A);
        assert_eq!(board.retained(), 1);
        board.connected(at(back), A, group(A));
        assert_eq!(board.score(A) < 0.0, is_known, "after {back} s");
    }
    let mut board = board(ScoreConfig::default());
    board.invalid(A, topic(0));
    board.disconnected(Micros(0), A);
    board.decay(at(retain - 1));
    assert_eq!(board.retained(), 1);
    board.decay(at(retain));
    assert_eq!(board.retained(), 0);
}

#[test]
fn who_is_away_does_not_improve() {
    let mut board = board(ScoreConfig::default());
    board.invalid(A, topic(0));
    let before = board.score(A);
    return_at(&mut board, A, at(1), at(3_000));
    assert_eq!(board.score(A), before);
}

#[test]
fn a_membership_ends_with_its_connection() {
    let mut board = board(ScoreConfig::default());
    board.grafted(Micros(0), A, topic(0));
    board.invalid(A, topic(0));
    return_at(&mut board, A, at(1), at(100));
    board.decay(at(200));
    assert_eq!(
        board.snapshot(A).unwrap().topics[&topic(0)].time_in_mesh,
        0.0
    );
}

/// Links that go with `faults` beyond the threshold.
fn offenders(board: &mut ScoreBoard, first: u64, count: usize, faults: u32) {
    for number in (first..).take(count) {
        board.connected(Micros(0), Link(number), IpGroup::Local);
        board.misbehaved(Link(number), 4 + faults);
        board.disconnected(Micros(0), Link(number));
    }
}

#[test]
fn the_penalties_that_are_remembered_are_bounded() {
    let mut board = board(ScoreConfig::default());
    offenders(&mut board, 10, MAX_RETAINED - 1, 2);
    assert_eq!(board.retained(), MAX_RETAINED - 1);
    offenders(&mut board, 100_000, 1, 2);
    assert_eq!(board.retained(), MAX_RETAINED);
    offenders(&mut board, 200_000, 1, 2);
    assert_eq!(board.retained(), MAX_RETAINED);
}

#[test]
fn attack_a_crowd_of_small_offenders_gets_no_large_one_forgotten() {
    let mut board = board(ScoreConfig::default());
    offenders(&mut board, 10, 1, 5);
    offenders(&mut board, 1_000, 3 * MAX_RETAINED, 1);
    board.connected(Micros(0), Link(10), IpGroup::Local);
    assert_eq!(board.score(Link(10)), -250.0);
    // And a large one is remembered for a small one.
    offenders(&mut board, 11, 1, 6);
    assert_eq!(board.retained(), MAX_RETAINED);
    board.connected(Micros(0), Link(11), IpGroup::Local);
    assert_eq!(board.score(Link(11)), -360.0);
}
