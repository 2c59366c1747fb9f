use std::time::Duration;

use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

use crate::policy::Backoff;

#[test]
fn waits_double_until_the_cap() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(5));
    for full in [1, 2, 4, 5, 5] {
        let full = Duration::from_secs(full);
        let wait = backoff.next_delay(&mut rng);
        assert!(wait >= full / 2 && wait < full, "{wait:?} of {full:?}");
    }
    assert_eq!(backoff.failures(), 5);
}

#[test]
fn a_back_off_that_is_resumed_goes_on_as_if_it_had_been_kept() {
    let (base, cap) = (Duration::from_secs(1), Duration::from_secs(60));
    let mut kept = Backoff::new(base, cap);
    for failures in 0..10 {
        let mut resumed = Backoff::resumed(base, cap, failures);
        let wait = resumed.next_delay(&mut ChaCha8Rng::seed_from_u64(1));
        assert_eq!(wait, kept.next_delay(&mut ChaCha8Rng::seed_from_u64(1)));
        assert_eq!(resumed, kept);
    }
}

#[test]
fn success_starts_over() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
    for _ in 0..10 {
        backoff.next_delay(&mut rng);
    }
    backoff.reset();
    assert!(backoff.next_delay(&mut rng) < Duration::from_secs(1));
}

#[test]
fn peers_that_failed_together_come_back_apart() {
    let waits: std::collections::BTreeSet<_> = (0..100)
        .map(|seed| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            Backoff::new(Duration::from_secs(1), Duration::from_secs(1)).next_delay(&mut rng)
        })
        .collect();
    assert!(waits.len() > 95, "{} distinct waits", waits.len());
}

#[test]
fn endless_failures_and_endless_spans_do_not_overflow() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut backoff = Backoff::new(Duration::MAX, Duration::MAX);
    for _ in 0..100 {
        assert!(backoff.next_delay(&mut rng) >= Duration::MAX / 2);
    }
}

proptest! {
    #[test]
    fn a_wait_is_in_the_upper_half_and_below_the_cap(
        base in 1u64..10_000_000,
        cap in 1u64..1_000_000_000,
        failures in 1usize..80,
        seed: u64,
    ) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut backoff = Backoff::new(Duration::from_micros(base), Duration::from_micros(cap));
        for _ in 0..failures {
            let wait = backoff.next_delay(&mut rng);
            prop_assert!(wait >= Duration::from_micros(base.min(cap)) / 2);
            prop_assert!(wait <= Duration::from_micros(cap));
        }
    }
}
