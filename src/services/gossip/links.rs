//! Peers as the machine numbers them, and the streams to them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::inbound::Admitted;
use crate::gossip::Link;
use crate::identity::PeerId;
use crate::p2p::{ConfirmedEvidence, MAX_CONNECTIONS_PER_PEER};
use crate::policy::Micros;
use crate::wire::ErrorCode;

/// Peers whose number is remembered after they left: longer than their scores are.
const MAX_GONE: usize = 4_096;

/// A peer with which gossip is under way.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) link: Link,
    pub(super) generation: u64,
    batches: mpsc::Sender<Bytes>,
    /// Ends the reading of its stream, if it is read.
    reading: Option<oneshot::Sender<ErrorCode>>,
    /// Since the peer takes nothing any more: how long its own stream is waited for.
    ends_at: Option<Micros>,
}

impl Session {
    /// Whether the stream of the peer is being read: its end will be told.
    pub(super) fn is_read(&self) -> bool {
        self.reading.is_some()
    }

    /// Until when the stream of a peer is waited for that takes nothing any more.
    pub(super) fn ends_at(&self) -> Option<Micros> {
        self.ends_at
    }
}

#[derive(Debug, Default)]
pub(super) struct Links {
    next: u64,
    numbers: BTreeMap<PeerId, Link>,
    peers: BTreeMap<Link, PeerId>,
    sessions: BTreeMap<PeerId, Session>,
    /// Those who left, in the order in which they did, and the place of each in it.
    gone: BTreeMap<u64, PeerId>,
    places: BTreeMap<PeerId, u64>,
    /// For faults that are found in what they brought.
    evidence: BTreeMap<PeerId, ConfirmedEvidence>,
    departures: u64,
    /// Streams whose connection is not the current one yet, at most as many as two peers can have connections.
    waiting: BTreeMap<PeerId, Vec<(u64, oneshot::Sender<Admitted>)>>,
    /// Connections on which gossip has ended, the latest last: there is no second pair of streams on one.
    over: BTreeMap<PeerId, VecDeque<u64>>,
}

impl Links {
    pub(super) fn session(&self, peer: &PeerId) -> Option<&Session> {
        self.sessions.get(peer)
    }

    pub(super) fn peer(&self, link: Link) -> Option<PeerId> {
        self.peers.get(&link).copied()
    }

    /// Begins anew with a peer; what comes out of the receiver is to be written to it. The streams that
    /// waited for this connection are read from now on.
    pub(super) fn begin(&mut self, peer: PeerId, generation: u64) -> (Link, mpsc::Receiver<Bytes>) {
        let link = self.number(peer);
        let (batches, receiver) = mpsc::channel(1);
        let session = Session {
            link,
            generation,
            batches,
            reading: None,
            ends_at: None,
        };
        self.sessions.insert(peer, session);
        self.ready(&peer);
        (link, receiver)
    }

    /// A peer takes nothing any more, and its stream is waited for until then.
    pub(super) fn end_at(&mut self, peer: &PeerId, at: Micros) {
        if let Some(session) = self.sessions.get_mut(peer) {
            session.ends_at = Some(at);
        }
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
        let over = self.over.entry(*peer).or_default();
        over.push_back(session.generation);
        if over.len() > MAX_CONNECTIONS_PER_PEER {
            over.pop_front();
        }
        self.leave(*peer);
        Some(session.link)
    }

    /// What shows that a peer that left brought what it brought.
    pub(super) fn keep(&mut self, evidence: ConfirmedEvidence) {
        if self.places.contains_key(&evidence.peer()) {
            self.evidence.insert(evidence.peer(), evidence);
        }
    }

    /// The evidence against a peer that left and is not back.
    pub(super) fn evidence(&self, peer: &PeerId) -> Option<ConfirmedEvidence> {
        self.evidence.get(peer).copied()
    }

    /// A stream waits for its connection.
    pub(super) fn wait(&mut self, peer: PeerId, generation: u64, ready: oneshot::Sender<Admitted>) {
        let waiting = self.waiting.entry(peer).or_default();
        waiting.retain(|(_, ready)| !ready.is_closed());
        if waiting.len() < MAX_CONNECTIONS_PER_PEER {
            waiting.push((generation, ready));
        }
    }

    /// Streams of connections that will not be the current one wait no more.
    pub(super) fn refuse(&mut self, peer: &PeerId, is_lost: impl Fn(u64) -> bool) {
        if let Some(waiting) = self.waiting.get_mut(peer) {
            waiting.retain(|(generation, _)| !is_lost(*generation));
            if waiting.is_empty() {
                self.waiting.remove(peer);
            }
        }
    }

    /// The streams of the session's connection that came since it began are read, too. Those of others wait on: as
    /// long as two connections live, each end may have chosen another one, and there is no second stream on any.
    pub(super) fn ready(&mut self, peer: &PeerId) {
        let (Some(session), Some(waiting)) =
            (self.sessions.get_mut(peer), self.waiting.get_mut(peer))
        else {
            return;
        };
        for (_, ready) in waiting.extract_if(.., |(of, _)| *of == session.generation) {
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
        if waiting.is_empty() {
            self.waiting.remove(peer);
        }
    }

    /// Whether gossip has ended on this connection with a peer.
    pub(super) fn is_over(&self, peer: &PeerId, generation: u64) -> bool {
        let over = self.over.get(peer);
        over.is_some_and(|over| over.contains(&generation))
    }

    /// Whether a stream of a peer waits.
    pub(super) fn is_waiting(&self, peer: &PeerId) -> bool {
        self.waiting.contains_key(peer)
    }

    /// Whether a peer has spoken gossip since it is connected.
    pub(super) fn speaks(&self, peer: &PeerId) -> bool {
        let is_known = self.over.contains_key(peer) || self.waiting.contains_key(peer);
        is_known || self.sessions.contains_key(peer)
    }

    /// Those with whom something is under way.
    pub(super) fn peers(&self) -> Vec<PeerId> {
        self.sessions.keys().copied().collect()
    }

    /// The same, and those of whom anything else is remembered while they are connected.
    pub(super) fn all(&self) -> BTreeSet<PeerId> {
        let waiting = self.waiting.keys().chain(self.over.keys());
        waiting.chain(self.sessions.keys()).copied().collect()
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

    /// Remembers the number of a peer that left, and forgets that of the one that left first if there are
    /// too many.
    fn leave(&mut self, peer: PeerId) {
        self.departures += 1;
        self.gone.insert(self.departures, peer);
        self.places.insert(peer, self.departures);
        if self.gone.len() > MAX_GONE
            && let Some((_, first)) = self.gone.pop_first()
        {
            self.places.remove(&first);
            self.evidence.remove(&first);
            if let Some(link) = self.numbers.remove(&first) {
                self.peers.remove(&link);
            }
        }
    }

    fn number(&mut self, peer: PeerId) -> Link {
        if let Some(place) = self.places.remove(&peer) {
            self.gone.remove(&place);
            self.evidence.remove(&peer);
        }
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

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot::error::TryRecvError;

    use super::*;
    use crate::p2p::{PathKind, Standing};

    fn peer(number: usize) -> PeerId {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        PeerId::from_bytes(bytes)
    }

    fn visit(links: &mut Links, number: usize) -> Link {
        let (link, _) = links.begin(peer(number), 1);
        assert_eq!(links.end(&peer(number)), Some(link));
        links.disconnected(&peer(number));
        link
    }

    #[test]
    fn whoever_waits_is_among_all() {
        let mut links = Links::default();
        let (ready, _admitted) = oneshot::channel();
        links.wait(peer(1), 1, ready);
        links.begin(peer(2), 1);
        links.begin(peer(3), 1);
        links.end(&peer(3));
        assert_eq!(links.all().len(), 3);
        for number in 1..=3 {
            links.disconnected(&peer(number));
        }
        assert_eq!(links.all().len(), 1, "with whom something is under way");
    }

    #[test]
    fn a_peer_that_comes_back_keeps_its_number_until_too_many_left_after_it() {
        let mut links = Links::default();
        let first = visit(&mut links, 0);
        for number in 1..MAX_GONE {
            visit(&mut links, number);
        }
        assert_eq!(links.gone.len(), MAX_GONE);
        assert_eq!(links.peer(first), Some(peer(0)));
        assert_eq!(visit(&mut links, 0), first);
        for number in 1..=MAX_GONE {
            visit(&mut links, MAX_GONE + number);
        }
        assert_eq!(links.peer(first), None);
        assert_ne!(visit(&mut links, 0), first);
        assert_eq!((links.gone.len(), links.places.len()), (MAX_GONE, MAX_GONE));
        assert_eq!(
            (links.numbers.len(), links.peers.len()),
            (MAX_GONE, MAX_GONE)
        );
    }

    #[test]
    fn evidence_against_who_left_lasts_until_it_is_back_or_forgotten() {
        let mut links = Links::default();
        let evidence = |number| {
            let (peer, path) = (peer(number), PathKind::Direct);
            Standing::Confirmed { peer, path }.evidence(5).unwrap()
        };
        links.keep(evidence(0));
        assert_eq!(links.evidence(&peer(0)), None, "it never was here");
        for number in 0..MAX_GONE {
            visit(&mut links, number);
            links.keep(evidence(number));
        }
        assert_eq!(links.evidence(&peer(0)), Some(evidence(0)));
        assert_eq!(links.evidence.len(), MAX_GONE);
        visit(&mut links, MAX_GONE);
        links.keep(evidence(MAX_GONE));
        assert_eq!(links.evidence(&peer(0)), None);
        assert_eq!(links.evidence.len(), MAX_GONE);
        let _session = links.begin(peer(1), 2);
        assert_eq!(links.evidence(&peer(1)), None);
    }

    /// It would be rid of what it owes otherwise, and others of their numbers.
    #[test]
    fn attack_who_comes_and_goes_without_end_flushes_nobodys_number() {
        let mut links = Links::default();
        let honest = visit(&mut links, 0);
        let attacker = visit(&mut links, 1);
        for _ in 0..2 * MAX_GONE {
            assert_eq!(visit(&mut links, 1), attacker);
        }
        assert_eq!(visit(&mut links, 0), honest);
        assert!(links.over.is_empty() && links.waiting.is_empty());
    }

    #[test]
    fn a_stream_of_another_connection_waits_until_that_is_the_current_one() {
        let mut links = Links::default();
        let (ready, mut admitted) = oneshot::channel();
        links.wait(peer(0), 7, ready);
        let _session = links.begin(peer(0), 8);
        assert!(
            admitted
                .try_recv()
                .is_err_and(|error| error == TryRecvError::Empty)
        );
        links.end(&peer(0));
        let _session = links.begin(peer(0), 7);
        assert!(matches!(admitted.try_recv(), Ok(Admitted::Yes(_))));
        assert!(links.waiting.is_empty());
    }

    #[test]
    fn a_second_stream_on_one_connection_is_not_read() {
        let mut links = Links::default();
        let (first, mut one) = oneshot::channel();
        let (second, mut other) = oneshot::channel();
        links.wait(peer(0), 7, first);
        let _session = links.begin(peer(0), 7);
        assert!(matches!(one.try_recv(), Ok(Admitted::Yes(_))));
        links.wait(peer(0), 7, second);
        links.ready(&peer(0));
        assert!(matches!(other.try_recv(), Ok(Admitted::Second)));
        links.end(&peer(0));
        assert!(links.is_over(&peer(0), 7) && !links.is_over(&peer(0), 8));
        let _session = links.begin(peer(0), 8);
        links.end(&peer(0));
        assert!(links.is_over(&peer(0), 7) && links.is_over(&peer(0), 8));
    }
}
