//! P6: many neighbours in one network.

use super::*;

const SITE: IpGroup = IpGroup::V4([8, 8, 8]);

/// A board with `count` links of one network, all of them members that bring what they are asked for.
fn crowd(config: ScoreConfig, group: IpGroup, count: u64) -> ScoreBoard {
    let mut board = ScoreBoard::new(config);
    board.decay(Micros(0));
    for number in 0..count {
        let link = Link(number);
        board.connected(Micros(0), link, group);
        board.grafted(Micros(0), link, topic(0));
    }
    board.decay(at(60));
    board
}

#[test]
fn links_up_to_the_threshold_cost_nothing() {
    for (count, score) in [(1, 1.0), (9, 1.0), (10, 1.0), (11, 0.5), (12, -1.0)] {
        let board = crowd(ScoreConfig::default(), SITE, count);
        assert_eq!(board.score(Link(0)), score, "{count} links");
    }
}

#[test]
fn a_data_centre_of_honest_neighbours_keeps_its_place() {
    // Twelve that bring their share are in the mesh; twenty that bring nothing to speak of still
    // hear of messages and are heard.
    let mut board = crowd(ScoreConfig::default(), SITE, 12);
    for number in 0..12 {
        for _ in 0..20 {
            board.first_delivery(Link(number), topic(0));
        }
        assert!(board.deserves_mesh(Link(number), &topic(0)));
    }
    let board = crowd(ScoreConfig::default(), SITE, 20);
    let score = board.score(Link(0));
    assert!(score > board.thresholds().gossip, "{score}");
}

#[test]
fn attack_a_sybil_farm_in_one_network_is_graylisted_whatever_it_earns() {
    for (name, config) in sets() {
        let mut board = crowd(config.clone(), SITE, 41);
        for number in 0..41 {
            for subject in 0..100 {
                for _ in 0..100 {
                    board.first_delivery(Link(number), topic(subject));
                }
            }
        }
        for number in 0..41 {
            let score = board.score(Link(number));
            assert!(score < config.thresholds.graylist, "{name}: {score}");
        }
    }
}

#[test]
fn attack_a_sybil_farm_costs_honest_neighbours_elsewhere_nothing() {
    let mut board = crowd(ScoreConfig::default(), SITE, 400);
    board.connected(at(60), Link(1_000), IpGroup::V4([9, 9, 9]));
    assert_eq!(board.score(Link(1_000)), 0.0);
}

#[test]
fn local_networks_are_no_group() {
    let board = crowd(ScoreConfig::default(), IpGroup::Local, 100);
    assert_eq!(board.score(Link(0)), 1.0);
}

#[test]
fn the_surplus_goes_with_those_who_go_or_move() {
    let mut board = crowd(ScoreConfig::default(), SITE, 14);
    assert_eq!(board.snapshot(Link(0)).unwrap().colocation, -8.0);
    board.disconnected(at(60), Link(13));
    board.disconnected(at(60), Link(13));
    assert_eq!(board.snapshot(Link(0)).unwrap().colocation, -4.5);
    board.connected(at(60), Link(12), IpGroup::Local);
    board.connected(at(60), Link(12), IpGroup::Local);
    assert_eq!(board.snapshot(Link(0)).unwrap().colocation, -2.0);
    assert_eq!(board.snapshot(Link(12)).unwrap().colocation, 0.0);
    board.connected(at(60), Link(12), SITE);
    assert_eq!(board.snapshot(Link(12)).unwrap().colocation, -4.5);
}
