//! Peers that are not talked to for a while.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::reputation::Fault;
use crate::identity::PeerId;
use crate::policy::Micros;

/// Bans kept at a time. A ban costs its peer at least one handshake with us and lasts minutes, so
/// 4 096 is more than an attacker fills at the admitted handshake rate; about 400 KiB.
pub const MAX_BANS: usize = 4_096;

/// Why a peer is banned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BanReason {
    /// Its score reached the limit; the last fault.
    Reputation(Fault),
    /// The application or the operator asked for it.
    Requested,
}

/// One ban.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ban {
    /// When it ends.
    pub until: Micros,
    /// Why it began.
    pub reason: BanReason,
}

/// Bans by `PeerId`, each with its end. Never by address: an address says nothing about a peer.
///
/// When it is full, the ban that would end soonest makes room.
#[derive(Debug, Clone, Default)]
pub struct BanList {
    bans: BTreeMap<PeerId, Ban>,
    by_end: BTreeSet<(Micros, PeerId)>,
}

impl BanList {
    /// An empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Bans `peer` for `span` from now. A ban that lasts longer already stays as it is.
    pub fn ban(&mut self, now: Micros, peer: PeerId, span: Duration, reason: BanReason) {
        self.expire(now);
        let until = now + span;
        if until <= now || self.bans.get(&peer).is_some_and(|ban| ban.until >= until) {
            return;
        }
        self.unban(&peer);
        if self.bans.len() >= MAX_BANS
            && let Some((_, soonest)) = self.by_end.first().copied()
        {
            self.unban(&soonest);
        }
        self.bans.insert(peer, Ban { until, reason });
        self.by_end.insert((until, peer));
    }

    /// Whether the peer is banned at this moment; the first moment after a ban is its end.
    #[must_use]
    pub fn is_banned(&self, now: Micros, peer: &PeerId) -> bool {
        self.get(now, peer).is_some()
    }

    /// The ban of a peer, if one is in force.
    #[must_use]
    pub fn get(&self, now: Micros, peer: &PeerId) -> Option<Ban> {
        self.bans.get(peer).copied().filter(|ban| now < ban.until)
    }

    /// Ends a ban early. Says whether there was one.
    pub fn unban(&mut self, peer: &PeerId) -> bool {
        let Some(ban) = self.bans.remove(peer) else {
            return false;
        };
        self.by_end.remove(&(ban.until, *peer))
    }

    /// Forgets the bans that ended. Called by [`ban`](Self::ban); a node that bans nobody needs no
    /// timer.
    pub fn expire(&mut self, now: Micros) {
        while let Some(&(until, peer)) = self.by_end.first()
            && until <= now
        {
            self.by_end.pop_first();
            self.bans.remove(&peer);
        }
    }

    /// Bans in force, in order of `PeerId`.
    pub fn iter(&self, now: Micros) -> impl Iterator<Item = (PeerId, Ban)> + '_ {
        self.bans
            .iter()
            .map(|(peer, ban)| (*peer, *ban))
            .filter(move |(_, ban)| now < ban.until)
    }
}
