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

/// For each of these spans in which a link was not bad one doubling is forgiven: over months every link has
/// its moments.
const FORGIVEN_AFTER: Duration = Duration::from_secs(600);

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
        let quiet = now.since(self.bad_until).as_secs() / FORGIVEN_AFTER.as_secs();
        let forgiven = u32::try_from(quiet).unwrap_or(u32::MAX);
        let holds = self.holds.min(MOST_DOUBLINGS).saturating_sub(forgiven);
        self.bad_until = now + span * 2_u32.pow(holds);
        self.holds = holds + 1;
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

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Duration = Duration::from_secs(60);

    fn held(standing: &mut Standing, now: Micros) -> Duration {
        standing.hold(now, SPAN);
        standing.bad_until.since(now)
    }

    #[test]
    fn a_hold_down_doubles_up_to_32_times_and_is_forgiven_in_quiet_times() {
        let (mut standing, mut now) = (Standing::default(), Micros(1_000_000));
        for factor in [1, 2, 4, 8, 16, 32, 32] {
            let span = held(&mut standing, now);
            assert_eq!(span, SPAN * factor);
            now = now + span;
        }
        // One doubling for each ten minutes.
        now = now + FORGIVEN_AFTER * 2;
        let span = held(&mut standing, now);
        assert_eq!(span, SPAN * 8);
        now = now + span + FORGIVEN_AFTER - Duration::from_secs(1);
        let span = held(&mut standing, now);
        assert_eq!(span, SPAN * 16);
        now = now + span + FORGIVEN_AFTER * 100;
        assert_eq!(held(&mut standing, now), SPAN);
    }
}
