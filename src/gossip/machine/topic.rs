//! One topic as this node deals with it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::io::{Link, TopicOptions};
use crate::policy::Micros;

/// Longest time for which a neighbour stays away when it is asked to, whatever it was told: nobody
/// else's number reaches the clock.
pub(super) const MAX_BACKOFF: Duration = Duration::from_secs(3_600);

/// A topic to which the program subscribed, or in which it published lately.
#[derive(Debug, Default)]
pub(super) struct Topic {
    /// None if the program does not subscribe to it.
    pub(super) subscription: Option<TopicOptions>,
    /// Neighbours that send each other its messages.
    pub(super) mesh: BTreeSet<Link>,
    /// Neighbours to whom own messages go while there is no subscription.
    pub(super) fanout: BTreeSet<Link>,
    /// When this node published in it last.
    pub(super) published: Micros,
    /// Until when a neighbour is not grafted.
    pub(super) backoff: BTreeMap<Link, Micros>,
    /// When the mesh was compared with those outside it.
    pub(super) compared: Micros,
    /// Neighbours in the order in which they hear of messages at heartbeats.
    turns: VecDeque<Link>,
    /// Mean size of its messages, in bytes.
    pub(super) size: f64,
}

impl Topic {
    pub(super) const fn is_subscribed(&self) -> bool {
        self.subscription.is_some()
    }

    pub(super) fn is_unsigned(&self) -> bool {
        self.subscription.is_some_and(|options| options.is_unsigned)
    }

    /// Whether a neighbour has to stay away.
    pub(super) fn is_backed_off(&self, link: Link, now: Micros) -> bool {
        self.backoff.get(&link).is_some_and(|until| now < *until)
    }

    /// A neighbour stays away, at least this long and at most an hour. What is agreed later counts if it
    /// is longer.
    pub(super) fn back_off(&mut self, link: Link, now: Micros, span: Duration) {
        let until = now + span.min(MAX_BACKOFF);
        let agreed = self.backoff.entry(link).or_insert(until);
        *agreed = until.max(*agreed);
    }

    /// Those whose turn it is to hear of messages, of those who lack some. `present` are all of these, in an
    /// order drawn by lot, in which newcomers have their first turn: before the others.
    pub(super) fn take_turns(&mut self, present: Vec<Link>, count: usize) -> Vec<Link> {
        let all: BTreeSet<_> = present.iter().copied().collect();
        self.turns.retain(|link| all.contains(link));
        let known: BTreeSet<_> = self.turns.iter().copied().collect();
        for link in present.into_iter().filter(|link| !known.contains(link)) {
            self.turns.push_front(link);
        }
        let count = count.min(self.turns.len());
        self.turns.rotate_left(count);
        self.turns
            .range(self.turns.len() - count..)
            .copied()
            .collect()
    }

    /// Learns of the size of a message.
    #[allow(clippy::cast_precision_loss, reason = "below 2^52")]
    pub(super) fn sized(&mut self, bytes: usize) {
        let bytes = bytes as f64;
        if self.size == 0.0 {
            self.size = bytes;
        } else {
            self.size += (bytes - self.size) / 8.0;
        }
    }
}
