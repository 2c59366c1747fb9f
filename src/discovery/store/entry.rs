//! What is kept, and in which order it ends.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeBounds;

use super::ENTRY_OVERHEAD;
use super::ledger::{Account, Charge, Ledger};
use crate::discovery::Key;
use crate::discovery::record::{Eviction, Kind, Version};
use crate::identity::PeerId;
use crate::policy::Micros;
use crate::wire::Address;
use crate::wire::codec;
use crate::wire::message::discovery::{Contact, Record, kind};

/// Where an entry is kept; in the order of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) key: Key,
    pub(super) kind: u16,
    pub(super) slot: [u8; 32],
}

/// One kept thing.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) item: Item,
    pub(super) expires: Micros,
    pub(super) charge: Charge,
}

#[derive(Debug, Clone)]
pub(super) enum Item {
    /// A record of a kind with one slot.
    Record(Kept),
    /// The last version of a record that ended: an earlier one must not come back.
    Tombstone(Version),
    /// A peer that provides the key.
    Provider(Contact),
}

#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) kind: &'static Kind,
    pub(super) version: Version,
    pub(super) last_stored: Micros,
    pub(super) record: Record,
}

/// All entries, what they cost and when they end.
#[derive(Debug, Clone, Default)]
pub(super) struct Shelf {
    entries: BTreeMap<Place, Entry>,
    by_end: BTreeSet<(Micros, Place)>,
    ledger: Ledger,
    tombstones: usize,
}

impl Place {
    pub(super) const fn of_record(kind: u16, key: Key) -> Self {
        Self {
            key,
            kind,
            slot: [0; 32],
        }
    }

    pub(super) const fn of_provider(key: Key, peer: PeerId) -> Self {
        Self {
            key,
            kind: kind::PROVIDER,
            slot: *peer.as_bytes(),
        }
    }

    /// Behind everything under a key.
    pub(super) const fn last_of(key: Key) -> Self {
        Self {
            key,
            kind: u16::MAX,
            slot: [u8::MAX; 32],
        }
    }
}

impl Item {
    /// What it is charged: the bytes that it keeps alive beside its [`ENTRY_OVERHEAD`].
    pub(super) fn charged(&self) -> u64 {
        let bytes = match self {
            Self::Record(kept) => kept.record.body.as_bytes().len(),
            Self::Tombstone(_) => 0,
            // The encoding is at least as long as the host names, the only other heap bytes.
            Self::Provider(contact) => {
                codec::encode(contact).len() + contact.addresses.len() * size_of::<Address>()
            }
        };
        ENTRY_OVERHEAD + bytes as u64
    }
}

impl Entry {
    /// The record, unless it ended.
    pub(super) fn live_record(&self, now: Micros) -> Option<&Kept> {
        match &self.item {
            Item::Record(kept) if now < self.expires => Some(kept),
            _ => None,
        }
    }

    /// What stays of it at its end, and for how long.
    pub(super) fn remains(&self) -> Option<(Version, Micros)> {
        match &self.item {
            Item::Record(kept) if kept.kind.eviction == Eviction::EarlierVersion => {
                Some((kept.version, self.expires + super::REMEMBERED))
            }
            _ => None,
        }
    }
}

impl Shelf {
    pub(super) const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(super) fn get(&self, place: &Place) -> Option<&Entry> {
        self.entries.get(place)
    }

    pub(super) fn get_mut(&mut self, place: &Place) -> Option<&mut Entry> {
        self.entries.get_mut(place)
    }

    pub(super) fn range(
        &self,
        places: impl RangeBounds<Place>,
    ) -> impl Iterator<Item = (&Place, &Entry)> {
        self.entries.range(places)
    }

    /// Keeps an item in place of what is there, as what its account stored last.
    pub(super) fn insert(&mut self, place: Place, account: Account, item: Item, expires: Micros) {
        self.remove(&place);
        let charge = self.ledger.charge(account, item.charged(), place);
        self.tombstones += usize::from(matches!(item, Item::Tombstone(_)));
        self.by_end.insert((expires, place));
        let entry = Entry {
            item,
            expires,
            charge,
        };
        self.entries.insert(place, entry);
    }

    pub(super) fn remove(&mut self, place: &Place) -> Option<Entry> {
        let entry = self.entries.remove(place)?;
        self.by_end.remove(&(entry.expires, *place));
        self.ledger.release(&entry.charge);
        let tombstones = usize::from(matches!(entry.item, Item::Tombstone(_)));
        self.tombstones = self.tombstones.saturating_sub(tombstones);
        Some(entry)
    }

    /// Moves an entry to the end of its account's order, and its own end to `expires` if that is
    /// later.
    pub(super) fn renew(&mut self, place: &Place, expires: Micros) {
        if let Some(entry) = self.remove(place) {
            let account = entry.charge.account;
            self.insert(*place, account, entry.item, entry.expires.max(expires));
        }
    }

    /// Takes out an entry that ended, the one that ended first.
    pub(super) fn pop_ended(&mut self, now: Micros) -> Option<(Place, Entry)> {
        let (end, place) = *self.by_end.first()?;
        if now < end {
            return None;
        }
        self.remove(&place).map(|entry| (place, entry))
    }

    pub(super) fn next_end(&self) -> Option<Micros> {
        self.by_end.first().map(|(end, _)| *end)
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len().saturating_sub(self.tombstones)
    }

    pub(super) const fn tombstones(&self) -> usize {
        self.tombstones
    }
}
