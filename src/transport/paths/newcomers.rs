//! Connections that begin at an address which already belongs to another connection's paths.
//!
//! A peer that restarted, or dials while our connection to it runs elsewhere, comes from an address
//! whose packets are mapped onto the older connection. Its handshake gets a virtual address of its
//! own here. Its later packets cannot be told from the older connection's by address; they can by
//! the connection id that our handshake packets gave it.

use std::collections::BTreeMap;
use std::net::SocketAddrV6;

use super::table::Leg;

/// Newcomers at a time. Only an address of a connection with several paths can have one, so this
/// is one in four of [`MAX_BOUND`](super::table::MAX_BOUND); the one that was silent for the
/// longest time is forgotten first, and a live connection is never silent for more than its
/// keep-alive interval.
pub(super) const MAX_NEWCOMERS: usize = 1024;

#[derive(Debug, Default)]
pub(super) struct Newcomers {
    by_leg: BTreeMap<Leg, Newcomer>,
    by_virtual: BTreeMap<SocketAddrV6, Leg>,
    /// Least recently used first.
    by_use: BTreeMap<u64, Leg>,
    uses: u64,
}

#[derive(Debug)]
struct Newcomer {
    address: SocketAddrV6,
    last_use: u64,
}

impl Newcomers {
    pub(super) fn insert(&mut self, leg: Leg, address: SocketAddrV6) {
        if self.by_leg.len() >= MAX_NEWCOMERS {
            self.forget_least_recently_used();
        }
        self.uses += 1;
        let newcomer = Newcomer {
            address,
            last_use: self.uses,
        };
        self.by_leg.insert(leg, newcomer);
        self.by_virtual.insert(address, leg);
        self.by_use.insert(self.uses, leg);
    }

    pub(super) fn at(&mut self, leg: Leg) -> Option<SocketAddrV6> {
        let address = self.by_leg.get(&leg)?.address;
        self.touch(leg);
        Some(address)
    }

    pub(super) fn leg_of(&self, address: SocketAddrV6) -> Option<Leg> {
        self.by_virtual.get(&address).copied()
    }

    pub(super) fn remove(&mut self, address: SocketAddrV6) {
        if let Some(leg) = self.by_virtual.remove(&address)
            && let Some(newcomer) = self.by_leg.remove(&leg)
        {
            self.by_use.remove(&newcomer.last_use);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.by_leg.len()
    }

    fn touch(&mut self, leg: Leg) {
        if let Some(newcomer) = self.by_leg.get_mut(&leg) {
            self.by_use.remove(&newcomer.last_use);
            self.uses += 1;
            newcomer.last_use = self.uses;
            self.by_use.insert(self.uses, leg);
        }
    }

    fn forget_least_recently_used(&mut self) {
        if let Some((_, leg)) = self.by_use.pop_first()
            && let Some(newcomer) = self.by_leg.remove(&leg)
        {
            self.by_virtual.remove(&newcomer.address);
        }
    }
}
