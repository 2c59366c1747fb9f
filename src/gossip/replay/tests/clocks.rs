use proptest::prelude::*;

use super::*;

const YEAR_MS: u64 = 365 * 86_400_000;

fn in_epoch(epoch: u64, counter: u64) -> SharedSeal {
    seal(List {
        epoch,
        ..List::of(counter, 1)
    })
}

/// A message of a publisher whose clock is off.
fn said(epoch: u64, counter: u64, at_ms: u64, off_ms: i64) -> Listed {
    let timestamp = (WALL + at_ms).checked_add_signed(off_ms).unwrap();
    message(&in_epoch(epoch, counter), counter, timestamp)
}

#[test]
fn a_clock_ten_minutes_off_is_ignored_until_it_is_right() {
    for (off, refusal) in [(600_000, Judgement::TooNew), (-600_000, Judgement::TooOld)] {
        let mut window = ReplayWindow::new();
        let epoch = WALL.checked_add_signed(off).unwrap();
        for counter in 0..10 {
            let one = said(epoch, counter, counter * 100, off);
            assert_eq!(window.insert(now(counter * 100), &one), refusal);
        }
        // The clock is set right, and the publisher goes on in its epoch.
        let one = said(epoch, 10, 2_000, 0);
        assert_eq!(window.insert(now(2_000), &one), Judgement::Fresh);
        // Or it restarts.
        let next = next_epoch(Some(epoch), now(3_000).wall);
        let one = said(next, 0, 3_000, 0);
        assert_eq!(window.insert(now(3_000), &one), Judgement::Fresh);
    }
}

#[test]
fn an_epoch_far_in_the_future_locks_nobody_out() {
    let mut window = ReplayWindow::new();
    // It began with a clock a year ahead that was set right while it ran.
    let far = WALL + YEAR_MS;
    let one = said(far, 0, 0, 0);
    assert_eq!(window.insert(now(0), &one), Judgement::Fresh);
    // It restarts and goes on behind what it stored.
    let next = next_epoch(Some(far), now(1_000).wall);
    assert!(next > far);
    let one = said(next, 0, 1_000, 0);
    assert_eq!(window.insert(now(1_000), &one), Judgement::Fresh);
    // It loses what it stored and begins anew, below.
    let low = next_epoch(None, now(2_000).wall);
    for counter in 0..3 {
        let one = said(low, counter, 2_000 + counter, 0);
        assert_eq!(window.insert(now(2_010), &one), Judgement::Fresh);
        assert_eq!(window.insert(now(2_010), &one), Judgement::Seen);
    }
}

#[test]
fn a_wall_clock_that_is_set_back_revives_nothing() {
    for seconds in [1, 10, 100, 149, 151, 200, 1_000] {
        let mut window = ReplayWindow::new();
        let one = said(WALL, 0, 0, 0);
        window.insert(now(0), &one);
        for second in 0..seconds {
            window.expire(now(second * 1_000).mono);
        }
        // Back to the moment at which the message was new.
        let back = jumped(seconds * 1_000, -(seconds as i64 * 1_000));
        let judgement = window.insert(back, &one);
        let is_known = matches!(judgement, Judgement::Seen | Judgement::BelowFloor);
        assert!(is_known, "{judgement:?} after {seconds} s");
    }
}

#[test]
fn a_wall_clock_that_jumps_forward_and_back_revives_nothing() {
    let mut window = ReplayWindow::new();
    let one = said(WALL, 0, 0, 0);
    window.insert(now(0), &one);
    for second in 0..400 {
        let away = jumped(second * 1_000, 3_600_000);
        window.expire(away.mono);
        assert_eq!(window.judge(away, &one), Judgement::TooOld);
    }
    let back = jumped(400_000, -330_000);
    assert_eq!(window.judge(back, &one), Judgement::BelowFloor);
}

#[test]
fn when_all_clocks_were_wrong_and_are_set_right_nobody_is_locked_out() {
    let mut window = ReplayWindow::new();
    let epoch = WALL + 600_000;
    let mut counter = 0;
    let mut say = |window: &mut ReplayWindow, second: u64, off: i64, epoch| {
        counter += 1;
        let one = said(epoch, counter, second * 1_000, off);
        window.insert(jumped(second * 1_000, off), &one)
    };
    // Ten minutes ahead, both, for six minutes.
    for second in 0..360 {
        let judgement = say(&mut window, second, 600_000, epoch);
        assert_eq!(judgement, Judgement::Fresh);
    }
    // Set right, both; the epoch goes on, and the wrong time comes round.
    for second in 360..1_500 {
        assert_eq!(say(&mut window, second, 0, epoch), Judgement::Fresh);
    }
    // What was said in the wrong time cannot be said again, now that its timestamps are right.
    let replay = said(epoch, 300, 299_000, 600_000);
    assert_eq!(window.judge(now(900_000), &replay), Judgement::BelowFloor);
}

#[test]
fn a_node_that_just_started_accepts_what_was_said_before() {
    let mut window = ReplayWindow::new();
    let start = Now {
        mono: Micros(0),
        ..now(0)
    };
    let one = message(&single(0), 0, WALL - 60_000);
    assert_eq!(window.insert(start, &one), Judgement::Fresh);
    assert_eq!(window.insert(start, &one), Judgement::Seen);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_jump_of_the_wall_clock_makes_a_message_fresh_again(seed: u64) {
        let rng = &mut rng(seed);
        let mut window = ReplayWindow::new();
        let mut accepted: Vec<Listed> = Vec::new();
        let mut next = [0u64; 6];
        let (mut ms, mut jump) = (0, 0i64);
        for _ in 0..400 {
            ms += below(rng, 5_000);
            if below(rng, 40) == 0 {
                jump = below(rng, 1_200_000) as i64 - 600_000;
            }
            let now = jumped(ms, jump);
            for _ in 0..3 {
                if let Some(replay) = accepted.get(below(rng, 1 + accepted.len() as u64) as usize) {
                    prop_assert_ne!(window.judge(now, replay), Judgement::Fresh);
                }
            }
            let who = below(rng, 6) as usize;
            let list = List {
                topic: who as u64 % 2,
                epoch: WALL - 1,
                first: next[who],
                leaves: 1 + below(rng, 4),
                version: 0,
            };
            next[who] += list.leaves;
            let seal = list.seal(&key(who as u64 / 2));
            for counter in list.first..next[who] {
                let timestamp = now.wall.0 + 30_000 - below(rng, 60_000);
                let one = message(&seal, counter, timestamp);
                if window.insert(now, &one) == Judgement::Fresh {
                    accepted.push(one);
                }
            }
        }
        prop_assert!(accepted.len() > 200);
        check(&window);
    }
}
