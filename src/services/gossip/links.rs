//! Peers as the machine numbers them, and the streams to them.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::inbound::Admitted;
use crate::gossip::Link;
use crate::identity::PeerId;
use crate::wire::ErrorCode;

/// Peers whose number is remembered after they left: longer than their scores are.
const MAX_GONE: usize = 4_096;

/// Streams of one peer that wait for their connection to become the current one: one for each
/// connection that two peers can have.
const MAX_WAITING: usize = 4;

/// A peer with which gossip is under way.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) link: Link,
    pub(super) generation: u64,
    batches: mpsc::Sender<Bytes>,
    /// Ends the reading of its stream, if it is read.
    reading: Option<oneshot::Sender<ErrorCode>>,
}

#[derive(Debug, Default)]
pub(super) struct Links {
    next: u64,
    numbers: BTreeMap<PeerId, Link>,
    peers: BTreeMap<Link, PeerId>,
    sessions: BTreeMap<PeerId, Session>,
    gone: VecDeque<PeerId>,
    /// Streams whose connection is not the current one yet.
    waiting: BTreeMap<PeerId, Vec<(u64, oneshot::Sender<Admitted>)>>,
    /// Connections on which gossip has ended: there is no second pair of streams on one.
    over: BTreeMap<PeerId, u64>,
}

impl Links {
    pub(super) fn session(&self, peer: &PeerId) -> Option<&Session> {
        self.sessions.get(peer)
    }

    pub(super) fn peer(&self, link: Link) -> Option<PeerId> {
        self.peers.get(&link).copied()
    }

    /// Begins anew with a peer; what comes out of the receiver is to be written to it. The streams that
    /// waited for this connection are read from now on, and those of others never.
    pub(super) fn begin(&mut self, peer: PeerId, generation: u64) -> (Link, mpsc::Receiver<Bytes>) {
        let link = self.number(peer);
        let (batches, receiver) = mpsc::channel(1);
        let session = Session {
            link,
            generation,
            batches,
            reading: None,
        };
        self.sessions.insert(peer, session);
        self.ready(&peer);
        (link, receiver)
    }

    /// Reads no more of what a peer sends.
    pub(super) fn stop_reading(&mut self, peer: &PeerId, code: ErrorCode) {
        let session = self.sessions.get_mut(peer);
        if let Some(reading) = session.and_then(|session| session.reading.take()) {
            // It may have ended.
            _ = reading.send(code);
        }
    }

    /// Ends what is under way with a peer.
    pub(super) fn end(&mut self, peer: &PeerId) -> Option<Link> {
        let session = self.sessions.remove(peer)?;
        self.over.insert(*peer, session.generation);
        self.gone.push_back(*peer);
        if self.gone.len() > MAX_GONE
            && let Some(oldest) = self.gone.pop_front()
            && !self.sessions.contains_key(&oldest)
            && !self.gone.contains(&oldest)
            && let Some(link) = self.numbers.remove(&oldest)
        {
            self.peers.remove(&link);
        }
        Some(session.link)
    }

    /// A stream waits for its connection.
    pub(super) fn wait(&mut self, peer: PeerId, generation: u64, ready: oneshot::Sender<Admitted>) {
        let waiting = self.waiting.entry(peer).or_default();
        waiting.retain(|(_, ready)| !ready.is_closed());
        if waiting.len() < MAX_WAITING {
            waiting.push((generation, ready));
        }
    }

    /// The streams of the current connection that came since it began are read, too.
    pub(super) fn ready(&mut self, peer: &PeerId) {
        let Some(session) = self.sessions.get_mut(peer) else {
            return;
        };
        for (of, ready) in self.waiting.remove(peer).unwrap_or_default() {
            if of == session.generation {
                let admitted = if session.reading.is_some() {
                    Admitted::Second
                } else {
                    let (reading, enough) = oneshot::channel();
                    session.reading = Some(reading);
                    Admitted::Yes(enough)
                };
                // The stream may be gone.
                _ = ready.send(admitted);
            }
        }
    }

    /// Whether gossip has ended on this connection with a peer.
    pub(super) fn is_over(&self, peer: &PeerId, generation: u64) -> bool {
        self.over.get(peer) == Some(&generation)
    }

    /// Those with whom something is under way.
    pub(super) fn peers(&self) -> Vec<PeerId> {
        self.sessions.keys().copied().collect()
    }

    /// A peer is gone, and so are its streams.
    pub(super) fn disconnected(&mut self, peer: &PeerId) {
        self.waiting.remove(peer);
        self.over.remove(peer);
    }

    /// Hands frames to the writer of a link. It takes one batch at a time, and the machine gives no
    /// second one before the first is written.
    pub(super) fn send(&self, link: Link, frames: Bytes) {
        let peer = self.peers.get(&link);
        if let Some(session) = peer.and_then(|peer| self.sessions.get(peer)) {
            // A writer that has ended says so by itself.
            _ = session.batches.try_send(frames);
        }
    }

    fn number(&mut self, peer: PeerId) -> Link {
        if let Some(link) = self.numbers.get(&peer) {
            return *link;
        }
        let link = Link(self.next);
        self.next += 1;
        self.numbers.insert(peer, link);
        self.peers.insert(link, peer);
        link
    }
}
