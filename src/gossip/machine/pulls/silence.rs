//! Whether some of those who bring messages have fallen silent.

use std::time::Duration;

use crate::policy::Micros;

/// Who brings messages and says nothing at all for so long has fallen silent. A packet of a link of 25 ms that
/// is lost twice is 100 ms late, and holds up what comes after it.
const SILENT: Duration = Duration::from_millis(120);

/// One in so many that falls silent is enough: where packets are lost fewer are held up at once.
const SHARE: usize = 10;

/// How long an answer is good: with a thousand neighbours it takes some ten microseconds.
const GOOD_FOR: Duration = Duration::from_millis(10);

/// Late is not silent: a message that is announced, and not sent, by neighbours that all speak is probably on
/// its way.
#[derive(Debug, Default)]
pub(super) struct Silence {
    looked: Option<Micros>,
    is_there: bool,
}

impl Silence {
    /// Whether too many fell silent, of those who bring messages and were heard then.
    pub(super) fn is_there(&mut self, now: Micros, heard: impl Iterator<Item = Micros>) -> bool {
        if self.looked.is_none_or(|at| now.since(at) >= GOOD_FOR) {
            let (mut silent, mut all) = (0, 0);
            for at in heard {
                silent += usize::from(now.since(at) >= SILENT);
                all += 1;
            }
            self.is_there = silent > 0 && silent * SHARE >= all;
            self.looked = Some(now);
        }
        self.is_there
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = Micros(10_000_000);

    /// Of so many the first have said nothing for a time.
    fn is_there(all: usize, silent: usize, for_millis: u64) -> bool {
        let heard = |number| {
            let ago = if number < silent { for_millis } else { 0 };
            NOW - Duration::from_millis(ago)
        };
        Silence::default().is_there(NOW, (0..all).map(heard))
    }

    #[test]
    fn one_in_ten_that_says_nothing_is_silence() {
        assert!(is_there(10, 1, 120) && is_there(20, 2, 120));
        assert!(is_there(3, 1, 120) && is_there(1, 1, 120));
        assert!(!is_there(11, 1, 120) && !is_there(21, 2, 120));
    }

    #[test]
    fn a_packet_that_is_lost_twice_is_no_silence() {
        assert!(!is_there(1, 1, 119));
    }

    #[test]
    fn where_nobody_brings_anything_nobody_falls_silent() {
        assert!(!is_there(0, 0, 0));
    }

    #[test]
    fn the_neighbours_are_not_looked_at_for_every_message() {
        let mut silence = Silence::default();
        let long_ago = || [Micros(0)].into_iter();
        assert!(silence.is_there(NOW, long_ago()));
        let unused = std::iter::from_fn(|| -> Option<Micros> { panic!("looked again") });
        assert!(silence.is_there(NOW + Duration::from_micros(9_999), unused));
        let later = NOW + GOOD_FOR;
        assert!(!silence.is_there(later, [later].into_iter()));
    }
}
