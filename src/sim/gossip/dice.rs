//! Numbers drawn from a generator.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::Rng;

/// A number below `end`; 0 if that is 0.
pub(super) fn below(rng: &mut ChaCha8Rng, end: usize) -> usize {
    // The high half of the product is even to one part in 2^32, and `end` is far below that.
    let product = u64::from(rng.next_u32()) * (end as u64);
    usize::try_from(product >> 32).unwrap_or(0)
}

/// A number from 0 up to, and without, 1.
pub(super) fn share(rng: &mut ChaCha8Rng) -> f64 {
    f64::from(rng.next_u32()) / 4_294_967_296.0
}

/// The time to the next of events that come at `per_second` on average, independently.
pub(super) fn until_next(rng: &mut ChaCha8Rng, per_second: f64) -> Duration {
    Duration::from_secs_f64(-(1.0 - share(rng)).ln() / per_second)
}

/// A span between none and `longest`.
pub(super) fn span(rng: &mut ChaCha8Rng, longest: Duration) -> Duration {
    longest.mul_f64(share(rng))
}

/// `count` different numbers below `end`, in the order in which they were drawn; all if there are
/// fewer.
pub(super) fn some_of(rng: &mut ChaCha8Rng, end: u32, count: usize) -> Vec<u32> {
    let mut all: Vec<u32> = (0..end).collect();
    let count = count.min(all.len());
    for place in 0..count {
        let drawn = place + below(rng, all.len() - place);
        all.swap(place, drawn);
    }
    all.truncate(count);
    all
}
