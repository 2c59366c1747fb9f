//! Which of several connections with a peer carries gossip.
//!
//! ```text
//!            another is the current one            it lost for good, and is ours to close
//!  on X ─────────────────────────────► on X, looked at ─────────────────────────────────► on the current one
//!    ▲                                   │        │ X ends, or the peer ends its pair there        ▲
//!    └───────────────────────────────────┘        └────────────────────────────────────────────────┘
//!             X is the current one again
//! ```

use std::collections::btree_map::Entry;
use std::time::Duration;

use tokio::time::sleep;

use super::{Driver, Work};
use crate::identity::PeerId;

/// How often it is looked which of several connections with a peer stays. The end that closes one that lost takes gossip
/// to the other first: not at once, for the first choice may be taken back, and in less time than what lost is kept open
/// ([`DRAIN_LIMIT`](crate::p2p::duplicates::DRAIN_LIMIT)).
const SETTLING: Duration = Duration::from_secs(1);

/// How long that goes on: an end that lives has closed what lost by then.
const SETTLED: Duration = Duration::from_secs(4);

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
        both.is_some_and(|(session, current)| session.generation != current.generation())
    }

    pub(super) fn settle_later(&mut self, peer: PeerId) {
        if let Entry::Vacant(vacant) = self.settling.entry(peer) {
            vacant.insert(self.parts.clock.now().mono);
            self.work.spawn(settling(peer));
        }
    }

    /// Lets go of connections that lost. The end that is to close them does so first: the other may take one of them
    /// for the current one until then, and there is no second pair on a connection. Its streams there end with ours.
    pub(super) fn settle(&mut self, peer: PeerId) {
        let Some(since) = self.settling.remove(&peer) else {
            return;
        };
        let caller = &self.parts.caller;
        let is_lost = |generation| caller.is_ours_to_close(&peer, generation);
        self.links.refuse(&peer, is_lost);
        let session = self.links.session(&peer);
        if session.is_none_or(|session| is_lost(session.generation)) {
            self.begin(peer);
        }
        let is_early = self.now().since(since) < SETTLED;
        if is_early && (self.is_elsewhere(&peer) || self.links.is_waiting(&peer)) {
            self.settling.insert(peer, since);
            self.work.spawn(settling(peer));
        }
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

async fn settling(peer: PeerId) -> Work {
    sleep(SETTLING).await;
    Work::Settled(peer)
}
