//! What all operations share: the table, the connections, the searches and calls under way.

mod calling;
mod searching;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;

use super::OperationId;
use super::calls::{Calls, Purpose};
use super::io::{CheckId, Event, Fault, Output};
use super::liars::Liars;
use super::links::Links;
use super::search::{Aim, Search, SearchId};
use super::signal::{CheckOwner, Signal};
use crate::discovery::config::{DiscoveryConfig, K};
use crate::discovery::record::PendingSignature;
use crate::discovery::region::{REACH, surroundings};
use crate::discovery::table::RoutingTable;
use crate::discovery::{Density, Key, SizeEstimate};
use crate::identity::PeerId;
use crate::policy::{IpGroup, Now};

/// Requests of this node that wait for answers at once: ten lookups at their widest.
pub(super) const MAX_CALLS: usize = 512;

/// Peers that are kept out of the table, and for how long: as many, and as long, as a ban.
const MAX_VETOES: usize = 1_024;
const VETO: Duration = Duration::from_secs(600);

#[derive(Debug, Clone)]
pub(super) struct Core {
    pub(super) local: PeerId,
    pub(super) config: DiscoveryConfig,
    /// When the present input came.
    pub(super) now: Now,
    pub(super) rng: ChaCha8Rng,
    pub(super) table: RoutingTable,
    pub(super) estimate: SizeEstimate,
    pub(super) links: Links,
    pub(super) calls: Calls,
    pub(super) outputs: VecDeque<Output>,
    /// What operations have to be told.
    pub(super) signals: VecDeque<(OperationId, Signal)>,
    /// Whether a node of the table failed and is to be asked again.
    pub(super) has_doubts: bool,
    searches: BTreeMap<SearchId, Search>,
    /// Whether a search could not send because too many calls were under way.
    has_starved: bool,
    waiting: VecDeque<(SearchId, OperationId, Aim)>,
    next_search: u64,
    checks: BTreeMap<CheckId, CheckOwner>,
    next_check: u64,
    /// Who is asked for a sign of life, in which group.
    probes: BTreeMap<PeerId, IpGroup>,
    liars: Liars,
    vetoes: VecDeque<(PeerId, crate::policy::Micros)>,
}

impl Core {
    pub(super) fn new(local: PeerId, config: DiscoveryConfig, rng: ChaCha8Rng) -> Self {
        let is_bounded = config.density_quota;
        Self {
            local,
            now: Now::default(),
            rng,
            table: RoutingTable::new(local.into()),
            estimate: SizeEstimate::new(K, is_bounded),
            links: Links::default(),
            calls: Calls::default(),
            outputs: VecDeque::new(),
            signals: VecDeque::new(),
            has_doubts: false,
            searches: BTreeMap::new(),
            has_starved: false,
            waiting: VecDeque::new(),
            next_search: 0,
            checks: BTreeMap::new(),
            next_check: 0,
            probes: BTreeMap::new(),
            liars: Liars::default(),
            vetoes: VecDeque::new(),
            config,
        }
    }

    pub(super) fn density(&self) -> &Arc<Density> {
        self.estimate.density()
    }

    /// Nodes expected in the network; at least those that are known.
    #[allow(clippy::cast_precision_loss, reason = "an estimate")]
    pub(super) fn network_size(&self) -> f64 {
        self.density().size().max(self.table.len() as f64 + 1.0)
    }

    /// Whether a lookup for `key` would end around this node; in a network of fewer than 640 nodes, where
    /// most would, only of the nearest.
    pub(super) fn is_near(&self, key: &Key) -> bool {
        let near = surroundings(REACH, self.density().size());
        self.key().distance(key).fraction() < near
    }

    pub(super) fn emit(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    pub(super) fn blame(&mut self, peer: PeerId, fault: Fault) {
        self.outputs.push_back(Output::Fault { peer, fault });
    }

    pub(super) fn signal(&mut self, operation: OperationId, signal: Signal) {
        self.signals.push_back((operation, signal));
    }

    /// Has a signature verified; the owner hears of it.
    pub(super) fn verify(&mut self, owner: CheckOwner, signature: PendingSignature) {
        let check = CheckId(self.next_check);
        self.next_check += 1;
        self.checks.insert(check, owner);
        let signature = Box::new(signature);
        self.outputs.push_back(Output::Verify { check, signature });
    }

    pub(super) fn verified(&mut self, check: CheckId) -> Option<CheckOwner> {
        self.checks.remove(&check)
    }

    // The table.

    /// A peer did not answer. That counts against it for good only if it was all that was asked: the end
    /// of one connection cuts off many requests.
    fn silent(&mut self, peer: &PeerId, purpose: Purpose) {
        if purpose == Purpose::Probe {
            self.missed(peer);
        } else {
            self.doubted(peer);
        }
    }

    /// A lookup did not wait for a peer, which may be busy: whether it is there, a probe will tell.
    fn doubted(&mut self, peer: &PeerId) {
        self.has_doubts |= self.table.doubted(peer);
    }

    /// A peer did not answer a probe.
    fn missed(&mut self, peer: &PeerId) {
        let was_there = self.table.contains(peer);
        let density = self.density().clone();
        let asks_again = self.table.failed(peer, &density);
        self.has_doubts |= asks_again;
        if was_there && !asks_again {
            self.emit(Event::Removed(*peer));
            self.table_changed();
        }
    }

    /// Takes a peer out of the table at once.
    pub(super) fn expel(&mut self, peer: &PeerId) {
        let density = self.density().clone();
        if self.table.remove(peer, &density) {
            self.emit(Event::Removed(*peer));
            self.table_changed();
        }
    }

    /// Whether this node has a public address: those that it could not reach any more leave.
    pub(super) fn set_public(&mut self, is_public: bool) {
        let before: Vec<_> = self.table.iter().map(|entry| entry.contact.peer).collect();
        let density = self.density().clone();
        self.table.set_public(is_public, &density);
        for peer in before {
            if !self.table.contains(&peer) {
                self.emit(Event::Removed(peer));
            }
        }
        self.table_changed();
    }

    fn table_changed(&mut self) {
        for peer in self.table.take_followed() {
            self.emit(Event::Added(peer));
        }
        let neighbourhood = self.table.neighbourhood();
        self.estimate
            .own_neighbourhood(self.now.mono, neighbourhood);
    }

    /// Keeps a peer out of the table for a while.
    pub(super) fn veto(&mut self, peer: PeerId) {
        self.expel(&peer);
        if self.vetoes.len() >= MAX_VETOES {
            self.vetoes.pop_front();
        }
        self.vetoes.push_back((peer, self.now.mono + VETO));
    }

    pub(super) fn is_vetoed(&self, peer: &PeerId) -> bool {
        let now = self.now.mono;
        let mut vetoes = self.vetoes.iter();
        vetoes.any(|(vetoed, until)| vetoed == peer && *until > now)
    }

    /// The place of this node.
    pub(super) fn key(&self) -> Key {
        self.local.into()
    }
}
