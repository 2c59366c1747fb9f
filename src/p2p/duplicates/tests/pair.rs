use super::model::{Weather, World};
use super::*;

/// After this all verdicts are spoken and all patience is over, whatever the weather.
const SETTLED: Micros = Micros(600_000_000);

fn weather(least: u64, most: u64, lost_percent: u32) -> Weather {
    Weather {
        least: Duration::from_millis(least),
        most: Duration::from_millis(most),
        lost_percent,
    }
}

/// Exactly one connection at each end, the same, and both ends use it.
fn assert_one_survivor(world: &mut World, seed: u64) -> ConnectionId {
    let [(at_smaller, used_by_smaller), (at_larger, used_by_larger)] = world.run(SETTLED);
    assert_eq!(at_smaller, at_larger, "seed {seed}");
    assert_eq!(at_smaller.len(), 1, "seed {seed}: {at_smaller:?}");
    assert_eq!(used_by_smaller, used_by_larger, "seed {seed}");
    assert_eq!(used_by_smaller.as_ref(), at_smaller.first(), "seed {seed}");
    used_by_smaller.unwrap()
}

#[test]
fn both_dial_within_one_round_trip_and_the_same_connection_survives_at_both_ends() {
    for seed in 0..4_000 {
        let mut world = World::new(seed, weather(20, 80, 0));
        let start = world.below(100);
        world.dial(ms(start), 0);
        world.dial(ms(50), 1);
        assert_one_survivor(&mut world, seed);
    }
}

#[test]
fn on_a_steady_path_the_smaller_peers_dial_survives_whoever_dialled_first() {
    for first in 0..100 {
        let mut world = World::new(first, weather(25, 25, 0));
        // The dials are numbered in the order of their times.
        world.dial(ms(first), 0);
        world.dial(Micros(50_500), 1);
        let survivor = assert_one_survivor(&mut world, first);
        let [(held, _), _] = world.run(SETTLED);
        assert_eq!(held.into_iter().next(), Some(survivor));
        let dials = [ConnectionId(3), ConnectionId(5)];
        let smaller_dialled_first = first <= 50;
        assert_eq!(
            survivor == dials[0],
            smaller_dialled_first,
            "offset {first}: {survivor}"
        );
    }
}

#[test]
fn probes_that_get_lost_or_come_too_late_never_close_both() {
    for seed in 0..4_000 {
        let mut world = World::new(seed, weather(1, 450, 40));
        let start = world.below(1_500);
        world.dial(ms(start), 0);
        world.dial(ms(700), 1);
        assert_one_survivor(&mut world, seed);
    }
}

#[test]
fn many_dials_from_both_ends_leave_one() {
    for seed in 0..4_000 {
        let mut world = World::new(seed, weather(5, 200, 20));
        for dial in 0..4 {
            let at = world.below(3_000);
            world.dial(ms(at), dial % 2);
        }
        assert_one_survivor(&mut world, seed);
    }
}

#[test]
fn a_restarted_end_is_redialled_from_either_side_and_the_dead_connection_goes() {
    for seed in 0..4_000 {
        let mut world = World::new(seed, weather(5, 100, 10));
        let dialler = usize::try_from(world.below(2)).unwrap();
        let restarted = usize::try_from(world.below(2)).unwrap();
        let redialler = usize::try_from(world.below(2)).unwrap();
        world.dial(ms(0), dialler);
        world.restart(ms(5_000), restarted);
        let at = 5_000 + world.below(3_000);
        world.dial(ms(at), redialler);
        assert_one_survivor(&mut world, seed);
    }
}

#[test]
fn no_request_is_lost_while_two_dials_are_resolved() {
    let mut answered = 0;
    for seed in 0..2_000 {
        let mut world = World::new(seed, weather(10, 40, 0));
        let start = world.below(100);
        world.dial(ms(start), 0);
        world.dial(ms(50), 1);
        for _ in 0..100 {
            let (at, end) = (world.below(3_000), usize::try_from(world.below(2)).unwrap());
            world.request(ms(at), end);
        }
        assert_one_survivor(&mut world, seed);
        assert_eq!(
            world.answered_requests, world.opened_requests,
            "seed {seed}"
        );
        answered += world.answered_requests;
    }
    assert!(answered > 100_000, "{answered}");
}
