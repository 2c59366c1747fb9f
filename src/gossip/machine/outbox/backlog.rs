//! Whether a neighbour reads what waits for it.

use std::time::Duration;

use crate::policy::Micros;

/// The share of what is to be sent that a neighbour reads, at least: who reads an eighth serves nobody with it, and
/// costs the room of the rest.
const LEAST_SHARE: usize = 8;

/// Who reads this share of its queue in that time reads fast enough, whatever is said: half a mebibyte in three
/// seconds are 1.4 Mbit/s, which an honest line may have.
const ENOUGH_SHARE: usize = 2;

/// What is to be sent to a neighbour, and what it takes, while something waits all the time. A neighbour that takes
/// something now and then is told so from one that reads.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    /// None while there is nothing that waits.
    window: Option<Window>,
    /// Bytes that are handed over and not taken yet.
    in_hand: usize,
}

#[derive(Debug)]
struct Window {
    since: Micros,
    offered: usize,
    taken: usize,
}

impl Backlog {
    /// So much more is to be sent, whether or not it finds a place.
    pub(super) const fn offer(&mut self, bytes: usize) {
        if let Some(window) = &mut self.window {
            window.offered = window.offered.saturating_add(bytes);
        }
    }

    /// So much is handed over.
    pub(super) const fn hand(&mut self, bytes: usize) {
        self.in_hand = bytes;
    }

    /// Bytes that are handed over and not taken yet.
    pub(super) const fn in_hand(&self) -> usize {
        self.in_hand
    }

    /// What was to be sent is given up: what is judged begins with what comes.
    pub(super) fn begin_anew(&mut self) {
        self.window = None;
    }

    /// It is taken; so much waits still.
    pub(super) fn taken(&mut self, waiting: usize) {
        let bytes = std::mem::take(&mut self.in_hand);
        match &mut self.window {
            Some(window) if waiting > 0 => window.taken = window.taken.saturating_add(bytes),
            _ => self.window = None,
        }
    }

    /// A heartbeat, at which so much waits in a queue of so many bytes: whether too little was taken for so long.
    pub(super) fn lags(
        &mut self,
        now: Micros,
        waiting: usize,
        span: Duration,
        max_bytes: usize,
    ) -> bool {
        if waiting == 0 {
            self.window = None;
            return false;
        }
        let begun = Window {
            since: now,
            offered: waiting,
            taken: 0,
        };
        let window = self.window.get_or_insert(begun);
        if now.since(window.since) < span {
            return false;
        }
        let Window { offered, taken, .. } = *window;
        self.window = None;
        taken < offered / LEAST_SHARE && taken < max_bytes / ENOUGH_SHARE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Duration = Duration::from_secs(3);
    const START: Micros = Micros(1_000_000);
    const MAX: usize = 1 << 20;

    /// Whether who takes so much of so much in three seconds lags.
    fn lags(offered: usize, taken: usize) -> bool {
        let mut backlog = Backlog::default();
        assert!(!backlog.lags(START, 1, SPAN, MAX));
        backlog.offer(offered - 1);
        backlog.hand(taken);
        backlog.taken(1);
        assert!(!backlog.lags(START + SPAN / 2, 1, SPAN, MAX));
        backlog.lags(START + SPAN, 1, SPAN, MAX)
    }

    #[test]
    fn who_reads_less_than_an_eighth_and_less_than_half_a_mebibyte_lags() {
        for (offered, taken, is_lagging) in [
            (80_000, 9_999, true),
            (80_000, 10_000, false),
            (80_000, 80_000, false),
            (1 << 30, MAX / 2 - 1, true),
            (1 << 30, MAX / 2, false),
        ] {
            assert_eq!(lags(offered, taken), is_lagging, "{taken} of {offered}");
        }
    }

    #[test]
    fn what_was_given_up_is_not_held_against_who_reads_again() {
        let mut backlog = Backlog::default();
        assert!(!backlog.lags(START, MAX, SPAN, MAX));
        backlog.begin_anew();
        assert!(!backlog.lags(START + SPAN, 1_000, SPAN, MAX));
        backlog.hand(1_000);
        backlog.taken(1);
        assert!(!backlog.lags(START + SPAN * 2, 1, SPAN, MAX));
    }

    #[test]
    fn who_has_read_all_begins_anew() {
        let mut backlog = Backlog::default();
        backlog.lags(START, 80_000, SPAN, MAX);
        backlog.hand(80_000);
        backlog.taken(0);
        assert!(!backlog.lags(START + SPAN, 80_000, SPAN, MAX));
        assert!(!backlog.lags(START + SPAN * 3 / 2, 80_000, SPAN, MAX));
        assert!(backlog.lags(START + SPAN * 2, 80_000, SPAN, MAX));
    }
}
