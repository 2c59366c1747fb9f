//! Members of a mesh of whom nothing is asked are asked for something now and then: who passes nothing
//! on would never be found out otherwise.

use std::time::Duration;

use super::Link;
use crate::gossip::machine::parcel::Class;
use crate::policy::Micros;

/// Messages of one trial: two make up what a score asks for before it counts.
const MESSAGES: u32 = 16;

/// Time after which a member has heard that it is asked, whether or not it has sent anything.
pub(super) const HEARS: Duration = Duration::from_secs(1);

/// Longest time of one trial: a publisher that fell silent proves nothing.
const LONGEST: Duration = Duration::from_secs(30);

/// A member that is to send the messages of a publisher at once, beside those that were chosen.
#[derive(Debug)]
pub(super) struct Trial {
    pub(super) link: Link,
    pub(super) class: Class,
    /// Messages that count, from the first one on that the member sent: before, it had not heard that it
    /// is asked.
    left: u32,
    begins: Option<Micros>,
    until: Micros,
}

impl Trial {
    pub(super) fn new(link: Link, class: Class, now: Micros) -> Self {
        Self {
            link,
            class,
            left: MESSAGES,
            begins: Some(now + HEARS),
            until: now + LONGEST,
        }
    }

    /// The member sent a message of the publisher.
    pub(super) const fn sent(&mut self) {
        self.begins = None;
    }

    /// A message of its publisher was heard of; whether it was the last one.
    pub(super) fn heard(&mut self, now: Micros) -> bool {
        if !self.has_begun(now) {
            return false;
        }
        let was_last = self.left == 1;
        self.left = self.left.saturating_sub(1);
        was_last
    }

    /// Whether the member owes messages.
    pub(super) fn has_begun(&self, now: Micros) -> bool {
        self.begins.is_none_or(|at| now >= at)
    }

    /// Whether the member is still asked for messages: of a fast publisher a trial would otherwise bring
    /// some thousand copies until the next heartbeat.
    pub(super) const fn is_open(&self) -> bool {
        self.left > 0
    }

    pub(super) fn is_over(&self, now: Micros) -> bool {
        self.left == 0 || now >= self.until
    }
}
