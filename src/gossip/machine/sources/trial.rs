//! Members of a mesh of whom nothing is asked are asked for something now and then: who passes nothing
//! on would never be found out otherwise.

use std::time::Duration;

use super::Link;
use crate::gossip::machine::parcel::Class;
use crate::policy::Micros;

/// Messages of one trial: two make up what a score asks for before it counts.
const MESSAGES: u32 = 16;

/// Longest time of one trial: a publisher that fell silent proves nothing.
const LONGEST: Duration = Duration::from_secs(30);

/// A member that is to send the messages of a publisher at once, beside those that were chosen.
#[derive(Debug)]
pub(super) struct Trial {
    pub(super) link: Link,
    pub(super) class: Class,
    left: u32,
    until: Micros,
}

impl Trial {
    pub(super) fn new(link: Link, class: Class, now: Micros) -> Self {
        Self {
            link,
            class,
            left: MESSAGES,
            until: now + LONGEST,
        }
    }

    /// A message of its publisher was heard of; whether it was the last one.
    pub(super) const fn heard(&mut self) -> bool {
        let was_last = self.left == 1;
        self.left = self.left.saturating_sub(1);
        was_last
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
