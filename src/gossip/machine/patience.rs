//! How long announced messages are waited for.

use std::time::Duration;

/// Messages after which it is looked at anew whether to wait longer; a heartbeat does so, too, if there were
/// [`ENOUGH`] pulls.
const WINDOW: u32 = 128;

/// Fewer pulls than this say nothing.
const ENOUGH: u32 = 16;

/// One pull in so many messages is more than single links that fail.
const MANY: u32 = 8;

/// One pull in so many messages is no reason to wait longer than is usual.
const FEW: u32 = 32;

/// Heartbeats with so few pulls after which it is tried to wait for half as long. Where the load stays, that
/// costs [`ENOUGH`] needless pulls or a window of them, which doubles the time again.
const QUIET: u32 = 4;

/// The time doubles so often at most: 320 ms instead of 10.
const MOST_DOUBLINGS: u32 = 5;

/// How a message came first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// Nobody was asked for it.
    ByItself,
    /// As the answer of a neighbour that was asked.
    AsAnswer,
    /// Somebody was asked, and another neighbour brought it: to ask was needless.
    Meanwhile,
}

/// Tells links that are late from links that are silent.
///
/// Where processors or lines are overloaded, messages come later than they are waited for. To ask for
/// them adds to the load: each comes twice then. Whoever finds that most of what it asks for would
/// have come by itself waits longer; as soon as answers come first again, links are silent, and it waits
/// as long as is usual.
#[derive(Debug, Default)]
pub(super) struct Patience {
    doublings: u32,
    came: u32,
    answered: u32,
    needless: u32,
    /// Heartbeats with few pulls.
    quiet: u32,
}

impl Patience {
    /// A message came first in this way.
    pub(super) fn came(&mut self, how: Came) {
        self.came += 1;
        match how {
            Came::ByItself => {}
            Came::AsAnswer => self.answered += 1,
            Came::Meanwhile => self.needless += 1,
        }
        if self.came >= WINDOW {
            self.look();
        }
    }

    /// A heartbeat: when little was asked for in some of them, the load may be over.
    pub(super) fn beat(&mut self) {
        if self.pulls() >= ENOUGH {
            return self.look();
        }
        let is_quiet = self.pulls() * FEW <= self.came;
        self.quiet = if is_quiet { self.quiet + 1 } else { 0 };
        if self.quiet >= QUIET {
            self.doublings = self.doublings.saturating_sub(1);
            self.quiet = 0;
        }
    }

    fn look(&mut self) {
        let is_much = self.pulls() >= ENOUGH && self.pulls() * MANY >= self.came;
        if is_much && self.needless >= self.answered {
            self.doublings = (self.doublings + 1).min(MOST_DOUBLINGS);
        } else if self.answered > self.needless {
            self.doublings = self.doublings.saturating_sub(1);
        }
        (self.came, self.answered, self.needless) = (0, 0, 0);
    }

    const fn pulls(&self) -> u32 {
        self.answered + self.needless
    }

    /// How long a message is waited for where it usually is for so long.
    pub(super) fn stretch(&self, usual: Duration) -> Duration {
        usual * 2_u32.pow(self.doublings)
    }

    /// Whether links are late rather than silent.
    pub(super) const fn is_stretched(&self) -> bool {
        self.doublings > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: Duration = Duration::from_millis(10);

    fn after(messages: &[(u32, Came)]) -> Patience {
        let mut patience = Patience::default();
        for (count, how) in messages {
            (0..*count).for_each(|_| patience.came(*how));
        }
        patience
    }

    #[test]
    fn what_comes_by_itself_is_waited_for_as_long_as_is_usual() {
        let patience = after(&[(10_000, Came::ByItself)]);
        assert_eq!(patience.stretch(USUAL), USUAL);
    }

    /// A window is 128 messages; all that count lie in its first part.
    #[test]
    fn who_asks_in_vain_for_an_eighth_waits_twice_as_long() {
        let few = after(&[(15, Came::Meanwhile), (113, Came::ByItself)]);
        assert!(!few.is_stretched());
        let many = after(&[(16, Came::Meanwhile), (112, Came::ByItself)]);
        assert_eq!(many.stretch(USUAL), 2 * USUAL);
    }

    #[test]
    fn who_is_answered_first_does_not_wait_longer() {
        let silent = after(&[(65, Came::AsAnswer), (63, Came::Meanwhile)]);
        assert!(!silent.is_stretched());
        let late = after(&[(64, Came::AsAnswer), (64, Came::Meanwhile)]);
        assert!(late.is_stretched());
    }

    #[test]
    fn nothing_is_waited_for_more_than_32_times_as_long() {
        let patience = after(&[(100 * WINDOW, Came::Meanwhile)]);
        assert_eq!(patience.stretch(USUAL), 32 * USUAL);
    }

    /// Links that fall silent while others are late: five windows later all is as usual.
    #[test]
    fn answers_that_come_first_end_the_waiting_again() {
        let mut patience = after(&[(5 * WINDOW, Came::Meanwhile)]);
        for left in (0..5).rev() {
            (0..WINDOW).for_each(|_| patience.came(Came::AsAnswer));
            assert_eq!(patience.stretch(USUAL), 2_u32.pow(left) * USUAL);
        }
    }

    /// Where little is said heartbeats come before there is enough.
    #[test]
    fn pulls_of_several_heartbeats_add_up() {
        let mut patience = Patience::default();
        for is_last in [false, true] {
            (0..8).for_each(|_| patience.came(Came::Meanwhile));
            patience.beat();
            assert_eq!(patience.is_stretched(), is_last);
        }
    }

    #[test]
    fn after_four_heartbeats_with_few_pulls_half_the_time_is_tried() {
        let mut patience = after(&[(5 * WINDOW, Came::Meanwhile)]);
        for left in (0..5).rev() {
            (0..4).for_each(|_| patience.beat());
            assert_eq!(patience.stretch(USUAL), 2_u32.pow(left) * USUAL);
        }
    }

    /// Three quiet heartbeats, and one in which every other message was pulled.
    #[test]
    fn heartbeats_with_pulls_are_not_quiet() {
        let mut patience = after(&[(WINDOW, Came::Meanwhile)]);
        for _ in 0..10 {
            (0..3).for_each(|_| patience.beat());
            for how in [Came::AsAnswer, Came::Meanwhile, Came::ByItself] {
                patience.came(how);
            }
            patience.beat();
            assert!(patience.is_stretched());
        }
    }
}
