//! Neighbours that sin on one topic and shine on others.

use super::*;

/// A member that shines on `count` topics, all of which it is in the mesh of.
fn farm(world: &mut World, link: Link, count: u64) {
    for number in 1..=count {
        world.talk(topic(number), 5.0);
        world.join(Member {
            first: 1.0,
            ..Member::new(link, topic(number), 1.0)
        });
    }
}

#[test]
fn attack_score_farming_behave_on_many_topics_silent_on_one() {
    for (name, config) in sets() {
        let mut world = World::new(config.clone(), 1);
        farm(&mut world, A, 60);
        world.run(Duration::from_secs(120));
        assert_eq!(world.board.score(A), config.topic_cap, "{name}");
        world.talk(topic(0), 30.0);
        let silent = world.join(Member::new(A, topic(0), 0.0));
        let within = config.longest_silence() + Duration::from_secs(7);
        world.run(within);
        assert!(world.member(silent).pruned.is_some(), "{name}");
        assert!(!world.board.deserves_mesh(A, &topic(0)), "{name}");
        assert!(world.board.score(A) > config.thresholds.gossip, "{name}");
    }
}

#[test]
fn attack_score_farming_is_invisible_to_the_score_alone() {
    let mut world = World::new(ScoreConfig::plain(), 1);
    farm(&mut world, A, 60);
    world.talk(topic(0), 30.0);
    let silent = world.join(Member::new(A, topic(0), 0.0));
    world.run(Duration::from_secs(600));
    // v1.1 prunes by this number, which is why the rule looks at the topic as well.
    assert!(world.board.score(A) > 70.0);
    assert!(world.board.topic_score(A, &topic(0)) < 0.0);
    let in_mesh = world.member(silent).in_mesh;
    assert!(in_mesh < Duration::from_secs(30), "{in_mesh:?}");
}

#[test]
fn attack_invalid_messages_behind_the_record_of_a_hundred_topics() {
    for (name, config) in sets() {
        let mut world = World::new(config.clone(), 1);
        farm(&mut world, A, 100);
        world.run(Duration::from_secs(120));
        let mut count = 0;
        while world.board.score(A) >= config.thresholds.graylist {
            world.board.invalid(A, topic(1));
            count += 1;
        }
        println!("{name}: graylisted after {count}");
        assert!(count <= MAX_TOLERATED, "{name}: {count}");
    }
}

#[test]
fn three_invalid_messages_graylist_a_neighbour_with_the_best_record() {
    let mut world = World::new(ScoreConfig::default(), 1);
    farm(&mut world, A, 20);
    world.run(Duration::from_secs(120));
    world.board.invalid(A, topic(1));
    world.board.invalid(A, topic(1));
    assert!(world.board.score(A) >= world.board.thresholds().graylist);
    assert!(!world.board.deserves_mesh(A, &topic(1)));
    world.board.invalid(A, topic(1));
    assert!(world.board.score(A) < world.board.thresholds().graylist);
}

#[test]
fn attack_short_memberships_add_up() {
    let mut board = board(ScoreConfig::default());
    // Each one ends, with its connection, before there is enough to judge it by.
    for visit in 0..8 {
        assert!(board.deserves_mesh(A, &topic(0)), "visit {visit}");
        let now = at(70 * visit);
        board.grafted(now, A, topic(0));
        for _ in 0..4 {
            board.expected(A, topic(0), Expectation::Broken);
        }
        board.decay(now + Duration::from_secs(2));
        if visit < 7 {
            board.disconnected(now, A);
            board.connected(now, A, group(A));
        }
    }
    assert!(!board.deserves_mesh(A, &topic(0)));
}

#[test]
fn no_membership_earns_more_than_a_minute_of_it() {
    let mut board = board(ScoreConfig::default());
    board.grafted(Micros(0), A, topic(0));
    board.decay(at(60));
    assert_eq!(board.score(A), 1.0);
    board.decay(at(36_000));
    assert_eq!(board.score(A), 1.0);
}
