use std::time::Duration;

use rand_core::Rng;

use super::record::Record;
use crate::policy::Micros;
use crate::wire::Address;

/// Addresses kept for a peer: as many as identify carries, IPv4 and IPv6, direct and over relays.
pub const MAX_ADDRESSES_PER_PEER: usize = 8;

/// Addresses of a peer that another one is told: as many as a message of discovery carries.
pub const MAX_ADDRESSES_TOLD: usize = crate::wire::message::discovery::MAX_CONTACT_ADDRESSES;

/// An address is tried again after about this, at first: a lost handshake deserves a second attempt
/// soon.
pub const RETRY_BASE: Duration = Duration::from_secs(1);

/// And after at most this, in the end: a peer that was away for a day is found within ten minutes.
pub const RETRY_CAP: Duration = Duration::from_secs(600);

/// Where an address comes from, the least trusted first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AddressSource {
    /// Another peer said so.
    Told,
    /// Somebody on the local network announced it.
    Mdns,
    /// The peer connected from there; it may be a NAT's port that admits nobody.
    Observed,
    /// The peer itself said so, on a confirmed connection.
    Identified,
    /// A dial of this node reached the peer there.
    Dialled,
    /// The operator wrote it down. Never dropped.
    Configured,
}

/// One address of a peer, and how dialling it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressRecord {
    /// The address, with the peer's id.
    pub address: Address,
    /// The best of the sources that named it.
    pub source: AddressSource,
    /// When a dial last succeeded.
    pub last_success: Option<Micros>,
    /// When it was added, or named again.
    pub last_named: Micros,
    /// Not to be dialled before this.
    pub retry_at: Micros,
    pub(super) failures: u32,
}

impl AddressRecord {
    /// Dials that failed since the last success.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }
}

/// The addresses of one peer, in no particular order; the allocation has room for them and no more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Addresses(Vec<Record>);

impl Addresses {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Record> {
        self.0.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn has_configured(&self) -> bool {
        self.0.iter().any(Record::is_configured)
    }

    pub(super) fn has_worked(&self) -> bool {
        self.0.iter().any(Record::has_worked)
    }

    pub(super) fn has_failed(&self) -> bool {
        self.0.iter().any(|record| record.failures() > 0)
    }

    pub(super) fn retain(&mut self, keep: impl FnMut(&Record) -> bool) {
        self.0.retain(keep);
        self.0.shrink_to_fit();
    }

    /// Adds an address or raises its source. When there are too many the worst goes, unless it is
    /// better than the new one: then `false`, and nothing changes.
    pub(super) fn add(&mut self, now: Micros, address: &Address, source: AddressSource) -> bool {
        if let Some(known) = self.find(address) {
            known.named(now, source);
            return true;
        }
        let record = Record::new(now, address, source);
        if self.0.len() >= MAX_ADDRESSES_PER_PEER {
            let worst = self
                .0
                .iter()
                .enumerate()
                .min_by_key(|(_, record)| record.worth());
            let Some((index, worst)) = worst else {
                return false;
            };
            if worst.worth() > record.worth() || worst.is_configured() {
                return false;
            }
            self.0.swap_remove(index);
        }
        self.0.reserve_exact(1);
        self.0.push(record);
        true
    }

    pub(super) fn succeeded(&mut self, now: Micros, address: &Address) {
        if let Some(record) = self.find(address) {
            record.succeeded(now);
        }
    }

    pub(super) fn failed<R: Rng + ?Sized>(&mut self, now: Micros, address: &Address, rng: &mut R) {
        if let Some(record) = self.find(address) {
            record.failed(now, rng);
        }
    }

    /// The best first, as [`Rank`](super::record::Rank) says.
    pub(super) fn ranked(&self) -> Vec<&Record> {
        let mut ranked: Vec<_> = self.0.iter().collect();
        ranked.sort_by_key(|record| record.rank());
        ranked
    }

    /// When the next address may be dialled.
    pub(super) fn next_retry(&self) -> Option<Micros> {
        self.0.iter().map(Record::retry_at).min()
    }

    fn find(&mut self, address: &Address) -> Option<&mut Record> {
        self.0.iter_mut().find(|record| record.is(address))
    }
}
