//! Who is charged for what, and who gives way.

use std::collections::{BTreeMap, BTreeSet};

use super::entry::Place;
use super::{Holder, StoreConfig};
use crate::identity::PeerId;
use crate::policy::IpGroup;

/// What counts as one holder among holders: an IP group, or, where addresses say nothing, a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Network {
    Group(IpGroup),
    Local(PeerId),
}

/// A peer behind one network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) network: Network,
    pub(super) peer: PeerId,
}

/// What one entry costs its account; handed back when the entry goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Charge {
    pub(super) account: Account,
    pub(super) bytes: u64,
    /// Place in the order of the account: the lowest goes first.
    serial: u64,
}

/// From whom entries have to be taken until a newcomer fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Yield {
    /// From nobody.
    Nobody,
    /// From the largest network.
    LargestNetwork,
    /// From the largest peer of this network.
    Within(Network),
}

/// The charged bytes of all entries, by network and by peer. Each account lists its entries in the
/// order in which they were last stored.
#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    bytes: u64,
    networks: BTreeMap<Network, Members>,
    by_size: BTreeSet<(u64, Network)>,
    /// A peer's bytes behind all of its networks.
    peers: BTreeMap<PeerId, u64>,
    next_serial: u64,
}

#[derive(Debug, Clone, Default)]
struct Members {
    bytes: u64,
    accounts: BTreeMap<PeerId, Entries>,
    by_size: BTreeSet<(u64, PeerId)>,
}

#[derive(Debug, Clone, Default)]
struct Entries {
    bytes: u64,
    order: BTreeMap<u64, Place>,
}

impl Account {
    pub(super) fn of(holder: &Holder) -> Self {
        let network = match holder.group {
            IpGroup::Local => Network::Local(holder.peer),
            group => Network::Group(group),
        };
        Self {
            network,
            peer: holder.peer,
        }
    }
}

impl Ledger {
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Charges an entry to an account, as the one that was stored last.
    pub(super) fn charge(&mut self, account: Account, bytes: u64, place: Place) -> Charge {
        let serial = self.next_serial;
        self.next_serial = serial.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
        let of_peer = self.peers.entry(account.peer).or_default();
        *of_peer = of_peer.saturating_add(bytes);

        let members = self.networks.entry(account.network).or_default();
        self.by_size.remove(&(members.bytes, account.network));
        members.bytes = members.bytes.saturating_add(bytes);
        self.by_size.insert((members.bytes, account.network));

        let entries = members.accounts.entry(account.peer).or_default();
        members.by_size.remove(&(entries.bytes, account.peer));
        entries.bytes = entries.bytes.saturating_add(bytes);
        members.by_size.insert((entries.bytes, account.peer));
        entries.order.insert(serial, place);
        Charge {
            account,
            bytes,
            serial,
        }
    }

    /// Takes a charge back. What holds nothing is not kept.
    pub(super) fn release(&mut self, charge: &Charge) {
        let Account { network, peer } = charge.account;
        let Some(members) = self.networks.get_mut(&network) else {
            return;
        };
        let Some(entries) = members.accounts.get_mut(&peer) else {
            return;
        };
        if entries.order.remove(&charge.serial).is_none() {
            return;
        }
        members.by_size.remove(&(entries.bytes, peer));
        entries.bytes = entries.bytes.saturating_sub(charge.bytes);
        if entries.order.is_empty() {
            members.accounts.remove(&peer);
        } else {
            members.by_size.insert((entries.bytes, peer));
        }

        self.by_size.remove(&(members.bytes, network));
        members.bytes = members.bytes.saturating_sub(charge.bytes);
        if members.accounts.is_empty() {
            self.networks.remove(&network);
        } else {
            self.by_size.insert((members.bytes, network));
        }
        self.bytes = self.bytes.saturating_sub(charge.bytes);
        self.release_peer(peer, charge.bytes);
    }

    fn release_peer(&mut self, peer: PeerId, bytes: u64) {
        if let Some(of_peer) = self.peers.get_mut(&peer) {
            *of_peer = of_peer.saturating_sub(bytes);
            if *of_peer == 0 {
                self.peers.remove(&peer);
            }
        }
    }

    /// Whether `bytes` more fit for an account once `replaced` is gone, and who yields for it; `None`
    /// if they do not fit.
    ///
    /// Max-min fairness: the largest network yields, and within a network the largest peer, but only
    /// to somebody who stays the smaller one. It must remain at least as large as the newcomer
    /// becomes *after* it gave all that is needed. So nothing is ever taken for a newcomer that does
    /// not fit in the end, and two holders of about the same size do not take turns in evicting each
    /// other.
    pub(super) fn room(
        &self,
        limits: &StoreConfig,
        account: Account,
        bytes: u64,
        replaced: Option<&Charge>,
    ) -> Option<Yield> {
        let freed = |applies: fn(&Account, &Account) -> bool, of: &Account| {
            replaced.map_or(0, |charge| {
                if applies(&charge.account, of) {
                    charge.bytes
                } else {
                    0
                }
            })
        };
        let grown = |held: u64, freed: u64| held.saturating_sub(freed).saturating_add(bytes);

        let of_peer = grown(self.peer_bytes(&account.peer), freed(same_peer, &account));
        let of_network = grown(
            self.network_bytes(&account.network),
            freed(same_network, &account),
        );
        let is_local = matches!(account.network, Network::Local(_));
        if of_peer > limits.per_peer() || (!is_local && of_network > limits.per_group()) {
            return None;
        }
        let missing =
            grown(self.bytes, freed(|_, _| true, &account)).saturating_sub(limits.budget_bytes);
        if missing == 0 {
            return Some(Yield::Nobody);
        }

        let (size, network) = *self.by_size.last()?;
        let largest = Account { network, ..account };
        let left = size.saturating_sub(freed(same_network, &largest));
        if left >= of_network.saturating_add(missing) {
            return Some(Yield::LargestNetwork);
        }

        let members = self.networks.get(&account.network)?;
        let (size, peer) = *members.by_size.last()?;
        let largest = Account { peer, ..account };
        let left = size.saturating_sub(freed(same_account, &largest));
        let own = grown(
            members.account_bytes(&account.peer),
            freed(same_account, &account),
        );
        (left >= own.saturating_add(missing)).then_some(Yield::Within(account.network))
    }

    /// The entry that goes first: of the largest network, or of the given one, the largest peer's
    /// that was stored earliest.
    pub(super) fn first_to_go(&self, from: Yield) -> Option<Place> {
        let network = match from {
            Yield::Nobody => return None,
            Yield::LargestNetwork => self.by_size.last()?.1,
            Yield::Within(network) => network,
        };
        let members = self.networks.get(&network)?;
        let (_, peer) = members.by_size.last()?;
        let (_, place) = members.accounts.get(peer)?.order.first_key_value()?;
        Some(*place)
    }

    pub(super) fn peer_bytes(&self, peer: &PeerId) -> u64 {
        self.peers.get(peer).copied().unwrap_or(0)
    }

    pub(super) fn network_bytes(&self, network: &Network) -> u64 {
        self.networks
            .get(network)
            .map_or(0, |members| members.bytes)
    }
}

impl Members {
    fn account_bytes(&self, peer: &PeerId) -> u64 {
        self.accounts.get(peer).map_or(0, |entries| entries.bytes)
    }
}

fn same_peer(a: &Account, b: &Account) -> bool {
    a.peer == b.peer
}

fn same_network(a: &Account, b: &Account) -> bool {
    a.network == b.network
}

fn same_account(a: &Account, b: &Account) -> bool {
    a == b
}
