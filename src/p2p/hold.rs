//! Connections that somebody wants, so that nobody closes them for being idle.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};

use super::swarm::Inner;
use crate::identity::PeerId;

/// While it lives, no service closes the connection with its peer for being idle; whether there is a
/// connection does not matter. Holds are counted: the peer is held until the last is dropped.
#[derive(Debug)]
#[must_use = "the peer is held as long as this lives"]
pub struct Hold {
    /// A hold does not keep a swarm that has stopped.
    inner: Weak<Inner>,
    peer: PeerId,
}

impl Hold {
    pub(super) fn new(inner: &Arc<Inner>, peer: PeerId) -> Self {
        inner.connections().holds.add(peer);
        Self {
            inner: Arc::downgrade(inner),
            peer,
        }
    }

    /// Who is held.
    #[must_use]
    pub const fn peer(&self) -> PeerId {
        self.peer
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(inner) = self.inner.upgrade() {
            inner.connections().holds.remove(&self.peer);
        }
    }
}

/// Who is held. As large as what the program itself holds: no peer can add to it.
#[derive(Debug, Default)]
pub(super) struct Holds {
    /// Number of [`Hold`]s, by peer; never 0.
    guards: BTreeMap<PeerId, u32>,
    /// Connected peers whose connection is held as long as it lasts.
    kept: BTreeSet<PeerId>,
}

impl Holds {
    fn add(&mut self, peer: PeerId) {
        let count = self.guards.entry(peer).or_default();
        *count = count.saturating_add(1);
    }

    fn remove(&mut self, peer: &PeerId) {
        let Some(count) = self.guards.get_mut(peer) else {
            return;
        };
        *count -= 1;
        if *count == 0 {
            self.guards.remove(peer);
        }
    }

    pub(super) fn keep(&mut self, peer: PeerId) {
        self.kept.insert(peer);
    }

    pub(super) fn let_go(&mut self, peer: &PeerId) {
        self.kept.remove(peer);
    }

    pub(super) fn let_all_go(&mut self) {
        self.kept.clear();
    }

    pub(super) fn is_held(&self, peer: &PeerId) -> bool {
        self.guards.contains_key(peer) || self.kept.contains(peer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: PeerId = PeerId::from_bytes([1; 32]);

    #[test]
    fn a_peer_is_held_until_the_last_hold_is_gone() {
        let mut holds = Holds::default();
        holds.add(PEER);
        holds.add(PEER);
        holds.remove(&PEER);
        assert!(holds.is_held(&PEER));
        holds.remove(&PEER);
        assert!(!holds.is_held(&PEER));
        assert!(holds.guards.is_empty());
        holds.remove(&PEER);
        assert!(!holds.is_held(&PEER));
    }

    #[test]
    fn what_is_kept_and_what_is_held_do_not_end_each_other() {
        let mut holds = Holds::default();
        holds.add(PEER);
        holds.keep(PEER);
        holds.let_go(&PEER);
        assert!(holds.is_held(&PEER));
        holds.keep(PEER);
        holds.remove(&PEER);
        assert!(holds.is_held(&PEER));
        holds.let_go(&PEER);
        assert!(!holds.is_held(&PEER));
    }
}
