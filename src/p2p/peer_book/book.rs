use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use rand_core::Rng;
use thiserror::Error;

use super::addresses::AddressSource;
use super::entry::{PeerEntry, Standing, TagError};
use crate::identity::PeerId;
use crate::policy::Micros;
use crate::wire::Address;
use crate::wire::message::identify::Identify;

/// Peers remembered. With eight addresses each about 15 MiB; a lookup in a network of a million meets
/// fewer in an hour.
pub const MAX_PEERS_REMEMBERED: usize = 16_384;

/// Why an address was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AddError {
    /// Port zero, or a host to which nobody can send.
    #[error("no packet can be sent to the address")]
    NotDialable,
    /// The address names another peer.
    #[error("the address belongs to another peer")]
    OtherPeer,
    /// The address is private and this node has a public one.
    #[error("a private address is of no use to a public node")]
    Private,
    /// The peer has better addresses.
    #[error("the peer has enough better addresses")]
    TooManyAddresses,
    /// The book is full of better peers.
    #[error("the book is full of better peers")]
    Full,
}

/// Who is told an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Audience {
    /// A peer that came from a globally routable address, or through a relay.
    Public,
    /// A peer on the same private network.
    Local,
}

/// The memory of peers, at most [`MAX_PEERS_REMEMBERED`].
///
/// *Eviction.* Connected and configured peers stay. Of the others go first those that were never
/// reached and whose dials failed, then those never tried, then those that only came to us, then
/// those that a dial of ours reached once and that fail now, last those that one reached and that
/// have not failed since; within a class the one seen least recently (or entered first, if it never
/// was), then the smaller `PeerId`. A newcomer of a class below that of the first to go is refused,
/// so that no flood of invented peers pushes out proven ones.
///
/// *Private addresses* (not globally routable) are kept only while this node has no public address,
/// except configured ones, and told only to local peers.
///
/// Nothing in here is shared with reputation: no dial that fails lowers a score.
#[derive(Debug, Clone, Default)]
pub struct PeerBook {
    /// Boxed: a node of the tree is never full, and an empty slot then costs a pointer.
    entries: BTreeMap<PeerId, Box<PeerEntry>>,
    /// Who may be evicted, the first first.
    evictable: BTreeSet<EvictionKey>,
    is_public: bool,
}

type EvictionKey = (Standing, Micros, PeerId);

impl PeerBook {
    /// An empty book of a node without a public address.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether this node has a public address. When it gets one, private addresses of others are
    /// forgotten, and with them peers that have no other address and are not connected.
    pub fn set_public(&mut self, is_public: bool) {
        self.is_public = is_public;
        if !is_public {
            return;
        }
        let peers: Vec<PeerId> = self.entries.keys().copied().collect();
        for peer in peers {
            self.change(peer, |entry| {
                entry
                    .addresses
                    .retain(|record| record.is_configured() || record.is_globally_routable())
            });
            let is_useless = |entry: &PeerEntry| !entry.connected && entry.addresses.len() == 0;
            if self.get(&peer).is_some_and(is_useless) {
                self.remove(&peer);
            }
        }
    }

    /// Notes an address of a peer.
    ///
    /// # Errors
    /// [`AddError`]; nothing changes then.
    pub fn add_address(
        &mut self,
        now: Micros,
        peer: PeerId,
        address: &Address,
        source: AddressSource,
    ) -> Result<(), AddError> {
        if !address.is_dialable() {
            return Err(AddError::NotDialable);
        }
        if address.peer_id().is_some_and(|named| named != peer) {
            return Err(AddError::OtherPeer);
        }
        let is_kept = !self.is_public || source == AddressSource::Configured;
        if !is_kept && !address.is_globally_routable() {
            return Err(AddError::Private);
        }
        let newcomer = (source != AddressSource::Configured).then_some(Standing::Untried);
        self.admit(now, peer, newcomer)?;
        let added = self.change(peer, |entry| entry.addresses.add(now, address, source));
        if added == Some(true) {
            Ok(())
        } else {
            Err(AddError::TooManyAddresses)
        }
    }

    /// A connection with the peer is confirmed. An unknown peer is entered.
    ///
    /// # Errors
    /// [`AddError::Full`] when all peers of the book are connected or configured.
    pub fn connected(&mut self, now: Micros, peer: PeerId) -> Result<(), AddError> {
        self.admit(now, peer, None)?;
        self.change(peer, |entry| {
            entry.connected = true;
            entry.see(now);
        });
        Ok(())
    }

    /// A confirmed direct connection with the peer leads to this IP address.
    pub fn seen_at(&mut self, peer: PeerId, ip: IpAddr) {
        self.change(peer, |entry| entry.see_at(ip));
    }

    /// The last connection with the peer is gone.
    pub fn disconnected(&mut self, now: Micros, peer: PeerId) {
        self.change(peer, |entry| {
            entry.connected = false;
            entry.see(now);
        });
    }

    /// The peer introduced itself on a confirmed connection. Its addresses are added as
    /// [`AddressSource::Identified`] as far as they are usable.
    pub fn identified(&mut self, now: Micros, peer: PeerId, identify: &Identify) {
        self.change(peer, |entry| entry.identified(identify));
        if self.entries.contains_key(&peer) {
            for address in &*identify.listen_addresses {
                _ = self.add_address(now, peer, address, AddressSource::Identified);
            }
        }
    }

    /// A ping was answered after `rtt`.
    pub fn measured(&mut self, now: Micros, peer: PeerId, rtt: Duration) {
        self.change(peer, |entry| {
            entry.rtt = Some(rtt);
            entry.see(now);
        });
    }

    /// A dial to this address reached the peer. An unknown address is entered as
    /// [`AddressSource::Dialled`], if it is usable.
    pub fn dial_succeeded(&mut self, now: Micros, peer: PeerId, address: &Address) {
        _ = self.add_address(now, peer, address, AddressSource::Dialled);
        self.change(peer, |entry| entry.addresses.succeeded(now, address));
    }

    /// A dial to this address failed: it waits, longer each time.
    pub fn dial_failed<R: Rng + ?Sized>(
        &mut self,
        now: Micros,
        peer: PeerId,
        address: &Address,
        rng: &mut R,
    ) {
        self.change(peer, |entry| entry.addresses.failed(now, address, rng));
    }

    /// Where to dial now, in this order: what worked last first, then what was never tried by the
    /// trust in its source, then what failed least. Addresses that wait after a failure are left out.
    #[must_use]
    pub fn addresses_for_dial(&self, now: Micros, peer: &PeerId) -> Vec<Address> {
        self.entries
            .get(peer)
            .map(|entry| entry.addresses_for_dial(now))
            .unwrap_or_default()
    }

    /// When the first address of the peer may be dialled, `None` if it has none.
    #[must_use]
    pub fn next_dial_at(&self, peer: &PeerId) -> Option<Micros> {
        self.entries.get(peer)?.addresses.next_retry()
    }

    /// Where others may be sent to reach the peer, the best first, at most
    /// [`MAX_ADDRESSES_TOLD`](super::MAX_ADDRESSES_TOLD): what
    /// a dial of ours reached; and what the peer itself named, if a direct connection with it leads to
    /// the same IP address, or if it is behind a relay. Whatever else the peer names may be a victim's
    /// address that it wants us to spread. No DNS names, since their owner can point them anywhere, and
    /// to public peers nothing private.
    #[must_use]
    pub fn addresses_to_tell(&self, peer: &PeerId, audience: Audience) -> Vec<Address> {
        self.entries
            .get(peer)
            .map(|entry| entry.addresses_to_tell(audience))
            .unwrap_or_default()
    }

    /// What is known of a peer.
    #[must_use]
    pub fn get(&self, peer: &PeerId) -> Option<&PeerEntry> {
        self.entries.get(peer).map(Box::as_ref)
    }

    /// All peers, by `PeerId`.
    pub fn iter(&self) -> impl Iterator<Item = (PeerId, &PeerEntry)> {
        self.entries
            .iter()
            .map(|(peer, entry)| (*peer, entry.as_ref()))
    }

    /// Forgets a peer, whatever it is. Says whether it was there.
    pub fn remove(&mut self, peer: &PeerId) -> bool {
        let Some(entry) = self.entries.remove(peer) else {
            return false;
        };
        self.evictable.remove(&eviction_key(*peer, &entry));
        true
    }

    /// Sets a tag of the application.
    ///
    /// # Errors
    /// [`TagError`]; nothing changes then.
    pub fn set_tag(&mut self, peer: PeerId, key: &str, value: &[u8]) -> Result<(), TagError> {
        let entry = self.entries.get_mut(&peer).ok_or(TagError::UnknownPeer)?;
        entry.set_tag(key, value)
    }

    /// Removes a tag of the application. Says whether it was there.
    pub fn remove_tag(&mut self, peer: &PeerId, key: &str) -> bool {
        self.entries
            .get_mut(peer)
            .is_some_and(|entry| entry.tags.remove(key).is_some())
    }

    /// Peers in the book.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the book is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    #[cfg(test)]
    pub(super) fn evictable_peers(&self) -> Vec<PeerId> {
        self.evictable.iter().map(|(_, _, peer)| *peer).collect()
    }

    /// Enters a peer that is not in the book. `None` as its standing: it will be protected.
    fn admit(
        &mut self,
        now: Micros,
        peer: PeerId,
        newcomer: Option<Standing>,
    ) -> Result<(), AddError> {
        if self.entries.contains_key(&peer) {
            return Ok(());
        }
        if self.entries.len() >= MAX_PEERS_REMEMBERED {
            let &(standing, _, first) = self.evictable.first().ok_or(AddError::Full)?;
            if newcomer.is_some_and(|newcomer| newcomer < standing) {
                return Err(AddError::Full);
            }
            self.remove(&first);
        }
        let entry = PeerEntry::new(now, peer);
        self.evictable.insert(eviction_key(peer, &entry));
        self.entries.insert(peer, Box::new(entry));
        Ok(())
    }

    /// Changes an entry and its place in the order of eviction.
    fn change<T>(&mut self, peer: PeerId, change: impl FnOnce(&mut PeerEntry) -> T) -> Option<T> {
        let entry = self.entries.get_mut(&peer)?;
        self.evictable.remove(&eviction_key(peer, entry));
        let result = change(entry);
        if !entry.is_protected() {
            self.evictable.insert(eviction_key(peer, entry));
        }
        Some(result)
    }
}

fn eviction_key(peer: PeerId, entry: &PeerEntry) -> EvictionKey {
    (
        entry.standing(),
        entry.last_seen().unwrap_or(entry.known_since()),
        peer,
    )
}
