//! Waiting longer after each failure.

use std::time::Duration;

use rand_core::Rng;

/// Exponential back-off with jitter: after the n-th failure in a row the wait is drawn evenly from
/// the upper half of `base · 2^(n−1)`, which never exceeds `cap`.
///
/// Half of it is fixed so that a wait is never close to zero, half is random so that peers that
/// failed together do not come back together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
    failures: u32,
}

impl Backoff {
    /// No failure yet.
    #[must_use]
    pub const fn new(base: Duration, cap: Duration) -> Self {
        Self {
            base,
            cap,
            failures: 0,
        }
    }

    /// After so many failures in a row: for who keeps that number and nothing else.
    #[must_use]
    pub const fn resumed(base: Duration, cap: Duration, failures: u32) -> Self {
        Self {
            base,
            cap,
            failures,
        }
    }

    /// Counts a failure and draws the wait before the next attempt.
    pub fn next_delay<R: Rng + ?Sized>(&mut self, rng: &mut R) -> Duration {
        let factor = 1u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        self.failures = self.failures.saturating_add(1);
        let full = self.base.saturating_mul(factor).min(self.cap);
        let half = full / 2;
        half + scale(full - half, rng.next_u32())
    }

    /// Forgets the failures: the attempt succeeded.
    pub const fn reset(&mut self) {
        self.failures = 0;
    }

    /// Failures in a row.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }
}

/// `span · fraction / 2^32`, in whole microseconds.
fn scale(span: Duration, fraction: u32) -> Duration {
    let micros = span.as_micros().saturating_mul(u128::from(fraction)) >> 32;
    Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
}
