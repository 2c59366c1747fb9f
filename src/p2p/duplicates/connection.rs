use std::fmt;
use std::time::Duration;

use crate::policy::Micros;

/// A connection, numbered by its node in the order of creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Who dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// This node did.
    Outgoing,
    /// The peer did.
    Incoming,
}

impl Direction {
    pub(super) const fn reverse(self) -> Self {
        match self {
            Self::Outgoing => Self::Incoming,
            Self::Incoming => Self::Outgoing,
        }
    }
}

/// What the rule knows of one confirmed connection.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    pub(super) id: ConnectionId,
    pub(super) direction: Direction,
    pub(super) rtt: Duration,
    /// Rank of its confirmation among all inputs: ties in time have an order, too.
    pub(super) confirmed: u64,
    /// Rank of the last packet that arrived on it.
    pub(super) heard: u64,
    pub(super) open_streams: u32,
    /// Since when no stream is open on it.
    pub(super) quiet_since: Micros,
    pub(super) state: State,
    /// When the survivor was last asked whether it lives, before this one is closed for it, and the rank of that.
    pub(super) asked: Option<(Micros, u64)>,
}

/// What was decided about a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing against it.
    Candidate,
    /// Asked for a sign of life; without one it loses at the deadline.
    Probed { deadline: Micros },
    /// It did not answer in time: no new streams, to be closed unless a packet comes before.
    Silent { since: Micros },
    /// It lost: no new streams, to be closed.
    Loser { since: Micros },
}

impl Connection {
    /// Since when it is out, if it is.
    pub(super) fn lost_since(&self) -> Option<Micros> {
        match self.state {
            State::Candidate | State::Probed { .. } => None,
            State::Silent { since } | State::Loser { since } => Some(since),
        }
    }

    pub(super) fn is_out(&self) -> bool {
        self.lost_since().is_some()
    }

    /// It lost for good, from the moment on at which it was out.
    pub(super) fn lose(&mut self, now: Micros) {
        let since = self.lost_since().unwrap_or_else(|| self.out(now));
        self.state = State::Loser { since };
    }

    /// It gave no sign of life in time.
    pub(super) fn fall_silent(&mut self, now: Micros) {
        let since = self.out(now);
        self.state = State::Silent { since };
    }

    /// It is out from now on: whom it was to be closed for before does not matter any more.
    const fn out(&mut self, now: Micros) -> Micros {
        self.asked = None;
        now
    }

    /// A packet arrived, the input number `rank`. What seemed dead is alive.
    pub(super) fn hear(&mut self, rank: u64) {
        self.heard = rank;
        if matches!(self.state, State::Silent { .. }) {
            self.state = State::Candidate;
        }
    }
}
