//! How much a neighbour is sent because it asked.

use crate::gossip::config::QueueConfig;
use crate::policy::{Micros, TokenBucket};

/// Seconds of its rate that may be sent at once.
const BURST: u32 = 2;

/// What is left for answers. What one turns out to need beyond that, for the keys and seals that go before it, is paid
/// before the next one.
#[derive(Debug)]
pub(super) struct Answers {
    left: TokenBucket,
    owed: u32,
}

impl Answers {
    pub(super) fn new(config: &QueueConfig) -> Self {
        let rate = config.answered_bytes;
        Self {
            left: TokenBucket::new(rate.saturating_mul(BURST), rate, Micros(0)),
            owed: 0,
        }
    }

    /// Whether there is anything left.
    pub(super) fn has_room(&mut self, now: Micros) -> bool {
        self.pay(now);
        self.owed == 0 && self.left.available(now) > 0
    }

    /// An answer takes so many bytes.
    pub(super) fn charge(&mut self, now: Micros, bytes: usize) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.owed = self.owed.saturating_add(bytes);
        self.pay(now);
    }

    fn pay(&mut self, now: Micros) {
        let paid = self.owed.min(self.left.available(now));
        if self.left.try_take(paid, now) {
            self.owed -= paid;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn two_seconds_worth_goes_at_once_and_what_is_beyond_is_paid_before_more_goes() {
        let config = QueueConfig {
            answered_bytes: 1_000,
            ..QueueConfig::default()
        };
        let mut answers = Answers::new(&config);
        let start = Micros(1_000_000);
        answers.charge(start, 1_999);
        assert!(answers.has_room(start));
        answers.charge(start, 3_001);
        for (millis, has_room) in [(0, false), (1_500, false), (3_000, false), (3_001, true)] {
            let at = start + Duration::from_millis(millis);
            assert_eq!(answers.has_room(at), has_room, "after {millis} ms");
        }
    }
}
