//! How much a neighbour is sent because it asked.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{MAX_OWED, Outbox, Priority, Queued};
use crate::gossip::config::QueueConfig;
use crate::gossip::machine::parcel::Parcel;
use crate::policy::{Micros, TokenBucket};
use crate::wire::message::gossip::MessageId;

/// Seconds of its rate that may be sent at once.
const BURST: u32 = 2;

/// What is left for answers, and which wait for more. How long one is, with the keys and seals that go before it, is known
/// when it is written: what it needs beyond that is paid before the next one.
#[derive(Debug)]
pub(super) struct Answers {
    left: TokenBucket,
    debt: u32,
    /// By name, in a line of their own: this node's messages do not wait behind them.
    waiting: VecDeque<MessageId>,
}

impl Answers {
    pub(super) fn new(config: &QueueConfig) -> Self {
        let rate = config.answered_bytes;
        Self {
            left: TokenBucket::new(rate.saturating_mul(BURST), rate, Micros(0)),
            debt: 0,
            waiting: VecDeque::new(),
        }
    }

    /// Whether there is anything left.
    pub(super) fn has_room(&mut self, now: Micros) -> bool {
        self.pay(now);
        self.debt == 0 && self.left.available(now) > 0
    }

    /// Whether one more would have to wait.
    pub(super) fn are_late(&mut self, now: Micros) -> bool {
        self.wait() || !self.has_room(now)
    }

    /// Whether any wait.
    pub(super) fn wait(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// One waits; `false` if too many do.
    pub(super) fn put_off(&mut self, id: MessageId) -> bool {
        let has_room = self.waiting.len() < MAX_OWED;
        if has_room {
            self.waiting.push_back(id);
        }
        has_room
    }

    /// One that stood in line waits again: no more do than find room in the queue.
    pub(super) fn put_back(&mut self, id: MessageId) {
        self.waiting.push_back(id);
    }

    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }

    /// An answer takes so many bytes.
    pub(super) fn charge(&mut self, now: Micros, bytes: usize) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.debt = self.debt.saturating_add(bytes);
        self.pay(now);
    }

    fn pay(&mut self, now: Micros) {
        let paid = self.debt.min(self.left.available(now));
        if self.left.try_take(paid, now) {
            self.debt -= paid;
        }
    }
}

impl Outbox {
    /// Answers that waited for their rate stand in line as far as there is room. Nobody is woken for that before the next
    /// heartbeat, if nothing else is said to the neighbour.
    pub(super) fn line_up_answers(
        &mut self,
        now: Micros,
        config: &QueueConfig,
        held: impl Fn(&MessageId) -> Option<Arc<Parcel>>,
    ) {
        while self.answers.has_room(now)
            && let Some(id) = self.answers.waiting.front().copied()
        {
            let queued = held(&id).map(|parcel| Queued {
                parcel,
                since: now,
                priority: Priority::Asked,
            });
            if queued.is_some_and(|queued| !self.line_up(queued, config)) && self.occupied() > 0 {
                return;
            }
            self.answers.waiting.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn as_many_wait_as_may_be_owed_and_those_that_stood_in_line() {
        let mut answers = Answers::new(&QueueConfig::default());
        for number in 0..=MAX_OWED {
            assert_eq!(answers.put_off([0; 32]), number < MAX_OWED, "{number}");
        }
        answers.put_back([0; 32]);
        assert_eq!(answers.waiting.len(), MAX_OWED + 1);
    }

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
