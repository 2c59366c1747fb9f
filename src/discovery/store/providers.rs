//! Who provides a key.

use std::time::Duration;

use rand_core::Rng;

use super::entry::{Entry, Item, Place};
use super::ledger::{Account, Network};
use super::{Holder, RecordStore};
use crate::discovery::Key;
use crate::discovery::record::PROVIDER;
use crate::identity::PeerId;
use crate::policy::Micros;
use crate::wire::message::discovery::{Contact, StoreOutcome};

/// Providers of one key from one IP group, where addresses are globally routable: with 256 places a
/// key, 64 networks are needed to hold them all, and random replacement takes them away again.
pub const PROVIDERS_PER_GROUP: usize = 4;

impl RecordStore {
    /// Notes that `holder` provides `key` from now on for `lifetime`; zero takes it back. Only the
    /// peer itself says so, over its own connection; `contact` is what others are told of it.
    ///
    /// A newcomer takes the place of any other provider, all equally likely, when the key has as
    /// many as its kind allows; of any other of its IP group, when that has its share of the key: who
    /// comes early, or often, locks nobody out. [`StoreOutcome::Full`] if it does not fit; [`StoreOutcome::Invalid`] if `contact` is another peer's or the lifetime
    /// too long.
    pub fn provide<R: Rng + ?Sized>(
        &mut self,
        now: Micros,
        holder: &Holder,
        contact: Contact,
        key: Key,
        lifetime: Duration,
        rng: &mut R,
    ) -> StoreOutcome {
        if contact.peer != holder.peer || lifetime > PROVIDER.max_lifetime {
            return StoreOutcome::Invalid;
        }
        self.expire(now);
        let place = Place::of_provider(key, holder.peer);
        if lifetime.is_zero() {
            self.shelf.remove(&place);
            return StoreOutcome::Stored;
        }
        let account = Account::of(holder);
        let item = Item::Provider(contact);
        let replaced = self.replaced_by(&place, &account, rng);
        if !self.make_room(account, item.charged(), replaced) {
            return StoreOutcome::Full;
        }
        self.shelf.insert(place, account, item, now + lifetime);
        StoreOutcome::Stored
    }

    /// At most `max` providers of a key, drawn at random if there are more.
    pub fn providers<R: Rng + ?Sized>(
        &self,
        key: &Key,
        now: Micros,
        rng: &mut R,
        max: usize,
    ) -> Vec<Contact> {
        let mut live: Vec<&Contact> = self
            .places_of(key)
            .filter_map(|(_, entry)| match &entry.item {
                Item::Provider(contact) if now < entry.expires => Some(contact),
                _ => None,
            })
            .collect();
        let wanted = max.min(live.len());
        for position in 0..wanted {
            let drawn = position + below(live.len() - position, rng);
            live.swap(position, drawn);
        }
        live.into_iter().take(wanted).cloned().collect()
    }

    /// Whose place a provider takes: its own, that of any of its IP group when the group has its share,
    /// or that of any other when all are taken.
    fn replaced_by<R: Rng + ?Sized>(
        &self,
        place: &Place,
        account: &Account,
        rng: &mut R,
    ) -> Option<Place> {
        if self.shelf.get(place).is_some() {
            return Some(*place);
        }
        let is_local = matches!(account.network, Network::Local(_));
        let all = || self.places_of(&place.key);
        let of_group =
            || all().filter(|(_, entry)| entry.charge.account.network == account.network);
        let group = of_group().count();
        if !is_local && group >= PROVIDERS_PER_GROUP {
            let drawn = below(group, rng);
            return of_group().nth(drawn).map(|(other, _)| *other);
        }
        let count = all().count();
        if count < PROVIDER.slots {
            return None;
        }
        let drawn = below(count, rng);
        all().nth(drawn).map(|(other, _)| *other)
    }

    fn places_of(&self, key: &Key) -> impl Iterator<Item = (&Place, &Entry)> {
        let first = Place::of_provider(*key, PeerId::from_bytes([0; 32]));
        let last = Place::of_provider(*key, PeerId::from_bytes([u8::MAX; 32]));
        self.shelf.range(first..=last)
    }
}

/// A number below `count`, all (but for 2^-32 of bias) equally likely; 0 if there is none.
fn below<R: Rng + ?Sized>(count: usize, rng: &mut R) -> usize {
    let drawn = (u64::from(rng.next_u32()) * count as u64) >> 32;
    usize::try_from(drawn).unwrap_or(0)
}
