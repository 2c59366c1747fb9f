//! Latency, order, loss.

use super::*;

#[test]
fn a_batch_arrives_after_the_latency_of_its_link() {
    let (mut world, logs) = star(1, exact(), 2);
    send(&mut world, 0, 0, frame(100));
    world.run_for(SECOND);
    assert_eq!(logs[1].frames(), [(Micros(1_025_000), 97)]);
    // It left at once.
    assert_eq!(logs[0].written(), [(Micros(1_000_000), Link(0))]);
}

#[test]
fn links_differ_by_a_tenth_and_are_the_same_both_ways() {
    let (world, _) = star(2, NetworkModel::default(), 400);
    let latencies: Vec<_> = world.neighbours(NodeId(0)).into_iter().collect();
    assert_eq!(latencies.len(), 399);
    for (node, latency) in &latencies {
        assert_eq!(world.neighbours(*node), [(NodeId(0), *latency)]);
        assert!(
            (22_500..=27_500).contains(&latency.as_micros()),
            "{latency:?}"
        );
    }
    let mean = latencies.iter().map(|one| one.1).sum::<Duration>() / 399;
    assert!((24_800..25_200).contains(&mean.as_micros()), "{mean:?}");
    let most = latencies.iter().map(|one| one.1).max().unwrap();
    let least = latencies.iter().map(|one| one.1).min().unwrap();
    assert!(most - least > 4_800 * MILLISECOND / 1_000);
}

#[test]
fn packets_of_a_link_differ_by_a_tenth() {
    let model = NetworkModel {
        jitter: 100,
        ..exact()
    };
    let (mut world, logs) = star(3, model, 2);
    for _ in 0..400 {
        send(&mut world, 0, 0, frame(100));
        world.run_for(100 * MILLISECOND);
    }
    let sent = (0..).map(|number| Micros(1_000_000 + number * 100_000));
    let frames = logs[1].frames().into_iter();
    let took: Vec<_> = frames
        .zip(sent)
        .map(|((at, _), sent)| at.since(sent))
        .collect();
    assert_eq!(took.len(), 400);
    assert!(
        took.iter()
            .all(|one| (22_500..=27_500).contains(&one.as_micros()))
    );
    let mean = took.iter().sum::<Duration>() / 400;
    assert!((24_800..25_200).contains(&mean.as_micros()), "{mean:?}");
    assert!(*took.iter().max().unwrap() - *took.iter().min().unwrap() > 4 * MILLISECOND);
}

#[test]
fn a_line_keeps_its_order_whatever_is_late() {
    let model = NetworkModel {
        loss: 0.2,
        ..NetworkModel::default()
    };
    let (mut world, logs) = star(4, model, 2);
    let mut late = 0;
    for size in 100..1_100 {
        send(&mut world, 0, 0, frame(size));
        world.run_for(MILLISECOND);
    }
    world.run_for(SECOND);
    let frames = logs[1].frames();
    let sizes: Vec<_> = frames.iter().map(|(_, size)| size + 3).collect();
    assert_eq!(sizes, (100..1_100).collect::<Vec<_>>());
    for (number, (at, _)) in (0..).zip(&frames) {
        let took = at.since(Micros(1_000_000 + number * 1_000));
        late += u32::from(took > 30 * MILLISECOND);
    }
    // One that is 50 ms late holds up the fifty behind it.
    assert!(late > 900, "{late} were late or behind a late one");
}

#[test]
fn one_line_does_not_hold_up_another() {
    let model = NetworkModel {
        loss: 1.0,
        ..exact()
    };
    let (mut world, logs) = star(5, model, 3);
    send(&mut world, 0, 0, frame(100));
    world.model().loss = 0.0;
    send(&mut world, 0, 0, frame(200));
    send(&mut world, 0, 1, frame(300));
    send(&mut world, 1, 0, frame(400));
    world.run_for(20 * SECOND);
    // Lost as often as a batch may be: ten seconds' worth of round trips.
    let late = Micros(1_000_000 + 25_000 + 10_000_000);
    assert_eq!(logs[1].frames(), [(late, 97), (late, 197)]);
    assert_eq!(logs[2].frames(), [(Micros(1_025_000), 297)]);
    assert_eq!(logs[0].frames(), [(Micros(1_025_000), 397)]);
}

#[test]
fn a_lost_batch_comes_one_round_trip_later_or_more() {
    let model = NetworkModel {
        loss: 0.25,
        ..exact()
    };
    let (mut world, logs) = star(6, model, 2);
    let count = 4_000_u64;
    for _ in 0..count {
        send(&mut world, 0, 0, frame(100));
        world.run_for(SECOND);
    }
    let mut repeated = [0_u32; 20];
    for (number, (at, _)) in (0..count).zip(logs[1].frames()) {
        let took = at.since(Micros(1_000_000 * (1 + number))).as_micros();
        assert_eq!((took - 25_000) % 50_000, 0, "{took}");
        repeated[usize::try_from((took - 25_000) / 50_000).unwrap()] += 1;
    }
    // Three quarters, a quarter of the rest, a quarter of that: within four standard deviations.
    assert!(repeated[0].abs_diff(3_000) < 110, "{repeated:?}");
    assert!(repeated[1].abs_diff(750) < 100, "{repeated:?}");
    assert!(repeated[2].abs_diff(187) < 55, "{repeated:?}");
}

#[test]
fn frames_of_a_batch_come_one_by_one_and_in_order() {
    let (mut world, logs) = star(7, exact(), 2);
    send(&mut world, 0, 0, batch(&[frame(70), graft(), frame(2_000)]));
    world.run_for(SECOND);
    let kinds = logs[1].select(|_, input| match input {
        Input::Frame { link, kind, body } => Some((*link, *kind, body.len())),
        _ => None,
    });
    let expected = [
        (Link(0), wire::MESSAGE, 67),
        (Link(0), wire::GRAFT, 2),
        (Link(0), wire::MESSAGE, 1_997),
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn bytes_that_are_no_frames_close_the_link() {
    let longer: Bytes = vec![0x3f, wire::GRAFT, 1].into();
    let unknown: Bytes = vec![0x02, 0x1f, 1].into();
    let empty: Bytes = vec![0x00, 0x00].into();
    let oversize: Bytes = {
        let mut out = BytesMut::new();
        encode_frame(wire::GRAFT, &[0; 5_000], &mut out);
        out.freeze()
    };
    for bad in [longer, unknown, empty, oversize] {
        let (mut world, logs) = star(8, exact(), 2);
        send(&mut world, 0, 0, batch(&[graft(), bad, graft()]));
        world.run_for(SECOND);
        assert_eq!(logs[1].frames().len(), 1, "what came before it is read");
        let lost = |log: &Log| {
            log.select(|at, input| matches!(input, Input::Disconnected(Link(0))).then_some(at))
        };
        assert_eq!(lost(&logs[1]), [Micros(1_025_000)]);
        assert_eq!(lost(&logs[0]), [Micros(1_050_000)]);
        let accusation = world.accusations()[0];
        assert_eq!((accusation.by, accusation.of), (NodeId(1), NodeId(0)));
        assert_eq!((accusation.fault, world.accused()), (None, 1));
        // Nothing passes any more, and nothing is said to be written.
        logs.iter().for_each(Log::clear);
        send(&mut world, 0, 0, graft());
        send(&mut world, 1, 0, graft());
        world.run_for(SECOND);
        assert!(
            logs.iter()
                .all(|log| log.select(|_, _| Some(())).is_empty())
        );
    }
}

#[test]
fn an_empty_batch_is_written_at_once_and_never_arrives() {
    let model = NetworkModel {
        uplink: Some(1_000),
        ..exact()
    };
    let (mut world, logs) = star(9, model, 2);
    send(&mut world, 0, 0, frame(1_000));
    send(&mut world, 0, 0, Bytes::new());
    assert_eq!(logs[0].written(), [(Micros(1_000_000), Link(0))]);
    world.run_for(20 * SECOND);
    assert_eq!(logs[1].frames().len(), 1);
}
