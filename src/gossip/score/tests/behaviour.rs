//! P7 and slowness.

use super::*;

#[test]
fn misbehaviour_costs_its_square_beyond_the_threshold() {
    let mut board = board(ScoreConfig::default());
    board.misbehaved(A, 4);
    assert_eq!(board.score(A), 0.0);
    board.misbehaved(A, 1);
    assert_eq!(board.score(A), -10.0);
    board.misbehaved(A, 2);
    assert_eq!(board.score(A), -90.0);
    assert_eq!(board.score(B), 0.0);
}

#[test]
fn misbehaviour_decays_below_the_threshold_in_the_stated_time() {
    let mut board = board(ScoreConfig::default());
    board.misbehaved(A, 11);
    let mut last = board.score(A);
    assert!(last < board.thresholds().graylist);
    for second in 1..=50 {
        board.decay(at(second));
        assert!(board.score(A) > last, "{second} s");
        last = board.score(A);
    }
    board.decay(at(51));
    assert_eq!(board.score(A), 0.0);
}

#[test]
fn misbehaviour_keeps_out_of_every_mesh() {
    for (name, config) in sets() {
        let mut board = board(config);
        board.grafted(Micros(0), A, topic(0));
        board.misbehaved(A, 8);
        assert!(!board.deserves_mesh(A, &topic(0)), "{name}");
        assert!(!board.deserves_mesh(A, &topic(1)), "{name}");
    }
}

#[test]
fn misbehaviour_graylists_the_best_record_within_the_stated_count() {
    for (name, config) in sets() {
        let mut board = board(config.clone());
        for number in 0..200 {
            board.grafted(Micros(0), A, topic(number));
            for _ in 0..200 {
                board.first_delivery(A, topic(number));
            }
        }
        assert_eq!(board.score(A), config.topic_cap);
        board.misbehaved(A, MAX_TOLERATED);
        assert!(board.score(A) < config.thresholds.graylist, "{name}");
    }
}

#[test]
fn slowness_costs_the_meshes_and_never_gossip() {
    for (name, config) in sets() {
        let gossip = config.thresholds.gossip;
        let mut board = board(config);
        board.slow(A, 50);
        assert!(!board.deserves_mesh(A, &topic(0)), "{name}");
        board.slow(A, u32::MAX);
        assert!(board.score(A) > gossip, "{name}");
    }
}

#[test]
fn slowness_is_forgotten() {
    let mut board = board(ScoreConfig::default());
    board.slow(A, u32::MAX);
    board.decay(at(88));
    assert!(board.score(A) < 0.0);
    board.decay(at(89));
    assert_eq!(board.score(A), 0.0);
}

#[test]
fn the_programs_opinion_counts_until_it_changes() {
    let mut board = board(ScoreConfig::plain());
    board.set_application(A, -3.0);
    board.decay(at(36_000));
    assert_eq!(board.score(A), -30.0);
    board.set_application(A, 2.5);
    assert_eq!(board.score(A), 25.0);
}
