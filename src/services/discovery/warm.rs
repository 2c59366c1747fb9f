//! The connections that discovery made and keeps.

use std::collections::{BTreeMap, BTreeSet};

use crate::identity::PeerId;

/// Peers to which discovery dialled, by when they were last asked something. That they are many
/// makes lookups fast, and that they are few leaves room for whatever else the node does.
#[derive(Debug)]
pub(super) struct WarmPool {
    limit: usize,
    used: BTreeMap<PeerId, u64>,
    order: BTreeSet<(u64, PeerId)>,
    uses: u64,
}

impl WarmPool {
    pub(super) const fn new(limit: usize) -> Self {
        Self {
            limit,
            used: BTreeMap::new(),
            order: BTreeSet::new(),
            uses: 0,
        }
    }

    /// A dial of discovery led to a connection with this peer.
    pub(super) fn insert(&mut self, peer: PeerId) {
        self.remove(&peer);
        self.uses += 1;
        self.used.insert(peer, self.uses);
        self.order.insert((self.uses, peer));
    }

    /// A peer is asked something; it counts only if it is in the pool.
    pub(super) fn touch(&mut self, peer: &PeerId) {
        if self.used.contains_key(peer) {
            self.insert(*peer);
        }
    }

    /// The connection with the peer is gone.
    pub(super) fn remove(&mut self, peer: &PeerId) {
        if let Some(used) = self.used.remove(peer) {
            self.order.remove(&(used, *peer));
        }
    }

    /// Those that are too many, the least recently used first.
    pub(super) fn excess(&self) -> Vec<PeerId> {
        let excess = self.used.len().saturating_sub(self.limit);
        let oldest = self.order.iter().take(excess);
        oldest.map(|(_, peer)| *peer).collect()
    }

    /// Connections in the pool.
    pub(super) fn len(&self) -> usize {
        self.used.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn peer(number: u8) -> PeerId {
        PeerId::from_bytes([number; 32])
    }

    #[test]
    fn the_least_recently_used_beyond_the_limit_are_too_many() {
        let mut pool = WarmPool::new(3);
        for number in 1..=2 {
            pool.insert(peer(number));
        }
        assert_eq!(pool.excess(), []);
        pool.insert(peer(3));
        assert_eq!(pool.excess(), []);
        pool.insert(peer(4));
        assert_eq!(pool.excess(), [peer(1)]);
        pool.touch(&peer(1));
        assert_eq!(pool.excess(), [peer(2)]);
        pool.remove(&peer(2));
        assert_eq!(pool.excess(), []);
        assert_eq!(pool.len(), 3);
    }

    #[test]
    fn who_is_not_in_the_pool_does_not_enter_it_by_being_asked() {
        let mut pool = WarmPool::new(3);
        pool.touch(&peer(1));
        pool.remove(&peer(1));
        assert_eq!(pool.len(), 0);
        pool.insert(peer(1));
        pool.insert(peer(1));
        assert_eq!(pool.len(), 1);
    }
}
