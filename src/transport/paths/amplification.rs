//! The limit on what is sent to addresses that may be forged.
//!
//! An acceptor may send at most three times the bytes that it received from an address which is not
//! proven (RFC 9000, section 8.1). quinn keeps that count, but as long as anything is left of it
//! sends a whole datagram more: four times what came, for a first packet alone. The datagram that
//! exceeds the limit is dropped here; to quinn it is one lost on the way.
//!
//! Only datagrams that begin with a long header are limited. Established connections send none, so
//! that a forged first packet cannot slow down the connection of the peer whose address it bears.
//! Nor can it stop a dial to that peer: what the peer answers is received, and raises the limit.

use std::collections::BTreeMap;
use std::net::SocketAddrV6;

/// Bytes sent for each byte received (RFC 9000, section 8.1).
const FACTOR: u64 = 3;

/// Bytes of the datagram that begins a handshake, at least (RFC 9000, section 14.1).
const FIRST_DATAGRAM: u64 = 1200;

/// Addresses remembered from which long headers came lately: as many as quinn lets wait for their
/// acceptance. What came from a forgotten one counts as its first datagram alone.
pub(super) const MAX_ARRIVALS: usize = 1024;

/// Addresses limited at a time: twice the unfinished handshakes that can be configured. The one
/// limited first is let go first.
pub(super) const MAX_LIMITED: usize = 2048;

/// What went to and came from addresses in handshake.
#[derive(Debug)]
pub(super) struct Amplification {
    arrivals: Budgets,
    limited: Budgets,
}

impl Default for Amplification {
    fn default() -> Self {
        Self {
            arrivals: Budgets::new(MAX_ARRIVALS),
            limited: Budgets::new(MAX_LIMITED),
        }
    }
}

impl Amplification {
    /// A datagram with a long header came.
    pub(super) fn received(&mut self, from: SocketAddrV6, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let budget = match self.limited.get_mut(&from) {
            Some(budget) => budget,
            None => self.arrivals.entry(from),
        };
        budget.received = budget.received.saturating_add(bytes);
    }

    /// Whether a transmission that begins with a long header may leave; counts it if so.
    pub(super) fn may_send(&mut self, to: SocketAddrV6, bytes: usize) -> bool {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        if let Some(budget) = self.limited.get_mut(&to) {
            return budget.try_send(bytes);
        }
        if let Some(budget) = self.arrivals.get_mut(&to) {
            budget.sent = budget.sent.saturating_add(bytes);
        }
        true
    }

    /// A handshake begins with an address that is not proven.
    pub(super) fn limit(&mut self, address: SocketAddrV6) {
        if self.limited.get_mut(&address).is_some() {
            return;
        }
        let so_far = self.arrivals.remove(&address);
        *self.limited.entry(address) = so_far.unwrap_or(Budget {
            received: FIRST_DATAGRAM,
            sent: 0,
        });
    }

    /// The address is proven, or it is we who dial.
    pub(super) fn lift(&mut self, address: SocketAddrV6) {
        self.limited.remove(&address);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Budget {
    received: u64,
    sent: u64,
}

impl Budget {
    fn try_send(&mut self, bytes: u64) -> bool {
        let sent = self.sent.saturating_add(bytes);
        let fits = sent <= self.received.saturating_mul(FACTOR);
        if fits {
            self.sent = sent;
        }
        fits
    }
}

/// Budgets by address, of which the oldest makes room.
#[derive(Debug)]
struct Budgets {
    most: usize,
    by_address: BTreeMap<SocketAddrV6, (u64, Budget)>,
    by_age: BTreeMap<u64, SocketAddrV6>,
    next: u64,
}

impl Budgets {
    const fn new(most: usize) -> Self {
        Self {
            most,
            by_address: BTreeMap::new(),
            by_age: BTreeMap::new(),
            next: 0,
        }
    }

    fn get_mut(&mut self, address: &SocketAddrV6) -> Option<&mut Budget> {
        self.by_address.get_mut(address).map(|(_, budget)| budget)
    }

    fn entry(&mut self, address: SocketAddrV6) -> &mut Budget {
        if !self.by_address.contains_key(&address) {
            if self.by_address.len() >= self.most
                && let Some((_, oldest)) = self.by_age.pop_first()
            {
                self.by_address.remove(&oldest);
            }
            self.next += 1;
            self.by_age.insert(self.next, address);
        }
        let fresh = (self.next, Budget::default());
        let (_, budget) = self.by_address.entry(address).or_insert(fresh);
        budget
    }

    fn remove(&mut self, address: &SocketAddrV6) -> Option<Budget> {
        let (age, budget) = self.by_address.remove(address)?;
        self.by_age.remove(&age);
        Some(budget)
    }
}
