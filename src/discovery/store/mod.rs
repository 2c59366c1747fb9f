//! The records that a node holds for others, within a budget and without favour.
//!
//! *Versions.* The higher [`Version`](super::record::Version) stays. When a record that has versions
//! ends, its last version is remembered as a tombstone for as long as an earlier one could still be
//! valid, so that nobody can roll it back.
//!
//! *Fairness.* Each entry is charged to the peer that brought it and to that peer's IP group
//! (an address that is not globally routable is a group of its own a peer). When the budget is
//! full, the largest group, and in it the largest peer, gives up the entry that was stored or
//! refreshed the longest ago; a newcomer that would be the largest itself is refused. A flood
//! therefore displaces nothing but itself.
//!
//! *Bounds.* Every entry, tombstones included, is charged at least [`ENTRY_OVERHEAD`], so that the
//! budget bounds their number, too.

mod config;
mod entry;
mod ledger;
mod providers;

#[cfg(test)]
mod tests;

use std::ops::Bound;
use std::time::Duration;

use bytes::Bytes;

use self::entry::{Entry, Item, Kept, Place, Shelf};
use self::ledger::Account;
use super::Key;
use super::record::{Checked, Eviction, Kind, MAX_CLOCK_SKEW, MUTABLE, wire_record};
use crate::identity::PeerId;
use crate::policy::{IpGroup, Micros};
use crate::wire::message::discovery::{Record, StoreOutcome};

pub use config::{StoreConfig, StoreConfigError};
pub use providers::PROVIDERS_PER_GROUP;

/// What an entry is charged beside its bytes. The trees that list it by place, by end and by account
/// hold 500 bytes of it, those that count holders 280 bytes if its holder has no other entry and no
/// neighbour in its group. A tree that grows in order is 55 % full, which makes 1 400 bytes; the
/// rest is for inner nodes and the allocator. 100 000 entries of eight bytes made the process grow by
/// 1 510 bytes each at worst, by 960 when 50 holders shared them.
pub const ENTRY_OVERHEAD: u64 = 1_536;

/// How long the version of a record that ended is remembered. Its owner made an earlier version
/// before it, and so before its end: the earlier one ends at most a lifetime later. In between our
/// wall clock, against which it is held, may have been set back by as much as clocks differ.
pub const REMEMBERED: Duration = MUTABLE.max_lifetime.saturating_add(MAX_CLOCK_SKEW);

/// Who brings a record, and so is charged for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// The peer at the other end of the connection; the node itself for what it publishes.
    pub peer: PeerId,
    /// The group of the address that it is connected from.
    pub group: IpGroup,
}

/// What would become of a record; known before its signature is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// It would be kept: its signature is worth the verification.
    Store,
    /// The same bytes are held already: no signature has to be verified.
    Refresh,
    /// The same or a later version is held, or is remembered.
    Superseded,
    /// It has no room.
    Full,
}

/// A record that is held, as hand-off and repair want it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRecord {
    /// Where it belongs.
    pub key: Key,
    /// When a STORE of it last came, or when it was last given to others.
    pub last_stored: Micros,
    /// The record, its kind included.
    pub record: Record,
}

/// The records, tombstones and providers that a node holds for others.
///
/// Time is the monotonic clock and must not go back. An entry whose end has come is never given out,
/// whether or not [`expire`](Self::expire) was called; it is called by whatever adds an entry, and
/// otherwise belongs at [`next_expiry`](Self::next_expiry).
#[derive(Debug, Clone)]
pub struct RecordStore {
    config: StoreConfig,
    shelf: Shelf,
}

impl RecordStore {
    /// An empty store. The configuration is one that [`StoreConfig::validate`] accepts.
    #[must_use]
    pub fn new(config: StoreConfig) -> Self {
        Self {
            config,
            shelf: Shelf::default(),
        }
    }

    /// What [`put`](Self::put) would do with a record; for kinds with one slot a key. A kind with
    /// more has no room here: it has a way of its own, [`provide`](Self::provide).
    #[must_use]
    pub fn judge(
        &self,
        now: Micros,
        holder: &Holder,
        kind: &'static Kind,
        checked: &Checked,
    ) -> Judgement {
        if kind.slots != 1 {
            return Judgement::Full;
        }
        let held = self.shelf.get(&Place::of_record(kind.number, checked.key));
        if let Some(judgement) = held.and_then(|entry| compare(entry, now, checked)) {
            return judgement;
        }
        let room = self.shelf.ledger().room(
            &self.config,
            Account::of(holder),
            charged(checked),
            held.map(|entry| &entry.charge),
        );
        match room {
            Some(_) => Judgement::Store,
            None => Judgement::Full,
        }
    }

    /// Keeps a record whose signature, if it has one, was verified; for kinds with one slot a key.
    ///
    /// The body is copied, so that it keeps no message alive. A record that is held already stays
    /// charged to whoever brought it first; the end of one without versions is moved to that of
    /// the newcomer. [`StoreOutcome::Invalid`] for a record that has ended since it was checked, and
    /// [`StoreOutcome::Unsupported`] for a kind with more than one slot.
    pub fn put(
        &mut self,
        now: Micros,
        holder: &Holder,
        kind: &'static Kind,
        checked: &Checked,
    ) -> StoreOutcome {
        if kind.slots != 1 {
            return StoreOutcome::Unsupported;
        }
        if checked.expires <= now {
            return StoreOutcome::Invalid;
        }
        self.expire(now);
        match self.judge(now, holder, kind, checked) {
            Judgement::Superseded => StoreOutcome::Superseded,
            Judgement::Full => StoreOutcome::Full,
            Judgement::Refresh => {
                self.refresh(now, kind, checked);
                StoreOutcome::Stored
            }
            Judgement::Store => self.store(now, holder, kind, checked),
        }
    }

    /// The record of this kind under a key.
    #[must_use]
    pub fn get(&self, kind: u16, key: &Key, now: Micros) -> Option<Record> {
        let entry = self.shelf.get(&Place::of_record(kind, *key))?;
        entry.live_record(now).map(|kept| kept.record.clone())
    }

    /// When a STORE of a record last came, or what [`set_last_stored`](Self::set_last_stored) said.
    #[must_use]
    pub fn last_stored(&self, kind: u16, key: &Key) -> Option<Micros> {
        match &self.shelf.get(&Place::of_record(kind, *key))?.item {
            Item::Record(kept) => Some(kept.last_stored),
            Item::Tombstone(_) | Item::Provider(_) => None,
        }
    }

    /// Notes that a record was given to others at `at`. Says whether it is held.
    pub fn set_last_stored(&mut self, kind: u16, key: &Key, at: Micros) -> bool {
        let entry = self.shelf.get_mut(&Place::of_record(kind, *key));
        let Some(Item::Record(kept)) = entry.map(|entry| &mut entry.item) else {
            return false;
        };
        kept.last_stored = at;
        true
    }

    /// The records that others should hold, too, in the order of keys, behind `after` or from the
    /// first on; never providers, who speak for themselves. No two of them share a key: each kind
    /// derives its keys in its own way.
    pub fn records_after(
        &self,
        after: Option<Key>,
        now: Micros,
    ) -> impl Iterator<Item = HeldRecord> + '_ {
        let start = after.map_or(Bound::Unbounded, |key| Bound::Excluded(Place::last_of(key)));
        self.shelf
            .range((start, Bound::Unbounded))
            .filter_map(move |(place, entry)| {
                let kept = entry.live_record(now)?;
                Some(HeldRecord {
                    key: place.key,
                    last_stored: kept.last_stored,
                    record: kept.record.clone(),
                })
            })
    }

    /// Lets go of what ended by `now`, and of tombstones that nobody needs any more.
    pub fn expire(&mut self, now: Micros) {
        while let Some((place, entry)) = self.shelf.pop_ended(now) {
            if let Some((version, until)) = entry.remains() {
                let account = entry.charge.account;
                self.shelf
                    .insert(place, account, Item::Tombstone(version), until);
            }
        }
    }

    /// When something ends next.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Micros> {
        self.shelf.next_end()
    }

    /// Records and providers held, without tombstones.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shelf.len()
    }

    /// Whether neither a record nor a provider is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Versions that are remembered of records that ended.
    #[must_use]
    pub fn tombstones(&self) -> usize {
        self.shelf.tombstones()
    }

    /// Bytes that count against the budget: bodies, tombstones, providers and their overhead.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.shelf.ledger().bytes()
    }

    fn refresh(&mut self, now: Micros, kind: &'static Kind, checked: &Checked) {
        let place = Place::of_record(kind.number, checked.key);
        // The end of a record with versions is signed: nobody but its owner moves it.
        let expires = match kind.eviction {
            Eviction::EarlierVersion => now,
            Eviction::Never | Eviction::Random => checked.expires,
        };
        self.shelf.renew(&place, expires);
        self.set_last_stored(kind.number, &checked.key, now);
    }

    fn store(
        &mut self,
        now: Micros,
        holder: &Holder,
        kind: &'static Kind,
        checked: &Checked,
    ) -> StoreOutcome {
        let place = Place::of_record(kind.number, checked.key);
        let account = Account::of(holder);
        if !self.make_room(account, charged(checked), Some(place)) {
            return StoreOutcome::Full;
        }
        let item = Item::Record(Kept {
            kind,
            version: checked.version,
            last_stored: now,
            record: wire_record(kind, Bytes::copy_from_slice(&checked.body)),
        });
        self.shelf.insert(place, account, item, checked.expires);
        StoreOutcome::Stored
    }

    /// Makes room for a newcomer, in place of `replaced` if that is held. Nothing changes if it does
    /// not fit.
    fn make_room(&mut self, account: Account, bytes: u64, replaced: Option<Place>) -> bool {
        let charge = replaced.and_then(|place| self.shelf.get(&place).map(|entry| entry.charge));
        let ledger = self.shelf.ledger();
        let Some(from) = ledger.room(&self.config, account, bytes, charge.as_ref()) else {
            return false;
        };
        if let Some(place) = replaced {
            self.shelf.remove(&place);
        }
        while self.shelf.ledger().is_short(&self.config, account, bytes) {
            let Some(victim) = self.shelf.ledger().first_to_go(from) else {
                return false;
            };
            self.shelf.remove(&victim);
        }
        true
    }
}

/// What follows from the entry that is there: nothing if the newcomer may take its place.
fn compare(entry: &Entry, now: Micros, checked: &Checked) -> Option<Judgement> {
    let (version, until) = match &entry.item {
        Item::Record(kept) if now < entry.expires => {
            if *kept.record.body.as_bytes() == checked.body {
                return Some(Judgement::Refresh);
            }
            (kept.version, entry.expires)
        }
        Item::Record(_) => entry.remains()?,
        Item::Tombstone(version) => (*version, entry.expires),
        Item::Provider(_) => return None,
    };
    (now < until && checked.version <= version).then_some(Judgement::Superseded)
}

/// What a record will be charged.
fn charged(checked: &Checked) -> u64 {
    ENTRY_OVERHEAD + checked.body.len() as u64
}
