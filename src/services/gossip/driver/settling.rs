//! Which of several connections with a peer carries gossip, and until when.
//!
//! ```text
//!            another is the current one            it lost for good, and is ours to close
//!  on X ─────────────────────────────► on X, looked at ─────────────────────────────────► on the current one
//!    ▲                                   │        │ the peer's stream on X has ended               ▲
//!    └───────────────────────────────────┘        └────────────────────────────────────────────────┘
//!             X is the current one again
//! ```
//!
//! What a peer said before it left is heard, however late: events of the swarm and frames come by different ways, and
//! the news that a connection has ended may be the first to come.

use std::time::Duration;

use tokio::time::sleep;

use super::super::links::Session;
use super::{Driver, Work};
use crate::identity::PeerId;
use crate::p2p::Carrier;
use crate::transport::CloseReason;

/// How often it is looked which of several connections with a peer stays. The end that closes one that lost takes gossip
/// to the other first: not at once, for the first choice may be taken back, and in less time than what lost is kept open
/// ([`DRAIN_LIMIT`](crate::p2p::duplicates::DRAIN_LIMIT)). As long, at most, is waited for the stream of a peer that is
/// gone, and up to twice as long for that of one that takes nothing any more.
const SETTLING: Duration = Duration::from_secs(1);

impl Driver {
    /// Begins with a peer, or follows to its current connection once it is clear that it stays so.
    pub(super) fn follow(&mut self, peer: PeerId) {
        if self.is_elsewhere(&peer) {
            self.settle_later(peer);
        } else {
            self.begin(peer);
        }
    }

    /// Whether gossip is under way on a connection that is not the current one.
    fn is_elsewhere(&self, peer: &PeerId) -> bool {
        let current = self.parts.caller.carrier(peer);
        let both = self.links.session(peer).zip(current);
        both.is_some_and(|(session, current)| {
            session.generation != current.generation() && self.goes_on(peer, session)
        })
    }

    /// Whether anything may still come from a peer on the connection of a pair.
    fn goes_on(&self, peer: &PeerId, session: &Session) -> bool {
        let is_awaited = session.ends_at().is_none_or(|at| at > self.now());
        match self.parts.caller.lasts(peer, session.generation) {
            true => is_awaited,
            // Its end will be told, however late.
            false => session.is_read(),
        }
    }

    pub(super) fn settle_later(&mut self, peer: PeerId) {
        if self.settling.insert(peer) {
            self.work.spawn(async move {
                sleep(SETTLING).await;
                Work::Settled(peer)
            });
        }
    }

    /// Lets go of connections that lost. The end that is to close them does so first: the other may take one of them
    /// for the current one until then, and there is no second pair on a connection. Its streams there end with ours.
    pub(super) fn settle(&mut self, peer: PeerId) {
        self.settling.remove(&peer);
        let caller = &self.parts.caller;
        let is_lost = |generation| caller.is_ours_to_close(&peer, generation);
        let is_out = |generation| is_lost(generation) || !caller.lasts(&peer, generation);
        self.links.refuse(&peer, is_out);
        let session = self.links.session(&peer);
        // A node that stops says the rest where it began: it begins nowhere else.
        let is_moved = |session: &Session| self.closing.is_none() && is_lost(session.generation);
        if session.is_none_or(|session| is_moved(session) || !self.goes_on(&peer, session)) {
            self.leave(peer);
        }
        let session = self.links.session(&peer);
        let ends = session.is_some_and(|session| session.ends_at().is_some());
        if ends || self.is_elsewhere(&peer) || self.links.is_waiting(&peer) {
            self.settle_later(peer);
        }
    }

    /// The last connection with a peer has ended, unless it is back already: its stream is read to the end, and waited for
    /// if it has not come yet. With whom this node has enough, so that it closed the connection, is not heard any more.
    pub(super) fn disconnected(&mut self, peer: PeerId) {
        if self.parts.caller.carrier(&peer).is_some() {
            return;
        }
        let carrier = self.carriers.get(&peer);
        let reason = carrier.and_then(Carrier::close_reason);
        match self.links.session(&peer) {
            Some(_) if reason == Some(CloseReason::Local) => self.end(&peer),
            Some(session) if session.is_read() => {}
            Some(_) => self.settle_later(peer),
            None => self.links.disconnected(&peer),
        }
    }

    /// The stream of a peer has ended: the pair is over.
    pub(super) fn unread(&mut self, peer: PeerId, generation: u64) {
        let session = self.links.session(&peer);
        if session.is_some_and(|session| session.generation == generation) {
            self.leave(peer);
        }
    }

    /// The stream to a peer has ended: the pair is over when the peer's ends, too. What it said before is heard.
    pub(super) fn unwritten(&mut self, peer: PeerId, generation: u64) {
        let session = self.links.session(&peer);
        let Some(session) = session.filter(|session| session.generation == generation) else {
            return;
        };
        let is_read = session.is_read();
        if self.parts.caller.lasts(&peer, generation) {
            let at = self.now() + SETTLING;
            self.links.end_at(&peer, at);
            self.settle_later(peer);
        } else if !is_read {
            self.settle_later(peer);
        }
    }

    /// Ends what is under way with a peer. There may be another connection already.
    fn leave(&mut self, peer: PeerId) {
        self.end(&peer);
        self.begin(peer);
    }

    /// There is no second pair of streams on a connection: if gossip has ended on one that is the current one again,
    /// the peer is better dialled anew.
    pub(super) fn leave_if_over(&self, peer: &PeerId, generation: u64) {
        let current = self.parts.caller.carrier(peer);
        let current = current.filter(|current| current.generation() == generation);
        if let Some(current) = current
            && self.links.is_over(peer, generation)
        {
            current.close();
        }
    }
}
