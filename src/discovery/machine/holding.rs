//! The records of this node: those it holds for others and those it publishes.

use std::collections::BTreeMap;

use rand_core::Rng;

use super::core::Core;
use super::intake::Intakes;
use super::io::RequestId;
use super::publications::Publications;
use crate::discovery::Key;
use crate::discovery::record::Kind;
use crate::discovery::store::{Holder, RecordStore, StoreConfig};
use crate::identity::PeerId;
use crate::policy::{Micros, Now};
use crate::wire::message::discovery::{Contact, MAX_PROVIDERS, Record, kind};

#[derive(Debug, Clone)]
pub(super) struct Holding {
    network: [u8; 32],
    pub(super) store: RecordStore,
    pub(super) publications: Publications,
    pub(super) intakes: Intakes,
    /// Whether this node answers queries, so that others may expect records here.
    pub(super) serves: bool,
    /// Neighbours that were asked lately for what this node should hold, and when.
    pub(super) asked_to_hand_off: BTreeMap<PeerId, Micros>,
    /// When a peer was last told that its records are stale.
    stale: BTreeMap<PeerId, Micros>,
}

impl Holding {
    pub(super) fn new(network: [u8; 32], config: StoreConfig) -> Self {
        Self {
            network,
            store: RecordStore::new(config),
            publications: Publications::default(),
            intakes: Intakes::default(),
            serves: true,
            asked_to_hand_off: BTreeMap::new(),
            stale: BTreeMap::new(),
        }
    }

    /// The network that records are signed for.
    pub(super) const fn network(&self) -> [u8; 32] {
        self.network
    }

    /// A record that this node publishes or holds.
    pub(super) fn find(&self, now: Now, kind: &Kind, key: &Key) -> Option<Record> {
        if kind.number == kind::PROVIDER {
            return None;
        }
        let held = || self.store.get(kind.number, key, now.mono);
        self.publications.get(now, kind.number, key).or_else(held)
    }

    /// Providers of a key that announced themselves here.
    pub(super) fn providers<R: Rng>(&self, now: Now, key: &Key, rng: &mut R) -> Vec<Contact> {
        self.store.providers(key, now.mono, rng, MAX_PROVIDERS)
    }

    /// Judges records that a peer gave, has signatures verified, and stores what is in order. The
    /// request, if it was one, is answered when all is known.
    pub(super) fn take_in(
        &mut self,
        core: &mut Core,
        holder: Holder,
        records: Vec<Record>,
        answer_to: Option<RequestId>,
    ) {
        super::intake::begin(self, core, holder, records, answer_to);
    }

    /// Whether a peer that stored a superseded version is to be told: once a minute.
    pub(super) fn is_stale_again(&mut self, now: Micros, peer: PeerId) -> bool {
        /// Peers remembered; a forgotten one is told once more.
        const MAX_REMEMBERED: usize = 1_024;
        const EVERY: std::time::Duration = std::time::Duration::from_secs(60);
        if self
            .stale
            .get(&peer)
            .is_some_and(|told| now.since(*told) < EVERY)
        {
            return false;
        }
        if self.stale.len() >= MAX_REMEMBERED {
            self.stale.pop_first();
        }
        self.stale.insert(peer, now);
        true
    }
}
