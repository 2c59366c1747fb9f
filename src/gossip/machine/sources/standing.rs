//! Whether a link keeps its promises.

use std::time::Duration;

use crate::policy::Micros;

/// Weight of the past in the share of successes.
const MEMORY: f64 = 0.9;

/// Results before the share says anything.
const ENOUGH: u32 = 4;

/// Below this share of successes a link that should send at once is bad.
const LEAST: f64 = 0.2;

/// A hold-down doubles this often.
const MOST_DOUBLINGS: u32 = 5;

#[derive(Debug, Default)]
pub(super) struct Standing {
    /// Classes in which it is eager.
    pub(super) eager_for: usize,
    bad_until: Micros,
    holds: u32,
    results: u32,
    successes: f64,
}

impl Standing {
    pub(super) fn is_bad(&self, now: Micros) -> bool {
        now < self.bad_until
    }

    /// Whether it is worth remembering when the link is gone.
    pub(super) fn counts(&self, now: Micros) -> bool {
        self.eager_for > 0 || self.is_bad(now)
    }

    pub(super) fn hold(&mut self, now: Micros, span: Duration) {
        if self.is_bad(now) {
            return;
        }
        self.bad_until = now + span * 2_u32.pow(self.holds.min(MOST_DOUBLINGS));
        self.holds = self.holds.saturating_add(1);
        self.results = 0;
    }

    /// Counts whether an eager link was first; whether it is too bad now.
    pub(super) fn sample(&mut self, was_first: bool) -> bool {
        if self.results == 0 {
            self.successes = 1.0;
        }
        self.results = self.results.saturating_add(1);
        let result = f64::from(u8::from(was_first));
        self.successes = MEMORY * self.successes + (1.0 - MEMORY) * result;
        self.results > ENOUGH && self.successes < LEAST
    }

    pub(super) fn count_eager(&mut self, was: bool, is: bool) {
        match (was, is) {
            (true, false) => self.eager_for = self.eager_for.saturating_sub(1),
            (false, true) => self.eager_for += 1,
            _ => {}
        }
    }
}
