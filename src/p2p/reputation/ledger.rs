use std::collections::BTreeMap;

use super::{ConfirmedEvidence, Fault, PathKind, Reputation, ReputationConfig, Verdict};
use crate::identity::PeerId;
use crate::policy::Micros;

/// Peers with a score below zero that are remembered. A fault costs its peer a confirmed handshake,
/// so 4 096 of them are four full nodes' worth; at most 1.6 MiB.
pub const MAX_RATED_PEERS: usize = 4_096;

/// The scores of all peers that ever did something wrong and have not recovered.
///
/// When it is full, the peer with the best score makes room (the smaller `PeerId` of two equals): a
/// crowd of minor offenders cannot wash a major one clean.
#[derive(Debug, Clone)]
pub struct ReputationLedger {
    config: ReputationConfig,
    peers: BTreeMap<PeerId, Reputation>,
}

impl ReputationLedger {
    /// An empty ledger. The configuration must have passed [`ReputationConfig::validate`].
    #[must_use]
    pub fn new(config: ReputationConfig) -> Self {
        Self {
            config,
            peers: BTreeMap::new(),
        }
    }

    /// Takes one fault into account and says what to do with the peer.
    ///
    /// A fault of absence on a relayed path is not recorded: the relay may have lost the packets.
    pub fn record(&mut self, now: Micros, evidence: ConfirmedEvidence, fault: Fault) -> Verdict {
        if evidence.path() == PathKind::Relayed && fault.is_absence() {
            return Verdict::Keep;
        }
        let peer = evidence.peer();
        if !self.peers.contains_key(&peer) {
            self.make_room(now);
        }
        let reputation = self.peers.entry(peer).or_default();
        reputation.record(now, evidence.protocol(), fault, &self.config)
    }

    /// The peer's total score, 0 for a peer that did nothing wrong.
    #[must_use]
    pub fn score(&self, now: Micros, peer: &PeerId) -> i32 {
        self.peers
            .get(peer)
            .map_or(0, |reputation| reputation.score(now, self.config.half_life))
    }

    /// The peer's score in one protocol.
    #[must_use]
    pub fn sub_score(&self, now: Micros, peer: &PeerId, protocol: u32) -> i32 {
        let half_life = self.config.half_life;
        self.peers
            .get(peer)
            .map_or(0, |found| found.sub_score_of(now, protocol, half_life))
    }

    /// Whether the peer may stand in a routing table: its score is above the closing threshold. A
    /// veto only; the score never ranks peers against each other.
    #[must_use]
    pub fn may_route(&self, now: Micros, peer: &PeerId) -> bool {
        self.score(now, peer).unsigned_abs() < u32::from(self.config.close_at)
    }

    /// Peers remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.peers.len()
    }

    /// Whether nobody is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }

    fn make_room(&mut self, now: Micros) {
        if self.peers.len() < MAX_RATED_PEERS {
            return;
        }
        let half_life = self.config.half_life;
        self.peers
            .retain(|_, reputation| !reputation.is_clean(now, half_life));
        if self.peers.len() < MAX_RATED_PEERS {
            return;
        }
        let best = self
            .peers
            .iter()
            .map(|(peer, reputation)| (reputation.score(now, half_life), *peer))
            .max_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
        if let Some((_, peer)) = best {
            self.peers.remove(&peer);
        }
    }
}
