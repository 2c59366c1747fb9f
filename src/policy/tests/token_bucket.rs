use std::time::Duration;

use proptest::prelude::*;

use crate::policy::{Micros, TokenBucket};

const START: Micros = Micros(5_000_000);

fn after(micros: u64) -> Micros {
    START + Duration::from_micros(micros)
}

#[test]
fn a_full_bucket_gives_its_burst_and_not_one_more() {
    for (tokens, given) in [(15, true), (16, true), (17, false)] {
        assert_eq!(
            TokenBucket::new(16, 50, START).try_take(tokens, START),
            given
        );
    }
}

#[test]
fn tokens_come_back_one_at_a_time() {
    let mut bucket = TokenBucket::new(16, 50, START);
    assert!(bucket.try_take(16, START));
    assert!(!bucket.try_take(1, after(19_999)));
    assert!(bucket.try_take(1, after(20_000)));
    assert!(!bucket.try_take(1, after(20_001)));
}

#[test]
fn a_refused_take_costs_nothing() {
    let mut bucket = TokenBucket::new(4, 1, START);
    assert!(!bucket.try_take(5, START));
    assert_eq!(bucket.available(START), 4);
}

#[test]
fn an_idle_bucket_stops_at_its_burst() {
    let mut bucket = TokenBucket::new(4, u32::MAX, START);
    assert_eq!(bucket.available(Micros(u64::MAX)), 4);
}

#[test]
fn a_clock_that_goes_back_gives_nothing() {
    let mut bucket = TokenBucket::new(1, 1_000_000, START);
    assert!(bucket.try_take(1, START));
    assert!(!bucket.try_take(1, Micros(0)));
    assert!(!bucket.try_take(1, START));
    assert!(bucket.try_take(1, after(1)));
}

#[test]
fn asking_every_microsecond_loses_no_fraction() {
    let mut bucket = TokenBucket::new(1, 3, START);
    assert!(bucket.try_take(1, START));
    let first = (1..=1_000_000).find(|micros| bucket.try_take(1, after(*micros)));
    assert_eq!(first, Some(333_334));
}

#[test]
fn ready_at_names_the_moment_or_says_never() {
    let mut bucket = TokenBucket::new(2, 50, START);
    assert_eq!(bucket.ready_at(2, START), Some(START));
    assert!(bucket.try_take(2, START));
    assert_eq!(bucket.ready_at(1, START), Some(after(20_000)));
    assert_eq!(bucket.ready_at(3, START), None);
    let mut dry = TokenBucket::new(1, 0, START);
    assert!(dry.try_take(1, START));
    assert_eq!(dry.ready_at(1, START), None);
    assert_eq!(dry.ready_at(0, START), Some(START));
}

proptest! {
    #[test]
    fn never_gives_more_than_burst_and_refill(
        burst in 0u32..100,
        per_second in 0u32..10_000,
        steps in prop::collection::vec((0u64..100_000, 0u32..20), 0..100),
    ) {
        let mut bucket = TokenBucket::new(burst, per_second, START);
        let (mut passed, mut given) = (0u64, 0u64);
        for (step, tokens) in steps {
            passed += step;
            if bucket.try_take(tokens, after(passed)) {
                given += u64::from(tokens);
            }
            let earned = passed * u64::from(per_second) / 1_000_000;
            prop_assert!(given <= u64::from(burst) + earned);
        }
    }

    #[test]
    fn tokens_are_there_at_ready_at_and_not_before(
        burst in 1u32..100,
        per_second in 1u32..2_000_000,
        tokens in 1u32..100,
    ) {
        let mut bucket = TokenBucket::new(burst, per_second, START);
        prop_assert!(bucket.try_take(burst, START));
        match bucket.ready_at(tokens, START) {
            None => prop_assert!(tokens > burst),
            Some(ready) => {
                prop_assert!(!bucket.clone().try_take(tokens, Micros(ready.0 - 1)));
                prop_assert!(bucket.try_take(tokens, ready));
            }
        }
    }
}
