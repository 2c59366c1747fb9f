//! Whether some of those who bring messages have fallen silent.
//!
//! Late is not silent: a message that is announced, and not sent, by neighbours that all speak is probably on
//! its way.

use std::time::Duration;

use super::{Gossip, Link};
use crate::policy::Micros;

/// Who says nothing at all for so long has fallen silent, if it usually speaks. A packet of a link of 25 ms that is
/// lost, and whose repetition is lost a round trip later, is 100 ms late, and holds up what comes after it.
const SILENT: Duration = Duration::from_millis(120);

/// Who speaks seldom is silent after so many times its usual pause: by chance one neighbour in 150 is.
const USUAL_PAUSES: u32 = 5;

/// A new pause counts for one part in so many of the usual one.
const PAUSES: u32 = 8;

/// A longer pause counts as this: an hour without messages does not keep a neighbour from being missed.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Who heard nothing of anybody for so long was held up itself, or nothing was said: then nobody fell silent, until
/// those that are there have had the time to speak.
const HEARD_NOTHING: Duration = Duration::from_millis(50);

/// One neighbour in so many that falls silent is enough: where packets are lost fewer are held up at once.
const SHARE: usize = 10;

/// How long an answer is good: with a thousand neighbours it takes a while.
const GOOD_FOR: Duration = Duration::from_millis(10);

/// When a neighbour speaks.
#[derive(Debug, Default)]
pub(super) struct Speech {
    last: Option<Micros>,
    /// How long it usually says nothing.
    pause: Duration,
}

impl Speech {
    /// It says something.
    fn hear(&mut self, now: Micros) {
        let pause = self.last.map_or(Duration::ZERO, |last| now.since(last));
        // What comes at once is one batch.
        if !pause.is_zero() {
            self.pause = (self.pause * (PAUSES - 1) + pause.min(LONGEST_PAUSE)) / PAUSES;
        }
        self.last = Some(now);
    }

    /// Whether it says nothing any more.
    fn is_silent(&self, now: Micros) -> bool {
        let most = SILENT.max(self.pause * USUAL_PAUSES);
        self.last.is_some_and(|last| now.since(last) >= most)
    }
}

/// Whether too many are silent, as it was found last.
#[derive(Debug, Default)]
pub(super) struct Silence {
    looked: Option<Micros>,
    is_there: bool,
    heard: Micros,
    /// When somebody was heard after nobody had been.
    resumed: Micros,
}

impl Silence {
    /// Somebody says something.
    fn hear(&mut self, now: Micros) {
        if now.since(self.heard) >= HEARD_NOTHING {
            self.resumed = now;
        }
        self.heard = now;
    }

    /// Whether too many of these are silent.
    fn is_there<'a>(&mut self, now: Micros, all: impl Iterator<Item = &'a Speech>) -> bool {
        if now.since(self.resumed) < SILENT {
            return false;
        }
        if self.looked.is_none_or(|at| now.since(at) >= GOOD_FOR) {
            let (mut silent, mut count) = (0, 0);
            for speech in all {
                silent += usize::from(speech.is_silent(now));
                count += 1;
            }
            self.is_there = silent > 0 && silent * SHARE >= count;
            self.looked = Some(now);
        }
        self.is_there
    }
}

impl Gossip {
    /// A neighbour says something, whatever it is.
    pub(super) fn spoke(&mut self, link: Link) {
        let now = self.now.mono;
        if let Some(neighbour) = self.neighbours.get_mut(&link) {
            neighbour.speech.hear(now);
            self.silence.hear(now);
        }
    }

    /// Whether some of those who bring messages say nothing any more.
    pub(super) fn misses_some(&mut self) -> bool {
        let now = self.now.mono;
        let bring = self.neighbours.values().filter(|one| one.brings(now));
        self.silence.is_there(now, bring.map(|one| &one.speech))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = Micros(100_000_000);

    const fn millis(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    /// A neighbour that spoke so often, at equal distances, and for the last time so long ago.
    fn speech(pause: Duration, ago: Duration) -> Speech {
        let mut speech = Speech::default();
        for count in (0..100).rev() {
            speech.hear(NOW - ago - pause * count);
        }
        speech
    }

    /// Of so many the first have said nothing for a time.
    fn is_there(all: usize, silent: usize, ago: Duration) -> bool {
        let spoke = |number| speech(millis(1), if number < silent { ago } else { millis(0) });
        let all: Vec<_> = (0..all).map(spoke).collect();
        Silence::default().is_there(NOW, all.iter())
    }

    #[test]
    fn one_in_ten_that_says_nothing_is_silence() {
        assert!(is_there(10, 1, SILENT) && is_there(20, 2, SILENT));
        assert!(is_there(3, 1, SILENT) && is_there(1, 1, SILENT));
        assert!(!is_there(11, 1, SILENT) && !is_there(21, 2, SILENT));
        assert!(!is_there(0, 0, SILENT));
    }

    #[test]
    fn a_packet_that_is_lost_twice_is_no_silence() {
        assert!(!is_there(1, 1, SILENT - millis(1)));
    }

    #[test]
    fn who_seldom_speaks_is_silent_after_five_times_its_usual_pause() {
        let seldom = |ago| speech(millis(200), millis(ago)).is_silent(NOW);
        assert!(!seldom(995) && seldom(1_005));
        let often = |ago| speech(millis(20), millis(ago)).is_silent(NOW);
        assert!(!often(119) && often(120));
    }

    #[test]
    fn an_hour_without_messages_is_forgotten_within_some_words() {
        let mut speech = speech(millis(10), millis(3_600_000));
        (0..40).for_each(|word| speech.hear(NOW + millis(10) * word));
        assert!(speech.is_silent(NOW + millis(390) + SILENT));
    }

    #[test]
    fn frames_of_one_batch_are_no_habit() {
        let mut speech = speech(millis(200), millis(0));
        (0..1_000).for_each(|_| speech.hear(NOW));
        assert!(!speech.is_silent(NOW + SILENT));
    }

    #[test]
    fn who_was_held_up_itself_misses_nobody() {
        let all = [speech(millis(1), millis(300)), speech(millis(1), millis(0))];
        let is_there = |pause| {
            let mut silence = Silence::default();
            let before = NOW - pause - millis(1);
            (0..=200)
                .rev()
                .for_each(|ago| silence.hear(before - millis(ago)));
            silence.hear(NOW - millis(1));
            silence.is_there(NOW, all.iter())
        };
        assert!(is_there(HEARD_NOTHING - millis(1)));
        assert!(!is_there(HEARD_NOTHING));
    }

    #[test]
    fn after_a_stall_the_silent_are_missed_once_others_have_had_the_time_to_speak() {
        let all = [speech(millis(1), millis(300))];
        let mut silence = Silence::default();
        silence.hear(NOW);
        assert!(!silence.is_there(NOW + SILENT - millis(1), all.iter()));
        assert!(silence.is_there(NOW + SILENT, all.iter()));
    }

    #[test]
    fn the_neighbours_are_not_looked_at_for_every_message() {
        let mut silence = Silence::default();
        let silent = speech(millis(1), SILENT);
        assert!(silence.is_there(NOW, [&silent].into_iter()));
        let unused = std::iter::from_fn(|| -> Option<&Speech> { panic!("looked again") });
        assert!(silence.is_there(NOW + GOOD_FOR - millis(1), unused));
        assert!(!silence.is_there(NOW + GOOD_FOR, [].into_iter()));
    }
}
