//! How time passes makes no difference: each node is run by itself only as long as nothing reaches it.

use super::*;

/// Nodes that ship, over links of many latencies and with messages under way all the time.
fn town(seed: u64, model: NetworkModel) -> World {
    let mut world = World::new(seed, model);
    for _ in 0..10 {
        world.add(Role::Honest, &Settings::default(), &shipped);
    }
    for node in 0..10 {
        for step in 1..=3 {
            world.connect(NodeId(node), NodeId((node + step) % 10));
        }
    }
    world
}

/// What is seen of three seconds in which somebody says something every fifty milliseconds, when time passes in
/// such steps.
fn seen(mut world: World, step: Duration) -> (Reach, Traffic, u64) {
    world.run_until(Micros(2_000_000));
    world.take_traffic();
    for number in 0..60_u32 {
        let at = Micros(2_000_000 + u64::from(number) * 50_000);
        world.publish_at(at, NodeId(number % 10), 2_000);
    }
    let end = Micros(6_000_000);
    while world.now() < end {
        world.run_for(step);
    }
    (world.reach(0), world.take_traffic(), world.handled())
}

#[test]
fn a_run_in_steps_of_any_length_is_the_same_run() {
    // Which packet is drawn first differs: nothing is drawn.
    let model = NetworkModel {
        jitter: 0,
        uplink: Some(20_000_000),
        ..NetworkModel::default()
    };
    let at_once = seen(town(7, model), 4 * SECOND);
    assert_eq!((at_once.0.published, at_once.0.missing), (60, 0));
    assert!(at_once.0.expected == 540 && at_once.2 > 5_000);
    for step in [1, 7, 40] {
        assert_eq!(
            seen(town(7, model), step * MILLISECOND),
            at_once,
            "{step} ms"
        );
    }
}

#[test]
fn where_packets_take_no_time_a_run_ends_all_the_same() {
    for (latency, jitter) in [
        (Duration::ZERO, 0),
        (25 * MILLISECOND, 1_000),
        (25 * MILLISECOND, 5_000),
    ] {
        let model = NetworkModel {
            latency,
            jitter,
            ..NetworkModel::default()
        };
        let (reach, ..) = seen(town(8, model), 4 * SECOND);
        assert_eq!(
            (reach.published, reach.missing),
            (60, 0),
            "{latency:?}, {jitter}"
        );
    }
}

#[test]
fn what_a_node_was_to_publish_is_not_published_when_it_stopped_before() {
    let mut world = town(9, exact());
    world.run_until(Micros(2_000_000));
    world.publish_at(Micros(4_000_000), NodeId(0), 100);
    world.crash(NodeId(0));
    world.run_until(Micros(3_000_000));
    world.restart(NodeId(0), &Settings::default(), &shipped);
    // The plan of the first one is older.
    world.publish_at(Micros(5_000_000), NodeId(0), 200);
    world.run_until(Micros(4_900_000));
    assert_eq!(world.reach(0).latency.max(), None);
    world.run_until(Micros(9_000_000));
    assert!(world.reach(0).latency.max().is_some());
}
