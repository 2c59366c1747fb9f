//! A rate limit with a burst.

use std::time::Duration;

use super::Micros;

/// Tokens are counted in millionths, so that a refill of one token a second loses nothing when it
/// is asked every microsecond.
const SCALE: u64 = 1_000_000;

/// A bucket that holds at most `burst` tokens and gains `per_second` of them, evenly.
///
/// It starts full. All arithmetic saturates; a clock that stands still or goes back adds nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenBucket {
    burst: u32,
    per_second: u32,
    /// Never above `burst * SCALE`.
    scaled: u64,
    updated: Micros,
}

impl TokenBucket {
    /// A full bucket of `burst` tokens that refills by `per_second` (0: never).
    #[must_use]
    pub fn new(burst: u32, per_second: u32, now: Micros) -> Self {
        Self {
            burst,
            per_second,
            scaled: u64::from(burst) * SCALE,
            updated: now,
        }
    }

    /// Takes `tokens`, all or none, and says whether they were there.
    pub fn try_take(&mut self, tokens: u32, now: Micros) -> bool {
        self.refill(now);
        match self.scaled.checked_sub(u64::from(tokens) * SCALE) {
            Some(rest) => {
                self.scaled = rest;
                true
            }
            None => false,
        }
    }

    /// Whole tokens in the bucket.
    #[must_use]
    pub fn available(&mut self, now: Micros) -> u32 {
        self.refill(now);
        u32::try_from(self.scaled / SCALE).unwrap_or(self.burst)
    }

    /// The first moment at which `tokens` will be there if nobody takes any: `now` if they already
    /// are, `None` if that never happens (more than the burst, or no refill).
    #[must_use]
    pub fn ready_at(&mut self, tokens: u32, now: Micros) -> Option<Micros> {
        self.refill(now);
        let missing = (u64::from(tokens) * SCALE).saturating_sub(self.scaled);
        if missing == 0 {
            return Some(now);
        }
        if tokens > self.burst || self.per_second == 0 {
            return None;
        }
        Some(now + Duration::from_micros(missing.div_ceil(u64::from(self.per_second))))
    }

    fn refill(&mut self, now: Micros) {
        let elapsed = now.0.saturating_sub(self.updated.0);
        let gained = elapsed.saturating_mul(u64::from(self.per_second));
        let full = u64::from(self.burst) * SCALE;
        self.scaled = self.scaled.saturating_add(gained).min(full);
        self.updated = self.updated.max(now);
    }
}
