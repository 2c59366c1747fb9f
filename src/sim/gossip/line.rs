//! One direction of a link.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use super::node::NodeId;
use crate::gossip::Link;
use crate::policy::Micros;

/// Number of a line. The line back differs in the last bit; the even one leads away from the node
/// that dials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LineId(pub(super) u32);

impl LineId {
    pub(super) const fn back(self) -> Self {
        Self(self.0 ^ 1)
    }

    pub(super) const fn is_diallers(self) -> bool {
        self.0 & 1 == 0
    }

    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Which connection of a link: it rises whenever the link is dialled anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Dial(pub(super) u32);

/// What travels.
#[derive(Debug, Clone)]
pub(super) enum Carried {
    /// The connection is there.
    Opened,
    /// Whole frames.
    Frames(Bytes),
    /// The connection is no more.
    Closed,
}

/// Something under way.
#[derive(Debug, Clone)]
pub(super) struct Parcel {
    pub(super) at: Micros,
    /// When its last byte leaves the sender.
    pub(super) left: Micros,
    pub(super) dial: Dial,
    pub(super) carried: Carried,
}

#[derive(Debug)]
pub(super) struct Line {
    pub(super) to: NodeId,
    /// The receiver's number of the sender.
    pub(super) link: Link,
    pub(super) latency: Duration,
    /// The connection that the sender believes in.
    pub(super) open: Option<Dial>,
    /// Whether a fault closed the link for good.
    pub(super) is_banned: bool,
    /// Bytes that were taken for a receiver that does not read.
    pub(super) unread: u64,
    /// Since when nothing more is taken.
    pub(super) stalled: Option<Micros>,
    under_way: VecDeque<Parcel>,
    /// When the last of these arrives.
    last: Micros,
    /// When the arrival of the first is planned. A plan that does not name this time is out of date.
    planned: Option<Micros>,
}

impl Line {
    pub(super) fn new(to: NodeId, link: Link, latency: Duration) -> Self {
        Self {
            to,
            link,
            latency,
            open: None,
            is_banned: false,
            unread: 0,
            stalled: None,
            under_way: VecDeque::new(),
            last: Micros(0),
            planned: None,
        }
    }

    /// Puts something on its way, behind what is there already; when an arrival is to be planned.
    pub(super) fn push(&mut self, mut parcel: Parcel) -> Option<Micros> {
        parcel.at = parcel.at.max(self.last);
        self.last = parcel.at;
        self.under_way.push_back(parcel);
        self.plan()
    }

    /// A plan has come due: whether it is the one that counts.
    pub(super) fn is_due(&mut self, now: Micros) -> bool {
        let is_due = self.planned == Some(now);
        if is_due {
            self.planned = None;
        }
        is_due
    }

    /// What has arrived.
    pub(super) fn pop(&mut self, now: Micros) -> Option<Parcel> {
        if self.under_way.front()?.at > now {
            return None;
        }
        self.under_way.pop_front()
    }

    /// When the next arrival is to be planned, if it is not.
    pub(super) fn plan(&mut self) -> Option<Micros> {
        let first = self.under_way.front()?.at;
        if self.planned.is_some_and(|planned| planned <= first) {
            return None;
        }
        self.planned = Some(first);
        self.planned
    }

    /// The sender stops: what has not left by now never does.
    pub(super) fn cut(&mut self, now: Micros) {
        self.under_way.retain(|parcel| parcel.left <= now);
        self.last = self.under_way.back().map_or(now, |parcel| parcel.at);
    }

    /// A new connection: nothing of the old one is in its way.
    pub(super) fn renew(&mut self, now: Micros) {
        self.under_way.clear();
        self.last = now;
        self.unread = 0;
        self.stalled = None;
    }
}
