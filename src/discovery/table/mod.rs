//! The routing table.

mod bucket;
mod groups;
mod overview;
mod places;
#[cfg(test)]
mod tests;

use std::time::Duration;

use rand_core::Rng;

use super::config::K;
use super::{Density, Distance, Key, Scope};
use crate::identity::PeerId;
use crate::policy::Micros;
use crate::wire::message::discovery::Contact;

use bucket::{Bucket, Entry};
use groups::Groups;
pub use groups::{MAX_GROUP_IN_BUCKET, MAX_GROUP_IN_TABLE};
pub use overview::Overview;
use places::{Places, Spread};

/// A full bucket asks its least recently seen node for a sign of life if it was not seen for this
/// long: a newcomer never costs more than one probe a minute and bucket.
const PROBE_AFTER: Duration = Duration::from_secs(60);

/// Nodes near this one, more of them the nearer: one bucket of [`K`] for each length of the prefix
/// that they share with it, and beside them all who live in its neighbourhood.
///
/// Among the others of a bucket no part of its range has much more than its share: whoever fills one part
/// leaves the rest open, and with it the way around.
///
/// Every node in it has answered this node at least once. A node leaves only after it failed twice,
/// or at the order of its owner; that a connection with it ended, or that a newcomer would like its
/// place, never removes it. While its last request failed it is not told to others.
#[derive(Debug, Clone)]
pub struct RoutingTable {
    local: Key,
    is_public: bool,
    /// By length of the common prefix.
    buckets: Vec<Bucket>,
    groups: Groups,
    spread: Spread,
    len: usize,
    /// Those that waited and have a place now.
    followed: Vec<PeerId>,
}

/// What became of a node that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entered {
    /// It was in the table.
    Known,
    /// It is now.
    Added,
    /// Its bucket is full: it waits for a place. This node, the least recently seen of the bucket,
    /// should be probed, if any.
    Waiting(Option<Contact>),
    /// It is not taken.
    Refused(NoEntry),
}

/// Why a node is not taken into the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoEntry {
    /// This node itself.
    Local,
    /// It has no address that this node could use.
    NoAddress,
    /// Its network has its share of the bucket or the table.
    Group,
    /// More nodes share its prefix than chance brings together.
    Density,
}

/// One entry as others may look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableEntry {
    /// Who and where.
    pub contact: Contact,
    /// When it last answered.
    pub last_seen: Micros,
    /// Requests in a row that failed.
    pub failures: u8,
    /// Smoothed round-trip time, if any was measured.
    pub rtt: Option<Duration>,
    /// Bits that its key shares with this node's: its bucket.
    pub bucket: u32,
}

impl RoutingTable {
    /// An empty table of the node at `local`.
    #[must_use]
    pub fn new(local: Key) -> Self {
        Self {
            local,
            is_public: false,
            buckets: Vec::new(),
            groups: Groups::new(),
            spread: Spread::new(),
            len: 0,
            followed: Vec::new(),
        }
    }

    /// Whether this node has a public address: then it keeps no private ones of others.
    pub fn set_public(&mut self, is_public: bool, density: &Density) {
        self.is_public = is_public;
        if !is_public {
            return;
        }
        for entry in self.buckets.iter_mut().flat_map(Bucket::all_mut) {
            // What is hidden has no IP group: nothing is counted anew.
            Scope::Public.hide_others(&mut entry.contact);
        }
        let useless = |entry: &Entry| entry.contact.addresses.is_empty();
        let buckets = self.buckets.iter();
        let gone: Vec<_> = buckets
            .flat_map(|bucket| bucket.all().filter(|entry| useless(entry)))
            .map(|entry| entry.contact.peer)
            .collect();
        for peer in gone {
            self.remove(&peer, density);
        }
    }

    /// A node answered a request of this node after `rtt`, if that was measured.
    pub fn answered(
        &mut self,
        now: Micros,
        contact: &Contact,
        rtt: Option<Duration>,
        density: &Density,
    ) -> Entered {
        let key = Key::from(contact.peer);
        if key == self.local {
            return Entered::Refused(NoEntry::Local);
        }
        let bits = self.local.common_prefix(&key);
        let index = bits as usize;
        if self.buckets.len() <= index {
            self.buckets.resize_with(index + 1, Bucket::default);
        }
        let Some(bucket) = self.buckets.get_mut(index) else {
            return Entered::Refused(NoEntry::Local);
        };
        if let Some(entry) = bucket.find_mut(&contact.peer) {
            entry.seen(now, rtt);
            return Entered::Known;
        }
        let Some(contact) = usable(contact, self.is_public) else {
            return Entered::Refused(NoEntry::NoAddress);
        };
        // Those that wait count, too: ten of one network would keep all others from waiting, and may not follow.
        let others = bucket.all().map(|entry| &entry.contact);
        let others = others.filter(|one| one.peer != contact.peer);
        if !self.groups.has_room(&contact, others) {
            return Entered::Refused(NoEntry::Group);
        }
        let places = Places::new(&self.local, &self.spread, density);
        if places.is_crowd(bucket, &key) {
            return Entered::Refused(NoEntry::Density);
        }
        let mut entry = Entry::new(now, contact);
        entry.seen(now, rtt);
        if places.has_place(bucket, &key) {
            self.groups.add(&entry.contact);
            bucket.push(entry);
            self.len += 1;
            return Entered::Added;
        }
        bucket.wait(entry);
        Entered::Waiting(bucket.to_probe(now, PROBE_AFTER))
    }

    /// A node told where else it is. It stays where it was if its new network has its share.
    pub fn moved(&mut self, contact: &Contact) {
        let Some(contact) = usable(contact, self.is_public) else {
            return;
        };
        let index = self.index(&contact.peer);
        let Some(bucket) = self.buckets.get_mut(index) else {
            return;
        };
        let Some(former) = bucket
            .find(&contact.peer)
            .map(|entry| entry.contact.clone())
        else {
            return;
        };
        if former.addresses == contact.addresses {
            return;
        }
        self.groups.remove(&former);
        let others = bucket.contacts().filter(|one| one.peer != contact.peer);
        let is_taken = self.groups.has_room(&contact, others);
        let contact = if is_taken { contact } else { former };
        self.groups.add(&contact);
        if let Some(entry) = bucket.find_mut(&contact.peer) {
            entry.moved(contact);
        }
    }

    /// A node is late: it is told to nobody until it answers again. Whether it is in the table, and
    /// should be asked once more.
    pub fn doubted(&mut self, peer: &PeerId) -> bool {
        let Some(entry) = self.entry_mut(peer) else {
            return false;
        };
        entry.failures = entry.failures.max(1);
        true
    }

    /// A node did not answer. After the second time in a row it is replaced by one that waits, if
    /// any does, and dropped. Says whether it should be asked once more.
    pub fn failed(&mut self, peer: &PeerId, density: &Density) -> bool {
        let Some(entry) = self.entry_mut(peer) else {
            return false;
        };
        entry.failures = entry.failures.saturating_add(1);
        if entry.failures < 2 {
            return true;
        }
        self.remove(peer, density);
        false
    }

    /// Takes a node out: it belongs to another network, or misbehaved. The newest that waits, and for which
    /// this makes a place, follows.
    pub fn remove(&mut self, peer: &PeerId, density: &Density) -> bool {
        let index = self.index(peer);
        let Some(bucket) = self.buckets.get_mut(index) else {
            return false;
        };
        bucket.forget_waiting(peer);
        let Some(gone) = bucket.remove(peer) else {
            return false;
        };
        self.groups.remove(&gone.contact);
        self.len -= 1;
        let places = Places::new(&self.local, &self.spread, density);
        let (groups, held) = (&self.groups, &*bucket);
        let follows = held.newest_waiting(|next| {
            let key = next.contact.peer.into();
            groups.has_room(&next.contact, held.contacts())
                && places.has_place(held, &key)
                && !places.is_uneven(held, &key)
        });
        if let Some(next) = follows.and_then(|peer| bucket.take_waiting(&peer)) {
            self.groups.add(&next.contact);
            self.followed.push(next.contact.peer);
            bucket.push(next);
            self.len += 1;
        }
        true
    }

    /// Those that took the place of another since the last call.
    pub fn take_followed(&mut self) -> Vec<PeerId> {
        std::mem::take(&mut self.followed)
    }

    /// Whether a node that is not in the table could be of use to it: whether its bucket, or the
    /// list of those that wait for it, has room, and it stands in no crowd.
    #[must_use]
    pub fn wants(&self, peer: &PeerId, density: &Density) -> bool {
        let Some(bucket) = self.buckets.get(self.index(peer)) else {
            return true;
        };
        let key = Key::from(*peer);
        let places = Places::new(&self.local, &self.spread, density);
        let has_place = || places.has_place(bucket, &key) || bucket.lets_wait();
        bucket.find(peer).is_none() && has_place() && !places.is_crowd(bucket, &key)
    }

    /// Whether a node is in the table.
    #[must_use]
    pub fn contains(&self, peer: &PeerId) -> bool {
        self.entry(peer).is_some()
    }

    /// Where a node of the table is.
    #[must_use]
    pub fn contact(&self, peer: &PeerId) -> Option<&Contact> {
        Some(&self.entry(peer)?.contact)
    }

    /// The smoothed round-trip time to a node.
    #[must_use]
    pub fn rtt(&self, peer: &PeerId) -> Option<Duration> {
        self.entry(peer)?.rtt()
    }

    /// The nodes nearest to `target` that a lookup starts from, nearest first. Those whose last
    /// request failed are left out unless there are no others.
    #[must_use]
    pub fn seeds(&self, target: &Key, count: usize) -> Vec<Contact> {
        let contact = |(_, entry): (Distance, &Entry)| entry.contact.clone();
        let sound = self.by_distance(target, |entry| entry.failures == 0);
        let seeds: Vec<_> = sound.take(count).map(contact).collect();
        if !seeds.is_empty() {
            return seeds;
        }
        let all = self.by_distance(target, |_| true);
        all.take(count).map(contact).collect()
    }

    /// What is told to somebody about the surroundings of `target`: nodes that answer, with the
    /// addresses that are its business, within the density quota, nearest first.
    #[must_use]
    pub fn reply(
        &self,
        target: &Key,
        count: usize,
        (asker, scope): (&PeerId, Scope),
        density: &Density,
    ) -> Vec<Contact> {
        let is_told = |entry: &Entry| {
            let is_its_business = scope == Scope::Local || entry.is_public;
            entry.failures == 0 && is_its_business && entry.contact.peer != *asker
        };
        let mut accepted = Vec::with_capacity(count);
        let mut told = Vec::with_capacity(count);
        for (distance, entry) in self.by_distance(target, is_told) {
            if told.len() >= count {
                break;
            }
            if !density.is_over(&accepted, &distance) {
                accepted.push(distance);
                told.push(entry.told(scope));
            }
        }
        told
    }

    /// The places of all nodes, to be compared with many keys.
    #[must_use]
    pub fn overview(&self) -> Overview {
        let entries = self.buckets.iter().flat_map(Bucket::entries);
        Overview::of(entries.map(|entry| &entry.contact.peer))
    }

    /// Distance of the `k`-th nearest node to this one.
    #[must_use]
    pub fn neighbourhood(&self) -> Option<Distance> {
        let mut nearest = self.by_distance(&self.local, |_| true);
        nearest.nth(K - 1).map(|(distance, _)| distance)
    }

    /// A random target in each bucket, up to the one of the nearest neighbour, that no lookup went
    /// through for `age`. They count as looked up from now on.
    pub fn refresh<R: Rng + ?Sized>(
        &mut self,
        now: Micros,
        age: Duration,
        rng: &mut R,
    ) -> Vec<Key> {
        let deepest = self.buckets.iter().rposition(|bucket| bucket.len() > 0);
        let Some(deepest) = deepest else {
            return Vec::new();
        };
        let mut targets = Vec::new();
        for (bits, bucket) in (0..).zip(&mut self.buckets).take(deepest) {
            if bucket.is_stale(now, age) {
                bucket.looked_up(now);
                let sibling = self.local.with_flipped_bit(bits);
                targets.push(sibling.random_with_prefix(bits + 1, rng));
            }
        }
        targets
    }

    /// A lookup went towards `target`.
    pub fn looked_up(&mut self, now: Micros, target: &Key) {
        let index = self.local.common_prefix(target) as usize;
        if let Some(bucket) = self.buckets.get_mut(index) {
            bucket.looked_up(now);
        }
    }

    /// Nodes that failed once, or did not answer for `age`: they are asked again.
    #[must_use]
    pub fn doubtful(&self, now: Micros, age: Duration) -> Vec<Contact> {
        let all = self.buckets.iter().flat_map(Bucket::entries);
        let doubtful = all.filter(|one| one.failures > 0 || now.since(one.last_seen) > age);
        doubtful.map(|entry| entry.contact.clone()).collect()
    }

    /// All nodes, by bucket.
    pub fn iter(&self) -> impl Iterator<Item = TableEntry> + '_ {
        let buckets = (0..).zip(&self.buckets);
        buckets.flat_map(|(bits, bucket)| bucket.entries().map(move |entry| entry.show(bits)))
    }

    /// Nodes in the table.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The nodes that `take` accepts, nearest to `target` first; buckets that are not reached are not
    /// looked at.
    ///
    /// Where `target` differs from this node in bit `i`, bucket `i` shares that bit with `target` and
    /// all deeper buckets do not, so that it is nearer than any of them; where it does not differ, it
    /// is farther than all of them.
    fn by_distance<'a>(
        &'a self,
        target: &'a Key,
        take: impl Fn(&Entry) -> bool + 'a,
    ) -> impl Iterator<Item = (Distance, &'a Entry)> + 'a {
        let differs = self.local.distance(target);
        let buckets = 0..self.buckets.len();
        let nearer = buckets.clone().filter(move |bit| differs.bit(*bit));
        let farther = buckets.rev().filter(move |bit| !differs.bit(*bit));
        let order = nearer.chain(farther);
        let buckets = order.filter_map(|bit| self.buckets.get(bit));
        buckets.flat_map(move |bucket| {
            let entries = bucket.entries().filter(|entry| take(entry));
            let mut entries: Vec<_> = entries
                .map(|entry| (target.distance(&entry.contact.peer.into()), entry))
                .collect();
            entries.sort_unstable_by_key(|(distance, _)| *distance);
            entries
        })
    }

    fn index(&self, peer: &PeerId) -> usize {
        self.local.common_prefix(&Key::from(*peer)) as usize
    }

    fn entry(&self, peer: &PeerId) -> Option<&Entry> {
        self.buckets.get(self.index(peer))?.find(peer)
    }

    fn entry_mut(&mut self, peer: &PeerId) -> Option<&mut Entry> {
        let index = self.index(peer);
        self.buckets.get_mut(index)?.find_mut(peer)
    }
}

/// The contact with the addresses that this node can use; `None` if there are none.
fn usable(contact: &Contact, is_public: bool) -> Option<Contact> {
    let mut contact = contact.clone();
    if is_public {
        Scope::Public.hide_others(&mut contact);
    }
    (!contact.addresses.is_empty()).then_some(contact)
}
