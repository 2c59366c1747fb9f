use std::cmp::Reverse;
use std::time::Duration;

use rand_core::Rng;

use crate::policy::{Backoff, Micros};
use crate::wire::Address;

/// Addresses kept for a peer: as many as identify carries, IPv4 and IPv6, direct and over relays.
pub const MAX_ADDRESSES_PER_PEER: usize = 8;

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
    backoff: Backoff,
}

/// The addresses of one peer, in no particular order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Addresses(Vec<AddressRecord>);

impl AddressRecord {
    fn new(now: Micros, address: Address, source: AddressSource) -> Self {
        Self {
            address,
            source,
            last_success: None,
            last_named: now,
            retry_at: now,
            backoff: Backoff::new(RETRY_BASE, RETRY_CAP),
        }
    }

    /// Dials that failed since the last success.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.backoff.failures()
    }

    /// What is kept when there are too many, the best last: configured ones, ones that worked, then
    /// by source, few failures, and how lately it was named.
    fn worth(&self) -> (bool, Option<Micros>, AddressSource, Reverse<u32>, Micros) {
        let configured = self.source == AddressSource::Configured;
        (
            configured,
            self.last_success,
            self.source,
            Reverse(self.failures()),
            self.last_named,
        )
    }
}

impl Addresses {
    pub(super) fn iter(&self) -> impl Iterator<Item = &AddressRecord> {
        self.0.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn has_configured(&self) -> bool {
        self.0
            .iter()
            .any(|record| record.source == AddressSource::Configured)
    }

    pub(super) fn has_worked(&self) -> bool {
        self.0.iter().any(|record| record.last_success.is_some())
    }

    pub(super) fn has_failed(&self) -> bool {
        self.0.iter().any(|record| record.failures() > 0)
    }

    pub(super) fn retain(&mut self, keep: impl FnMut(&AddressRecord) -> bool) {
        self.0.retain(keep);
    }

    /// Adds an address or raises its source. When there are too many the worst goes, unless it is
    /// better than the new one: then `false`, and nothing changes.
    pub(super) fn add(&mut self, now: Micros, address: Address, source: AddressSource) -> bool {
        if let Some(known) = self.0.iter_mut().find(|record| record.address == address) {
            known.source = known.source.max(source);
            known.last_named = known.last_named.max(now);
            return true;
        }
        let record = AddressRecord::new(now, address, source);
        if self.0.len() >= MAX_ADDRESSES_PER_PEER {
            let worst = self
                .0
                .iter()
                .enumerate()
                .min_by_key(|(_, record)| record.worth());
            let Some((index, worst)) = worst else {
                return false;
            };
            if worst.worth() > record.worth() || worst.source == AddressSource::Configured {
                return false;
            }
            self.0.swap_remove(index);
        }
        self.0.push(record);
        true
    }

    pub(super) fn succeeded(&mut self, now: Micros, address: &Address) {
        if let Some(record) = self.0.iter_mut().find(|record| record.address == *address) {
            record.last_success = Some(now);
            record.retry_at = now;
            record.backoff.reset();
        }
    }

    pub(super) fn failed<R: Rng + ?Sized>(&mut self, now: Micros, address: &Address, rng: &mut R) {
        if let Some(record) = self.0.iter_mut().find(|record| record.address == *address) {
            record.retry_at = now + record.backoff.next_delay(rng);
        }
    }

    /// What may be dialled now: what worked last comes first, then what was never tried by trust of
    /// its source, then what failed least.
    pub(super) fn for_dial(&self, now: Micros) -> Vec<Address> {
        let mut ready: Vec<_> = self
            .0
            .iter()
            .filter(|record| record.retry_at <= now)
            .collect();
        ready.sort_by_key(|record| {
            let source = Reverse(record.source);
            (
                Reverse(record.last_success),
                record.failures(),
                source,
                &record.address,
            )
        });
        ready
            .into_iter()
            .map(|record| record.address.clone())
            .collect()
    }

    /// When the next address may be dialled.
    pub(super) fn next_retry(&self) -> Option<Micros> {
        self.0.iter().map(|record| record.retry_at).min()
    }
}
