use super::*;

/// One seal of one message, of a publisher of its own.
fn stranger(number: u64, timestamp_ms: u64) -> Listed {
    message(&List::of(0, 1).seal(&key(number)), 0, timestamp_ms)
}

#[test]
fn a_fast_honest_publisher_fits_its_budget_for_the_whole_time() {
    let mut window = ReplayWindow::new();
    // 10 000 messages a second: 50 seals a second of 200, of which one message is enough.
    for number in 0..150 * 50 {
        let ms = number * 20;
        let seal = seal(List::of(number * 200, 200));
        let one = message(&seal, number * 200, WALL + ms);
        assert_eq!(window.insert(now(ms), &one), Judgement::Fresh);
    }
    println!("{} bytes", window.bytes());
    check(&window);
    let first = message(&seal(List::of(0, 200)), 100, WALL + 29_990);
    assert_eq!(window.judge(now(149_980), &first), Judgement::Fresh);
}

#[test]
fn a_publisher_beyond_its_budget_loses_its_oldest_and_nobody_else_does() {
    let mut window = ReplayWindow::new();
    let other = stranger(2, WALL);
    window.insert(now(0), &other);
    let mut all = Vec::new();
    // Every list full, 100 a second: twice what an honest one makes.
    for number in 0..10_000 {
        let seal = seal(List::of(number * 1_024, 1_024));
        let one = message(&seal, number * 1_024, WALL + number * 10);
        assert_eq!(window.insert(now(number * 10), &one), Judgement::Fresh);
        all.push(one);
        if number % 100 == 0 {
            check(&window);
        }
    }
    println!("{} bytes", window.bytes());
    let then = now(100_000);
    let seen = |one: &&Listed| window.judge(then, one) == Judgement::Seen;
    let known = all.iter().filter(seen).count();
    println!("{known} of {} seals are remembered", all.len());
    assert!(known > 3_500, "more than half a minute");
    for one in &all {
        assert_ne!(window.judge(then, one), Judgement::Fresh);
    }
    assert_eq!(window.judge(then, &other), Judgement::Seen);
}

#[test]
fn a_message_that_is_only_late_is_accepted_beyond_the_budget_if_its_seal_is_new() {
    let mut window = small(8 << 10, MAX_BYTES);
    for number in 0..1_000 {
        let one = message(&single(number), number, WALL + number);
        assert_eq!(window.insert(now(number), &one), Judgement::Fresh);
    }
    check(&window);
    // Made before all others, but never forgotten: its counter lies behind them.
    let late = message(&single(5_000), 5_000, WALL);
    assert_eq!(window.insert(now(1_000), &late), Judgement::Fresh);
    let repeated = message(&single(0), 0, WALL);
    assert_eq!(window.judge(now(1_000), &repeated), Judgement::BelowFloor);
}

#[test]
fn bytes_are_counted_to_the_limit_of_a_publisher() {
    let one = message(&single(0), 0, WALL);
    let mut alone = ReplayWindow::new();
    alone.insert(now(0), &one);
    let bytes = alone.publishers[&one.seal().publisher()].bytes();
    for (limit, is_kept) in [(bytes - 1, false), (bytes, true), (bytes + 1, true)] {
        let mut window = small(limit, MAX_BYTES);
        window.insert(now(0), &one);
        let judgement = window.judge(now(0), &one);
        assert_eq!(judgement == Judgement::Seen, is_kept);
        assert_ne!(judgement, Judgement::Fresh);
        check(&window);
    }
}

#[test]
fn bytes_are_counted_to_the_limit_of_all() {
    let ms = |number| number * 10;
    let mut alone = ReplayWindow::new();
    for number in 0..8 {
        alone.insert(now(ms(number)), &stranger(number, WALL));
    }
    let bytes = alone.bytes();
    for (limit, is_kept) in [(bytes - 1, false), (bytes, true), (bytes + 1, true)] {
        let mut window = small(MAX_PUBLISHER_BYTES, limit);
        for number in 0..8 {
            window.insert(now(ms(number)), &stranger(number, WALL));
        }
        let first = window.judge(now(ms(8)), &stranger(0, WALL));
        assert_eq!(first == Judgement::Seen, is_kept);
        assert_ne!(first, Judgement::Fresh);
        assert_eq!(window.publishers() == 8, is_kept);
        check(&window);
    }
}

#[test]
fn publishers_that_fell_silent_are_bounded_and_those_heard_last_stay() {
    let mut window = ReplayWindow::with_limits(Limits {
        publisher: MAX_PUBLISHER_BYTES,
        total: MAX_BYTES,
        silent: 10,
    });
    for number in 0..11 {
        window.insert(now(number), &stranger(number, WALL));
    }
    assert_eq!(window.publishers(), 11);
    window.expire(now(200_000).mono);
    assert_eq!(window.publishers(), 10);
    let back = |number| window.judge(jumped(200_000, -200_000), &stranger(number, WALL));
    assert_eq!(back(0), Judgement::Fresh, "heard first, forgotten");
    assert_eq!(back(1), Judgement::BelowFloor);
    check(&window);
}

#[test]
fn epochs_and_topics_of_one_publisher_are_bounded() {
    let mut window = small(64 << 10, MAX_BYTES);
    for number in 0..5_000 {
        let list = List {
            topic: number % 7,
            epoch: number,
            ..List::of(0, 1)
        };
        let one = message(&seal(list), 0, WALL + number);
        let judgement = window.insert(now(number), &one);
        assert_ne!(
            judgement,
            Judgement::CounterReused {
                other: one.seal().id()
            }
        );
        assert_ne!(window.judge(now(number), &one), Judgement::Fresh);
    }
    check(&window);
    // When all fell silent, a few traces are left.
    window.expire(now(400_000).mono);
    println!("{} bytes", window.bytes());
    assert!(window.bytes() <= PUBLISHER_BYTES + 32 * 128);
    check(&window);
}

#[test]
fn a_thousand_publishers_that_flood_leave_every_message_known_or_refused() {
    let mut window = small(MAX_PUBLISHER_BYTES, 2 << 20);
    let keys: Vec<_> = (0..1_000).map(key).collect();
    let rng = &mut rng(1);
    let mut all = Vec::new();
    for round in 0..40u64 {
        for key in &keys {
            let ms = round * 1_000 + below(rng, 1_000);
            let ms = ms.max(all.len() as u64);
            let one = message(&List::of(round, 1).seal(key), round, WALL + ms);
            assert_eq!(window.insert(now(ms), &one), Judgement::Fresh);
            all.push(one);
        }
        check(&window);
    }
    let then = now(41_000);
    let seen = |one: &&Listed| window.judge(then, one) == Judgement::Seen;
    println!(
        "{} of {} are known",
        all.iter().filter(seen).count(),
        all.len()
    );
    assert!(
        all.iter()
            .all(|one| window.judge(then, one) != Judgement::Fresh)
    );
}

#[test]
fn a_flood_of_new_identities_leaves_honest_messages_of_the_last_ten_seconds() {
    let mut window = ReplayWindow::new();
    // All that the default admission lets through, with the timestamps that reach farthest.
    let (per_second, seconds) = (2_500, 30);
    let flood = |number: u64| {
        let ms = number * 1_000 / per_second;
        (now(ms), stranger(1_000 + number, WALL + ms + 30_000))
    };
    let honest = |second: u64| stranger(second, WALL + second * 1_000);
    for second in 0..seconds {
        window.insert(now(second * 1_000), &honest(second));
        for number in second * per_second..(second + 1) * per_second {
            let (now, one) = flood(number);
            assert_eq!(window.insert(now, &one), Judgement::Fresh);
        }
        check(&window);
    }
    assert!(window.cut.is_some(), "the flood fills it");
    let then = now(seconds * 1_000);
    for second in 0..seconds {
        assert_ne!(window.judge(then, &honest(second)), Judgement::Fresh);
    }
    // Quiet publishers that say something ten seconds late.
    let late = stranger(500, then.wall.0 - 10_000);
    assert_eq!(window.insert(then, &late), Judgement::Fresh);
    assert_eq!(window.insert(then, &late), Judgement::Seen);
}

#[test]
fn topics_that_fell_silent_leave_a_few_traces_and_then_a_floor() {
    let traces = MAX_SILENT_RUNS as u64;
    for (topics, has_trace) in [(traces - 1, true), (traces, true), (traces + 1, false)] {
        let mut window = ReplayWindow::new();
        let of = |topic, counter| {
            seal(List {
                topic,
                ..List::of(counter, 1)
            })
        };
        for topic in 0..topics {
            let one = message(&of(topic, 0), 0, WALL + topic);
            window.insert(now(topic), &one);
        }
        window.expire(now(200_000).mono);
        // The clock is set back, and there comes what was never said before.
        let back = jumped(200_000, -200_000);
        let judge = |topic| window.judge(back, &message(&of(topic, 1), 1, WALL));
        assert_eq!(judge(0) == Judgement::Fresh, has_trace, "{topics}");
        assert_eq!(judge(topics - 1) == Judgement::Fresh, has_trace);
        for topic in 0..topics {
            let again = message(&of(topic, 0), 0, WALL + topic);
            assert_eq!(window.judge(back, &again), Judgement::BelowFloor);
        }
    }
}
