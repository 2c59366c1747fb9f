//! Whether so much has to be asked for that the chosen links must have fallen silent.

use std::collections::VecDeque;
use std::time::Duration;

use crate::policy::Micros;
use crate::wire::message::gossip::AWAKE;

/// Time over which questions are compared with what comes by itself.
const WINDOW: Duration = Duration::from_millis(300);

/// The same where so little is said that nothing alarming fits into the first: as long as a
/// [`WAKE`](crate::wire::message::gossip::WAKE) lasts.
const LONG_WINDOW: Duration = AWAKE;

/// Fewer messages than this that were asked for are no reason for alarm, whatever their share.
const LEAST_ASKED: usize = 3;

/// One message in so many that was asked for is: the chosen links fail.
const ASKED_SHARE: usize = 4;

/// Neighbours that were asked for one message when it was asked for in vain: the first did not answer in time.
pub(super) const ASKED_IN_VAIN: usize = 3;

/// One message in so many that was asked for in vain is a reason for alarm, too: those who announce do not send. Where
/// one packet in twenty is lost it is one in a hundred. With an alarm at each, such a network is alarmed
/// all the time, and says twice as much.
const IN_VAIN_SHARE: usize = 8;

/// When messages were asked for, and when any came first, lately.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    asked: VecDeque<Micros>,
    in_vain: VecDeque<Micros>,
    came: VecDeque<Micros>,
    until: Micros,
}

impl Alarm {
    /// A message was asked for.
    pub(super) fn asked(&mut self, now: Micros) {
        self.asked.push_back(now);
    }

    /// A third neighbour was asked for one message.
    pub(super) fn asked_in_vain(&mut self, now: Micros) {
        self.in_vain.push_back(now);
    }

    /// A message came for the first time.
    pub(super) fn came(&mut self, now: Micros) {
        self.came.push_back(now);
        forget_before(&mut self.came, now - LONG_WINDOW);
    }

    /// Whether so much had to be asked for that something is wrong.
    pub(super) fn is_due(&mut self, now: Micros) -> bool {
        for moments in [&mut self.asked, &mut self.in_vain, &mut self.came] {
            forget_before(moments, now - LONG_WINDOW);
        }
        [WINDOW, LONG_WINDOW].into_iter().any(|window| {
            let since = |moments| count_since(moments, now - window);
            let (asked, in_vain, came) =
                (since(&self.asked), since(&self.in_vain), since(&self.came));
            let fails = asked >= LEAST_ASKED && asked * ASKED_SHARE >= came;
            fails || (in_vain > 0 && in_vain * IN_VAIN_SHARE >= came)
        })
    }

    /// It is sounded, for a while.
    pub(super) const fn sound(&mut self, until: Micros) {
        self.until = until;
    }

    /// Whether it lasts.
    pub(super) fn lasts(&self, now: Micros) -> bool {
        now < self.until
    }
}

/// Of moments in order, those from `start` on.
fn count_since(moments: &VecDeque<Micros>, start: Micros) -> usize {
    moments.len() - moments.partition_point(|at| *at < start)
}

fn forget_before(moments: &mut VecDeque<Micros>, start: Micros) {
    while moments.pop_front_if(|at| *at < start).is_some() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Micros = Micros(10_000_000);

    /// Whether so many messages of which so many were asked for are alarming, all at once.
    fn is_due(came: usize, asked: usize, in_vain: usize) -> bool {
        let mut alarm = Alarm::default();
        (0..came).for_each(|_| alarm.came(START));
        (0..asked).for_each(|_| alarm.asked(START));
        (0..in_vain).for_each(|_| alarm.asked_in_vain(START));
        alarm.is_due(START)
    }

    #[test]
    fn one_message_in_four_that_is_asked_for_is_alarming_and_so_is_one_in_eight_in_vain() {
        for (came, asked, in_vain, expected) in [
            (0, 2, 0, false),
            (0, 3, 0, true),
            (12, 3, 0, true),
            (13, 3, 0, false),
            (400, 100, 0, true),
            (401, 100, 0, false),
            (8, 1, 1, true),
            (9, 1, 1, false),
            (80, 10, 10, true),
            (81, 10, 10, false),
        ] {
            assert_eq!(
                is_due(came, asked, in_vain),
                expected,
                "{came} {asked} {in_vain}"
            );
        }
    }

    #[test]
    fn what_comes_at_once_is_compared_with_a_moment_and_what_comes_slowly_with_three_seconds() {
        // Much came before, and then nothing does by itself.
        let mut alarm = Alarm::default();
        (0..300).for_each(|_| alarm.came(START));
        let later = START + WINDOW + Duration::from_millis(1);
        (0..3).for_each(|_| alarm.asked(later));
        assert!(alarm.is_due(later));
        // One in a second, each asked for.
        let (mut alarm, mut now) = (Alarm::default(), START);
        let due: Vec<_> = (0..3)
            .map(|_| {
                now = now + Duration::from_secs(1);
                alarm.asked(now);
                alarm.came(now);
                alarm.is_due(now)
            })
            .collect();
        assert_eq!(due, [false, false, true]);
    }
}
