//! Nodes that stop and come back.

use super::*;
use crate::gossip::TopicHash;

/// When a node learnt of its neighbours, and lost them.
fn changes(log: &Log) -> Vec<(u64, Link, bool)> {
    log.select(|at, input| match input {
        Input::Connected { link, .. } => Some((at.0, *link, true)),
        Input::Disconnected(link) => Some((at.0, *link, false)),
        _ => None,
    })
}

#[test]
fn a_dialler_is_connected_after_a_round_trip_and_the_other_half_of_one_later() {
    let (log, other) = (Log::default(), Log::default());
    let mut world = World::new(1, exact());
    for log in [&log, &other] {
        let probe = |_| Box::new(Probe::new(log)) as Box<dyn Machine>;
        world.add(Role::Honest, &Settings::default(), &probe);
    }
    world.connect(NodeId(0), NodeId(1));
    world.run_until(Micros(1_000_000));
    assert_eq!(changes(&log), [(50_000, Link(0), true)]);
    assert_eq!(changes(&other), [(75_000, Link(0), true)]);
    let outbound = |log: &Log| {
        log.select(|_, input| match input {
            Input::Connected {
                is_outbound, group, ..
            } => Some((*is_outbound, *group)),
            _ => None,
        })
    };
    let group = |node| world.identity(NodeId(node)).group;
    assert_eq!(outbound(&log), [(true, group(1))]);
    assert_eq!(outbound(&other), [(false, group(0))]);
    assert!(!group(0).is_local() && group(0) != group(1));
    let reachable = log.select(|_, input| match input {
        Input::Reachable { link, contact } => Some((*link, contact.peer)),
        _ => None,
    });
    assert_eq!(reachable, [(Link(0), world.identity(NodeId(1)).peer)]);
}

#[test]
fn neighbours_notice_a_crash_after_the_idle_timeout() {
    let (mut world, logs) = star(2, exact(), 3);
    world.crash(NodeId(1));
    assert!(!world.is_alive(NodeId(1)));
    world.run_for(10 * SECOND);
    assert_eq!(changes(&logs[0]), [(4_000_000, Link(0), false)]);
    assert!(changes(&logs[1]).is_empty() && changes(&logs[2]).is_empty());
}

#[test]
fn what_left_before_a_crash_arrives_and_the_rest_does_not() {
    let model = NetworkModel {
        uplink: Some(8_000_000),
        ..exact()
    };
    let (mut world, logs) = star(3, model, 2);
    for _ in 0..3 {
        send(&mut world, 0, 0, frame(1_000));
    }
    world.run_for(MILLISECOND * 2);
    world.crash(NodeId(0));
    world.run_for(SECOND);
    let at = [(Micros(1_026_000), 997), (Micros(1_027_000), 997)];
    assert_eq!(logs[1].frames(), at);
    assert_eq!(logs[0].written().len(), 2);
}

#[test]
fn the_dead_are_told_nothing() {
    let (mut world, logs) = star(4, exact(), 2);
    send(&mut world, 0, 0, frame(100));
    world.run_for(MILLISECOND);
    world.crash(NodeId(1));
    world.publish(NodeId(1), 100);
    world.tell(NodeId(1), Input::Timer);
    world.run_for(SECOND);
    assert!(logs[1].select(|_, _| Some(())).is_empty());
    assert_eq!(world.reach(0).published, 0);
}

#[test]
fn who_comes_back_is_connected_with_the_same_under_the_same_numbers() {
    let (mut world, logs) = star(5, exact(), 4);
    let peer = world.identity(NodeId(2)).peer;
    world.crash(NodeId(2));
    world.run_for(10 * SECOND);
    let reborn = Log::default();
    let probe = |setup: crate::gossip::Setup| {
        // The wall clock began at midnight, and eleven seconds ago.
        assert_eq!(setup.epoch, 1_735_689_600_000 + 11_000);
        Box::new(Probe::new(&reborn)) as Box<dyn Machine>
    };
    world.restart(NodeId(2), &Settings::default(), &probe);
    world.run_for(SECOND);
    let back = 11_050_000;
    let expected = [(4_000_000, Link(1), false), (back, Link(1), true)];
    assert_eq!(changes(&logs[0]), expected);
    assert_eq!(changes(&reborn), [(back + 25_000, Link(0), true)]);
    let subscribed = reborn.select(|at, input| match input {
        Input::Subscribe { topic, .. } => Some((at.0, *topic)),
        _ => None,
    });
    assert_eq!(subscribed, [(11_000_000, TopicHash::of("simulated"))]);
    assert_eq!(world.identity(NodeId(2)).peer, peer);
    send(&mut world, 0, 1, frame(100));
    send(&mut world, 2, 0, frame(200));
    world.run_for(SECOND);
    assert_eq!((reborn.frames().len(), logs[0].frames().len()), (1, 1));
    assert!(logs[2].frames().is_empty());
}

/// The neighbour has not yet noticed: it loses the old connection when it gets the new one.
#[test]
fn who_comes_back_at_once_replaces_its_connections() {
    let (mut world, logs) = star(6, exact(), 2);
    send(&mut world, 0, 0, frame(100));
    world.crash(NodeId(1));
    let reborn = Log::default();
    let probe = |_| Box::new(Probe::new(&reborn)) as Box<dyn Machine>;
    world.restart(NodeId(1), &Settings::default(), &probe);
    world.run_for(10 * SECOND);
    let back = 1_050_000;
    let expected = [(back, Link(0), false), (back, Link(0), true)];
    assert_eq!(changes(&logs[0]), expected);
    assert_eq!(changes(&reborn), [(back + 25_000, Link(0), true)]);
    assert!(reborn.frames().is_empty(), "sent to who it was before");
}

/// An answer for a batch of the old connection would let a machine send twice on the new one.
#[test]
fn what_was_queued_on_an_old_connection_is_not_said_to_be_written_on_the_new_one() {
    let model = NetworkModel {
        uplink: Some(8_000),
        ..exact()
    };
    let (mut world, logs) = star(7, model, 2);
    send(&mut world, 0, 0, frame(1_000));
    world.crash(NodeId(1));
    let reborn = Log::default();
    let probe = |_| Box::new(Probe::new(&reborn)) as Box<dyn Machine>;
    world.restart(NodeId(1), &Settings::default(), &probe);
    world.run_for(10 * SECOND);
    assert_eq!(changes(&logs[0]).len(), 2);
    assert!(logs[0].written().is_empty() && reborn.frames().is_empty());
}

#[test]
fn jobs_and_timers_of_a_former_life_are_forgotten() {
    let (log, reborn) = (Log::default(), Log::default());
    let mut world = World::new(8, exact());
    let probe = |_| Box::new(Probe::asking(&log, Micros(5_000_000))) as Box<dyn Machine>;
    world.add(Role::Honest, &Settings::default(), &probe);
    world.run_until(Micros(4_000_000));
    world.crash(NodeId(0));
    let probe = |_| Box::new(Probe::new(&reborn)) as Box<dyn Machine>;
    world.restart(NodeId(0), &Settings::default(), &probe);
    world.run_until(Micros(9_000_000));
    let timers = |log: &Log| log.select(|_, input| matches!(input, Input::Timer).then_some(()));
    assert!(timers(&log).is_empty() && timers(&reborn).is_empty());
}

#[test]
fn only_who_was_up_before_and_after_is_expected_to_have_a_message() {
    let mut world = ring(9, exact(), 6, 2);
    world.run_until(Micros(10_000_000));
    // One comes back a moment before, one leaves within the grace, one leaves after it.
    world.crash(NodeId(1));
    world.run_for(10 * SECOND);
    world.restart(NodeId(1), &Settings::default(), &Flood::build);
    world.run_for(SECOND);
    world.publish(NodeId(0), 100);
    world.run_for(4 * SECOND);
    world.crash(NodeId(2));
    world.run_for(2 * SECOND);
    world.crash(NodeId(3));
    let reach = world.reach(0);
    assert_eq!((reach.expected, reach.missing), (3, 0));
    // It was delivered to the one that came back, too; how fast is not held against anybody.
    assert_eq!(world.take_traffic().deliveries, 5);
    assert_eq!(reach.latency.len(), 4);
}

/// Its machine knows nothing of its former life; its program may know better.
#[test]
fn what_was_delivered_in_a_former_life_may_be_delivered_again() {
    for (stops, repeated) in [(false, 1), (true, 0)] {
        let (mut world, logs) = star(11, exact(), 2);
        world.publish(NodeId(0), 100);
        let data = logs[0].select(|_, input| match input {
            Input::Publish { data, .. } => Some(data.clone()),
            _ => None,
        });
        for life in 0..2 {
            if stops && life == 1 {
                world.crash(NodeId(1));
                world.restart(NodeId(1), &Settings::default(), &Flood::build);
            }
            let said = counting::message(&world, 0, data[0].clone());
            world.emit(NodeId(1), said);
            world.run_for(SECOND);
        }
        let traffic = world.take_traffic();
        assert_eq!((traffic.deliveries, traffic.repeated), (1, repeated));
    }
}

#[test]
fn a_message_of_who_stops_at_once_is_expected_nowhere() {
    for (after, expected) in [(900, 0), (1_100, 2)] {
        let mut world = ring(10, exact(), 3, 1);
        world.run_until(Micros(10_000_000));
        world.publish(NodeId(0), 100);
        world.run_for(MILLISECOND * after);
        world.crash(NodeId(0));
        world.run_for(10 * SECOND);
        assert_eq!(world.reach(0).expected, expected);
    }
}
