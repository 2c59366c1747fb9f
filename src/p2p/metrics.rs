//! Counters, derived from the events.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{IncomingRefusal, SwarmEvent};

/// How often what happened since the start. Unlike events, nothing is lost to a slow reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SwarmMetrics {
    /// Connections that became the one with their peer.
    pub connected: u64,
    /// Peers that disconnected.
    pub disconnected: u64,
    /// Dials that failed.
    pub dials_failed: u64,
    /// Incoming connections refused by a limit.
    pub refused_by_limit: u64,
    /// Incoming handshakes that failed: another network, no credential, a bad signature.
    pub handshakes_failed: u64,
    /// Peers that proved who they are and are not taken.
    pub peers_refused: u64,
    /// Faults recorded.
    pub faults: u64,
    /// Bans.
    pub bans: u64,
    /// Changes of path.
    pub path_changes: u64,
    /// One-way messages that were not written before their peer disconnected.
    pub messages_unsent: u64,
}

/// The live counters.
#[derive(Debug, Default)]
pub(super) struct Counters {
    connected: AtomicU64,
    disconnected: AtomicU64,
    dials_failed: AtomicU64,
    refused_by_limit: AtomicU64,
    handshakes_failed: AtomicU64,
    peers_refused: AtomicU64,
    faults: AtomicU64,
    bans: AtomicU64,
    path_changes: AtomicU64,
    messages_unsent: AtomicU64,
}

impl Counters {
    pub(super) fn count(&self, event: &SwarmEvent) {
        let (counter, amount) = match event {
            SwarmEvent::PeerConnected { .. } => (&self.connected, 1),
            SwarmEvent::PeerDisconnected { .. } => (&self.disconnected, 1),
            SwarmEvent::DialFailed { .. } => (&self.dials_failed, 1),
            SwarmEvent::IncomingRefused { reason } => (self.refusal(reason), 1),
            SwarmEvent::FaultRecorded { .. } => (&self.faults, 1),
            SwarmEvent::PeerBanned { .. } => (&self.bans, 1),
            SwarmEvent::PathChanged { .. } => (&self.path_changes, 1),
            SwarmEvent::MessagesUnsent { messages, .. } => (&self.messages_unsent, *messages),
            SwarmEvent::PeerIdentified { .. }
            | SwarmEvent::ObservedAddress { .. }
            | SwarmEvent::PeerAnnounced { .. } => return,
        };
        counter.fetch_add(amount, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> SwarmMetrics {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        SwarmMetrics {
            connected: read(&self.connected),
            disconnected: read(&self.disconnected),
            dials_failed: read(&self.dials_failed),
            refused_by_limit: read(&self.refused_by_limit),
            handshakes_failed: read(&self.handshakes_failed),
            peers_refused: read(&self.peers_refused),
            faults: read(&self.faults),
            bans: read(&self.bans),
            path_changes: read(&self.path_changes),
            messages_unsent: read(&self.messages_unsent),
        }
    }

    fn refusal(&self, reason: &IncomingRefusal) -> &AtomicU64 {
        match reason {
            IncomingRefusal::Limit(_) => &self.refused_by_limit,
            IncomingRefusal::Handshake(_) => &self.handshakes_failed,
            IncomingRefusal::Peer(_) => &self.peers_refused,
        }
    }
}
