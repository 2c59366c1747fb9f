//! Counters that become less with time.

use std::time::Duration;

use super::config::ScoreConfig;
use crate::policy::Micros;

/// When the counters decayed last.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct DecayClock {
    /// The last interval began here; none before the first call.
    since: Option<Micros>,
    now: Micros,
}

/// Some intervals that passed: what they leave of a counter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decay {
    intervals: i32,
    zero: f64,
}

impl DecayClock {
    /// The time of the last call, by which memberships are measured.
    pub(super) const fn now(&self) -> Micros {
        self.now
    }

    /// How many whole intervals passed since they were last counted; the rest counts next time. A
    /// clock that stands still or goes back passes none.
    pub(super) fn advance(&mut self, now: Micros, config: &ScoreConfig) -> Option<Decay> {
        self.now = self.now.max(now);
        let Some(since) = self.since else {
            self.since = Some(now);
            return None;
        };
        let interval = config.decay_interval.as_micros().max(1);
        let intervals = now.since(since).as_micros() / interval;
        if intervals == 0 {
            return None;
        }
        let passed = u64::try_from(intervals * interval).unwrap_or(u64::MAX);
        self.since = Some(since + Duration::from_micros(passed));
        Some(Decay {
            intervals: i32::try_from(intervals).unwrap_or(i32::MAX),
            zero: config.decay_to_zero,
        })
    }
}

impl Decay {
    /// The share that is left when one interval leaves `factor`: one power, however long the pause.
    pub(super) fn left(&self, factor: f64) -> f64 {
        factor.powi(self.intervals)
    }

    pub(super) fn apply(&self, counter: &mut f64, factor: f64) {
        *counter = self.floored(*counter * self.left(factor));
    }

    /// A counter too small to count is zero.
    pub(super) fn floored(&self, counter: f64) -> f64 {
        if counter < self.zero { 0.0 } else { counter }
    }
}
