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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

/// The charged bytes of all entries, by network and by peer, and the entries of each account in the
/// order in which they were last stored.
///
/// Flat maps, none inside another: a tree takes a node of eleven places for its first element, which
/// for a holder of one entry would cost more than the entry.
#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    bytes: u64,
    networks: BTreeMap<Network, u64>,
    accounts: BTreeMap<Account, u64>,
    /// A peer's bytes behind all of its networks.
    peers: BTreeMap<PeerId, u64>,
    networks_by_size: BTreeSet<(u64, Network)>,
    accounts_by_size: BTreeSet<(Network, u64, PeerId)>,
    order: BTreeMap<(Account, u64), Place>,
    next_serial: u64,
}

impl Network {
    /// Bytes that it may fill; where it is one peer, that peer's share is the limit.
    fn share(self, limits: &StoreConfig) -> u64 {
        match self {
            Self::Group(_) => limits.per_group(),
            Self::Local(_) => u64::MAX,
        }
    }
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

    /// Charges an entry to an account, as the one that was stored last. `bytes` is not zero.
    pub(super) fn charge(&mut self, account: Account, bytes: u64, place: Place) -> Charge {
        let serial = self.next_serial;
        self.next_serial = serial.saturating_add(1);
        self.order.insert((account, serial), place);
        self.resize(account, |held| held.saturating_add(bytes));
        Charge {
            account,
            bytes,
            serial,
        }
    }

    /// Takes a charge back, once.
    pub(super) fn release(&mut self, charge: &Charge) {
        let entry = (charge.account, charge.serial);
        if self.order.remove(&entry).is_some() {
            self.resize(charge.account, |held| held.saturating_sub(charge.bytes));
        }
    }

    fn resize(&mut self, account: Account, change: impl Fn(u64) -> u64) {
        let Account { network, peer } = account;
        self.bytes = change(self.bytes);
        adjust(&mut self.peers, peer, &change);

        let (before, after) = adjust(&mut self.networks, network, &change);
        self.networks_by_size.remove(&(before, network));
        if after > 0 {
            self.networks_by_size.insert((after, network));
        }

        let (before, after) = adjust(&mut self.accounts, account, &change);
        self.accounts_by_size.remove(&(network, before, peer));
        if after > 0 {
            self.accounts_by_size.insert((network, after, peer));
        }
    }

    /// Whether `bytes` more fit for an account once `replaced` is gone, and who yields for it; `None`
    /// if they do not fit.
    ///
    /// Max-min fairness: the largest network yields, and within a network the largest peer, but only
    /// to somebody who stays the smaller one. It must remain at least as large as the newcomer
    /// becomes *after* it gave all that is needed. So nothing is ever taken for a newcomer that does
    /// not fit in the end, and two holders of about the same size do not take turns in evicting each
    /// other. What is missing in the newcomer's own network, only that network can give.
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
        if of_peer > limits.per_peer() {
            return None;
        }
        let of_all = grown(self.bytes, freed(|_, _| true, &account));
        let missing = of_all.saturating_sub(limits.budget_bytes);
        let missing_in_network = of_network.saturating_sub(account.network.share(limits));
        if missing == 0 && missing_in_network == 0 {
            return Some(Yield::Nobody);
        }

        let (size, network) = *self.networks_by_size.last()?;
        let largest = Account { network, ..account };
        let left = size.saturating_sub(freed(same_network, &largest));
        if missing_in_network == 0 && left >= of_network.saturating_add(missing) {
            return Some(Yield::LargestNetwork);
        }

        let (size, peer) = self.largest_of(account.network)?;
        let largest = Account { peer, ..account };
        let left = size.saturating_sub(freed(same_account, &largest));
        let held = self.accounts.get(&account).copied().unwrap_or(0);
        let own = grown(held, freed(same_account, &account));
        let missing = missing.max(missing_in_network);
        (left >= own.saturating_add(missing)).then_some(Yield::Within(account.network))
    }

    /// Whether `bytes` more for an account are above the budget, or above its network's share.
    pub(super) fn is_short(&self, limits: &StoreConfig, account: Account, bytes: u64) -> bool {
        let of_network = self.network_bytes(&account.network);
        self.bytes.saturating_add(bytes) > limits.budget_bytes
            || of_network.saturating_add(bytes) > account.network.share(limits)
    }

    /// The entry that goes first: of the largest network, or of the given one, the largest peer's
    /// that was stored earliest.
    pub(super) fn first_to_go(&self, from: Yield) -> Option<Place> {
        let network = match from {
            Yield::Nobody => return None,
            Yield::LargestNetwork => self.networks_by_size.last()?.1,
            Yield::Within(network) => network,
        };
        let (_, peer) = self.largest_of(network)?;
        let account = Account { network, peer };
        let mut entries = self.order.range((account, 0)..=(account, u64::MAX));
        entries.next().map(|(_, place)| *place)
    }

    pub(super) fn peer_bytes(&self, peer: &PeerId) -> u64 {
        self.peers.get(peer).copied().unwrap_or(0)
    }

    pub(super) fn network_bytes(&self, network: &Network) -> u64 {
        self.networks.get(network).copied().unwrap_or(0)
    }

    fn largest_of(&self, network: Network) -> Option<(u64, PeerId)> {
        let first = (network, 0, PeerId::from_bytes([0; 32]));
        let last = (network, u64::MAX, PeerId::from_bytes([u8::MAX; 32]));
        let largest = self.accounts_by_size.range(first..=last).next_back();
        largest.map(|(_, bytes, peer)| (*bytes, *peer))
    }
}

/// What a holder held and holds now; nothing is kept for one that holds nothing.
fn adjust<K: Ord>(
    held: &mut BTreeMap<K, u64>,
    holder: K,
    change: impl Fn(u64) -> u64,
) -> (u64, u64) {
    let before = held.get(&holder).copied().unwrap_or(0);
    let after = change(before);
    if after == 0 {
        held.remove(&holder);
    } else {
        held.insert(holder, after);
    }
    (before, after)
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
