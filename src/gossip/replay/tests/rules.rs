use super::*;

#[test]
fn a_message_is_fresh_once() {
    let mut window = ReplayWindow::new();
    let one = message(&single(0), 0, WALL);
    assert_eq!(window.judge(now(0), &one), Judgement::Fresh);
    assert_eq!(window.judge(now(0), &one), Judgement::Fresh);
    assert_eq!(window.insert(now(0), &one), Judgement::Fresh);
    assert_eq!(window.judge(now(0), &one), Judgement::Seen);
    assert_eq!(window.insert(now(0), &one), Judgement::Seen);
    check(&window);
}

#[test]
fn each_message_of_a_seal_is_told_apart() {
    for leaves in [1, 63, 64, 65, 128, 1_000, 1_024] {
        let mut window = ReplayWindow::new();
        let seal = seal(List::of(1_000, leaves));
        for counter in (1_000..1_000 + leaves).step_by(3) {
            let one = message(&seal, counter, WALL);
            assert_eq!(window.insert(now(0), &one), Judgement::Fresh);
        }
        for counter in 1_000..1_000 + leaves {
            let one = message(&seal, counter, WALL);
            let expected = match (counter - 1_000) % 3 {
                0 => Judgement::Seen,
                _ => Judgement::Fresh,
            };
            assert_eq!(window.judge(now(0), &one), expected, "{counter}");
        }
        check(&window);
    }
}

#[test]
fn timestamps_from_two_minutes_ago_to_half_a_minute_ahead_are_accepted() {
    let window = ReplayWindow::new();
    let judge = |timestamp| {
        let one = message(&single(0), 0, timestamp);
        window.judge(now(0), &one)
    };
    assert_eq!(judge(WALL - 120_001), Judgement::TooOld);
    assert_eq!(judge(WALL - 120_000), Judgement::Fresh);
    assert_eq!(judge(WALL + 30_000), Judgement::Fresh);
    assert_eq!(judge(WALL + 30_001), Judgement::TooNew);
    assert_eq!(judge(0), Judgement::TooOld);
    assert_eq!(judge(u64::MAX), Judgement::TooNew);
}

#[test]
fn a_replay_is_known_for_as_long_as_its_timestamp_would_be_accepted() {
    for ahead in [0, 29_999, 30_000] {
        let mut window = ReplayWindow::new();
        let one = message(&single(0), 0, WALL + ahead);
        window.insert(now(0), &one);
        for ms in (1..200).map(|second| second * 1_000) {
            window.expire(now(ms).mono);
            let judgement = window.judge(now(ms), &one);
            let expected = if ms <= 120_000 + ahead {
                Judgement::Seen
            } else {
                Judgement::TooOld
            };
            assert_eq!(judgement, expected, "after {ms} ms");
        }
    }
}

#[test]
fn what_is_too_old_is_forgotten_and_silent_publishers_leave_a_trace() {
    let mut window = ReplayWindow::new();
    let seal = seal(List::of(0, 1_024));
    window.insert(now(0), &message(&seal, 0, WALL));
    let full = window.bytes();
    window.expire(now(150_000).mono);
    assert_eq!(window.bytes(), full);
    window.expire(now(160_001).mono);
    assert!(window.bytes() < full);
    assert_eq!(window.publishers(), 1);
    check(&window);
}

#[test]
fn a_counter_with_two_messages_is_reused_and_names_the_first_seal() {
    let mut window = ReplayWindow::new();
    let first = seal(List::of(10, 10));
    let second = seal(List {
        version: 1,
        ..List::of(15, 10)
    });
    window.insert(now(0), &message(&first, 12, WALL));
    let reused = Judgement::CounterReused { other: first.id() };
    // Counter 16 of the first seal did not even come yet: its list has it.
    for counter in [15, 16, 19] {
        let one = message(&second, counter, WALL);
        assert_eq!(window.insert(now(0), &one), reused);
    }
    assert!(first.contradicts(&second));
    // Those behind it are nobody's; from now on they are the second seal's.
    let one = message(&second, 20, WALL);
    assert_eq!(window.insert(now(0), &one), Judgement::Fresh);
    let third = seal(List {
        version: 2,
        ..List::of(0, 30)
    });
    let owner = |counter| window.judge(now(0), &message(&third, counter, WALL));
    assert_eq!(owner(9), Judgement::Fresh);
    assert_eq!(owner(10), reused);
    let of_second = Judgement::CounterReused { other: second.id() };
    assert_eq!(owner(24), of_second);
    assert_eq!(owner(25), Judgement::Fresh);
    check(&window);
}

#[test]
fn a_counter_between_two_seals_belongs_to_whoever_lists_it_first() {
    let mut window = ReplayWindow::new();
    let around = seal(List {
        version: 1,
        ..List::of(0, 30)
    });
    window.insert(now(0), &message(&seal(List::of(10, 5)), 10, WALL));
    window.insert(now(0), &message(&seal(List::of(20, 5)), 20, WALL));
    for (counter, is_free) in [(0, true), (9, true), (12, false), (17, true), (29, true)] {
        let judgement = window.insert(now(0), &message(&around, counter, WALL));
        assert_eq!(judgement == Judgement::Fresh, is_free, "{counter}");
        let again = window.judge(now(0), &message(&around, counter, WALL));
        assert_eq!(again == Judgement::Seen, is_free, "{counter}");
    }
    check(&window);
}

#[test]
fn one_list_with_two_signatures_is_no_contradiction() {
    use crate::gossip::seals::testing::{NETWORK, signature};
    let mut window = ReplayWindow::new();
    let first = single(0);
    let again = first.seal().body().clone().with_signature(signature(9));
    let again = SharedSeal::new(&NETWORK, again, author()).unwrap();
    window.insert(now(0), &message(&first, 0, WALL));
    let judgement = window.judge(now(0), &message(&again, 0, WALL));
    assert_eq!(judgement, Judgement::CounterReused { other: first.id() });
    assert!(!first.contradicts(&again));
}

#[test]
fn publishers_topics_and_epochs_count_apart() {
    let mut window = ReplayWindow::new();
    let list = List::of(0, 1);
    let all = [
        list.seal(&key(1)),
        list.seal(&key(2)),
        List { topic: 1, ..list }.seal(&key(1)),
        List { epoch: 6, ..list }.seal(&key(1)),
        List { epoch: 4, ..list }.seal(&key(1)),
    ];
    for seal in &all {
        let one = message(seal, 0, 5);
        let early = Now {
            wall: UnixMillis(5),
            ..now(0)
        };
        // Epoch 6 begins at 6 ms, so that what was said at 5 ms is nobody's later epoch.
        assert_eq!(window.insert(early, &one), Judgement::Fresh, "{seal:?}");
        assert_eq!(window.insert(early, &one), Judgement::Seen);
    }
}

#[test]
fn a_higher_epoch_supersedes_and_what_was_said_before_it_stays_valid() {
    let mut window = ReplayWindow::new();
    let (old, new) = (WALL - 50_000, WALL);
    let of = |epoch, counter| {
        seal(List {
            epoch,
            ..List::of(counter, 1)
        })
    };
    let insert = |window: &mut ReplayWindow, epoch, counter, timestamp| {
        window.insert(
            now(1_000),
            &message(&of(epoch, counter), counter, timestamp),
        )
    };
    assert_eq!(insert(&mut window, old, 0, WALL - 100), Judgement::Fresh);
    assert_eq!(insert(&mut window, new, 0, WALL + 10), Judgement::Fresh);
    assert_eq!(insert(&mut window, old, 1, WALL - 50), Judgement::Fresh);
    assert_eq!(insert(&mut window, old, 0, WALL - 100), Judgement::Seen);
    assert_eq!(insert(&mut window, old, 2, WALL - 1), Judgement::Fresh);
    assert_eq!(insert(&mut window, old, 3, WALL), Judgement::Superseded);
    assert_eq!(
        insert(&mut window, old, 3, WALL + 500),
        Judgement::Superseded
    );
    assert_eq!(insert(&mut window, new, 1, WALL + 500), Judgement::Fresh);
}
