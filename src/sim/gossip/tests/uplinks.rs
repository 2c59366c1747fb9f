//! Rates: what a node sends leaves through one line.

use super::*;

/// A byte takes a microsecond.
const RATE: u64 = 8_000_000;

fn slow() -> NetworkModel {
    NetworkModel {
        uplink: Some(RATE),
        ..exact()
    }
}

/// Microseconds after the first second.
fn after(micros: u64) -> Micros {
    Micros(1_000_000 + micros)
}

#[test]
fn a_byte_takes_its_time_and_is_written_when_it_has_left() {
    let (mut world, logs) = star(1, slow(), 2);
    send(&mut world, 0, 0, frame(1_000));
    world.run_for(SECOND);
    assert_eq!(logs[0].written(), [(after(1_000), Link(0))]);
    assert_eq!(logs[1].frames(), [(after(26_000), 997)]);
}

#[test]
fn all_links_share_one_uplink_first_come_first_served() {
    let (mut world, logs) = star(2, slow(), 4);
    send(&mut world, 0, 2, frame(1_000));
    send(&mut world, 0, 0, frame(50));
    send(&mut world, 0, 1, frame(2_000));
    world.run_for(MILLISECOND / 2);
    // Small frames wait for large ones that came before, whatever is in them.
    send(&mut world, 0, 0, graft());
    world.run_for(SECOND);
    let written = [
        (after(1_000), Link(2)),
        (after(1_050), Link(0)),
        (after(3_050), Link(1)),
        (after(3_054), Link(0)),
    ];
    assert_eq!(logs[0].written(), written);
    assert_eq!(logs[3].frames(), [(after(26_000), 997)]);
    assert_eq!(logs[1].frames(), [(after(26_050), 48), (after(28_054), 2)]);
    assert_eq!(logs[2].frames(), [(after(28_050), 1_997)]);
}

#[test]
fn an_uplink_that_was_idle_is_free_at_once() {
    let (mut world, logs) = star(3, slow(), 2);
    send(&mut world, 0, 0, frame(1_000));
    world.run_for(2 * MILLISECOND);
    send(&mut world, 0, 0, frame(1_000));
    world.run_for(SECOND);
    let at = [(after(26_000), 997), (after(28_000), 997)];
    assert_eq!(logs[1].frames(), at);
}

#[test]
fn uplinks_of_two_nodes_do_not_wait_for_each_other() {
    let (mut world, logs) = star(4, slow(), 2);
    send(&mut world, 0, 0, frame(1_000));
    send(&mut world, 1, 0, frame(1_000));
    world.run_for(SECOND);
    assert_eq!(logs[0].frames(), [(after(26_000), 997)]);
    assert_eq!(logs[1].frames(), [(after(26_000), 997)]);
}

/// Sixteen kilobytes to eight neighbours at 50 Mbit/s: 2.6 ms each.
#[test]
fn the_rate_is_in_bits_a_second() {
    let model = NetworkModel {
        uplink: Some(50_000_000),
        ..exact()
    };
    let (mut world, logs) = star(5, model, 9);
    for link in 0..8 {
        send(&mut world, 0, link, frame(16_250));
    }
    world.run_for(SECOND);
    for (place, log) in (1..).zip(&logs[1..]) {
        assert_eq!(log.frames(), [(after(25_000 + place * 2_600), 16_247)]);
    }
}

#[test]
fn fractions_of_a_microsecond_add_up() {
    let model = NetworkModel {
        uplink: Some(3 * RATE),
        ..exact()
    };
    let (mut world, logs) = star(6, model, 2);
    for _ in 0..3_000 {
        send(&mut world, 0, 0, frame(4));
    }
    world.run_for(SECOND);
    let (last, _) = logs[0].written()[2_999];
    // Rounded up once, and not for each of them.
    assert!((after(4_000)..=after(4_001)).contains(&last), "{last:?}");
}

/// A frame waits for its own last byte, not for that of its batch.
#[test]
fn frames_of_a_long_batch_arrive_as_they_leave() {
    let (mut world, logs) = star(7, slow(), 2);
    let frames = [frame(500), frame(1_500), frame(3_000), frame(40), frame(50)];
    send(&mut world, 0, 0, batch(&frames));
    world.run_for(SECOND);
    let expected = [
        // Less than a packet: it arrives with what fills it.
        (after(27_000), 497),
        (after(27_000), 1_497),
        (after(30_000), 2_997),
        (after(30_090), 38),
        (after(30_090), 48),
    ];
    assert_eq!(logs[1].frames(), expected);
    assert_eq!(logs[0].written(), [(after(5_090), Link(0))]);
}

#[test]
fn without_authentication_keys_and_seals_weigh_nothing_and_arrive() {
    let model = NetworkModel {
        authentication: Authentication::Free,
        ..slow()
    };
    let mut seal = BytesMut::new();
    encode_frame(wire::SEAL, &[0; 4_000], &mut seal);
    let frames = [seal.freeze(), frame(1_000)];
    let (mut world, logs) = star(8, model, 2);
    send(&mut world, 0, 0, batch(&frames));
    world.run_for(SECOND);
    let expected = [(after(25_000), 4_000), (after(26_000), 997)];
    assert_eq!(logs[1].frames(), expected);
    assert_eq!(logs[0].written(), [(after(1_000), Link(0))]);
}

/// What it was given before it stopped reading is taken off the sender's hands, up to a window.
#[test]
fn who_does_not_read_is_written_to_no_more_when_its_window_is_full() {
    let model = NetworkModel {
        unread: 2_500,
        ..exact()
    };
    let (mut world, logs) = star(9, model, 3);
    world.deafen(NodeId(1));
    for _ in 0..4 {
        send(&mut world, 0, 0, frame(1_000));
        send(&mut world, 0, 1, frame(1_000));
        world.run_for(100 * MILLISECOND);
    }
    let written = logs[0].written().into_iter();
    let slow: Vec<_> = written.filter(|(_, link)| *link == Link(0)).collect();
    assert_eq!(slow, [(after(0), Link(0)), (after(100_000), Link(0))]);
    assert!(logs[1].frames().is_empty());
    assert_eq!(logs[2].frames().len(), 4, "nobody else is slower");
    let since = world.stalled(NodeId(0), NodeId(1));
    assert_eq!(since, Some(after(200_000)));
    assert_eq!(world.stalled(NodeId(0), NodeId(2)), None);
    // It may still send.
    send(&mut world, 1, 0, frame(100));
    world.run_for(SECOND);
    assert_eq!(logs[0].frames().len(), 1);
}
