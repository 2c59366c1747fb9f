//! One topic as this node deals with it.

use std::collections::{BTreeMap, BTreeSet};
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
    /// Neighbours whose turn to hear of messages at a heartbeat is yet to come: the last one is next.
    to_hear: Vec<Link>,
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

    /// Those whose turn it is to hear of messages, of those who lack some. `fresh` are all of these, in an
    /// order drawn by lot: nobody has a second turn before everybody had one.
    pub(super) fn take_turns(&mut self, fresh: Vec<Link>, count: usize) -> Vec<Link> {
        self.to_hear.retain(|link| fresh.contains(link));
        if self.to_hear.len() < count {
            let others = fresh.into_iter();
            let mut others: Vec<_> = others.filter(|link| !self.to_hear.contains(link)).collect();
            others.append(&mut self.to_hear);
            self.to_hear = others;
        }
        let first = self.to_hear.len().saturating_sub(count);
        self.to_hear.split_off(first)
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
