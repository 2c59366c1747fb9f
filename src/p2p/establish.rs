//! From a confirmed handshake to a connected peer, and back.

use std::sync::Arc;

use tokio::time::{Duration, Instant, sleep, sleep_until};

use super::connections::{Connections, Effects};
use super::duplicates::FOLLOWER_PATIENCE;
use super::link::{Link, kind_of};
use super::serve;
use super::swarm::Inner;
use super::{BanReason, ConfirmedEvidence, DialFailure, Direction, Fault, SwarmEvent, Verdict};
use crate::identity::PeerId;
use crate::policy::Micros;
use crate::transport::{CloseReason, Path};
use crate::wire::ErrorCode;

/// How often a connection that was asked for a sign of life is looked at, until the question of
/// which connection survives is settled: a few seconds at most.
const PROBE_POLL: Duration = Duration::from_millis(5);

impl Inner {
    /// Counts a connection whose handshake is confirmed, and starts to serve it.
    pub(super) fn establish(self: &Arc<Self>, link: &Arc<Link>) -> Result<PeerId, DialFailure> {
        let admitted = self.admit_peer(link);
        if let Err(refusal) = &admitted {
            link.connection.close(refusal.code());
        }
        let (peer, effects) = admitted?;
        self.act(peer, effects);
        self.spawn(serve_connection(self.clone(), link.clone(), peer));
        Ok(peer)
    }

    /// Checks and counts under one lock: a ban or a limit cannot come between.
    fn admit_peer(&self, link: &Arc<Link>) -> Result<(PeerId, Effects), DialFailure> {
        let now = self.now().mono;
        let mut connections = self.connections();
        match self.check_peer(&mut connections, link) {
            Ok(peer) => {
                link.confirm(peer);
                let effects = connections.add(now, peer, link);
                self.publish(peer, &effects);
                self.note_connected(now, peer, link);
                Ok((peer, effects))
            }
            Err(refusal) => {
                connections.admission.release(link.permit);
                Err(refusal)
            }
        }
    }

    fn check_peer(
        &self,
        connections: &mut Connections,
        link: &Link,
    ) -> Result<PeerId, DialFailure> {
        let peer = link.connection.peer_id().ok_or(DialFailure::NoIdentity)?;
        if peer == self.keypair.peer_id() {
            return Err(DialFailure::OwnIdentity);
        }
        if connections.bans.is_banned(self.now().mono, &peer) {
            return Err(DialFailure::Banned);
        }
        connections
            .admission
            .confirm(link.permit, peer)
            .map_err(DialFailure::Limit)?;
        Ok(peer)
    }

    fn note_connected(&self, now: Micros, peer: PeerId, link: &Link) {
        let mut book = self.book();
        // A full book of connected peers forgets this one first; the connection needs no entry.
        let _ = book.connected(now, peer);
        if let Path::Direct { addr, .. } = link.connection.path() {
            book.seen_at(peer, addr.ip());
            if link.direction == Direction::Outgoing {
                book.dial_succeeded(now, peer, &addr.into());
            }
        }
    }

    /// A connection is gone: the peer's other one takes over, or the peer is disconnected.
    fn lost(self: &Arc<Self>, peer: PeerId, link: &Link, reason: CloseReason) {
        let now = self.now().mono;
        let effects = {
            let mut connections = self.connections();
            let effects = connections.remove(now, peer, link.id);
            connections.admission.release(link.permit);
            self.publish(peer, &effects);
            if effects.gone {
                self.book().disconnected(now, peer);
                self.emit(SwarmEvent::PeerDisconnected { peer, reason });
            }
            effects
        };
        link.set_retired(true);
        self.act(peer, effects);
    }

    /// Lets a change of a peer's connections be seen. Called under the lock of the connections, so
    /// that table, book and events follow the order of the changes.
    fn publish(&self, peer: PeerId, effects: &Effects) {
        if effects.gone {
            self.table.remove(&peer);
        } else if let Some(current) = &effects.current {
            current.set_retired(false);
            let former = self.table.insert(peer, current.clone());
            if let Some(former) = former.filter(|former| former.id != current.id) {
                former.set_retired(true);
            }
            self.emit(SwarmEvent::PeerConnected {
                peer,
                direction: current.direction,
                path: kind_of(&current.connection.path()),
                generation: current.id.0,
            });
        }
    }

    /// Does what the rule about several connections with one peer wants done.
    fn act(self: &Arc<Self>, peer: PeerId, effects: Effects) {
        for link in effects.close {
            let survivor = self.link(&peer).filter(|survivor| !survivor.is_held());
            match survivor {
                Some(survivor) => self.spawn(close_when_held(link, survivor)),
                None => link.connection.close(ErrorCode::Redundant),
            }
        }
        for link in effects.probe {
            self.spawn(probe(self.clone(), peer, link));
        }
        if let Some(due) = effects.timer {
            self.spawn(look_again(self.clone(), peer, due));
        }
    }

    /// Changes a peer's connections, and does what follows from it.
    fn change(
        self: &Arc<Self>,
        peer: PeerId,
        change: impl FnOnce(&mut Connections, Micros) -> Effects,
    ) {
        let effects = {
            let mut connections = self.connections();
            let effects = change(&mut connections, self.now().mono);
            self.publish(peer, &effects);
            effects
        };
        self.act(peer, effects);
    }

    /// The number of open streams changed on one of several connections with a peer.
    pub(super) fn streams_changed(self: &Arc<Self>, link: &Link) {
        if let Some(peer) = link.confirmed() {
            self.change(peer, |connections, now| {
                connections.streams(now, peer, link)
            });
        }
    }

    /// Books a fault against the peer of `link`, if it is certain that the peer itself did it.
    pub(super) fn record_fault(&self, link: &Link, early: bool, protocol: u32, fault: Fault) {
        if let Some(evidence) = link.evidence(early, protocol) {
            self.book_fault(evidence, fault);
        }
    }

    /// Books a fault, and does what the peer's reputation then wants.
    pub(super) fn book_fault(&self, evidence: ConfirmedEvidence, fault: Fault) {
        let now = self.now().mono;
        let (peer, protocol) = (evidence.peer(), evidence.protocol());
        let (verdict, score) = {
            let reputation = &mut self.connections().reputation;
            let verdict = reputation.record(now, evidence, fault);
            (verdict, reputation.score(now, &peer))
        };
        self.emit(SwarmEvent::FaultRecorded {
            peer,
            protocol,
            fault,
            score,
        });
        match verdict {
            Verdict::Keep => {}
            Verdict::Close => _ = self.close_peer(&peer, ErrorCode::Misbehaved),
            Verdict::Ban(span) => self.ban(peer, span, BanReason::Reputation(fault)),
        }
    }

    /// Disconnects a peer and talks to it no more for `span`.
    pub(super) fn ban(&self, peer: PeerId, span: Duration, reason: BanReason) {
        let links = {
            let mut connections = self.connections();
            connections.bans.ban(self.now().mono, peer, span, reason);
            self.emit(SwarmEvent::PeerBanned { peer, span });
            connections.links_of(&peer)
        };
        for link in links {
            link.connection.close(ErrorCode::Banned);
        }
    }
}

/// Takes the peer's streams until the connection ends.
async fn serve_connection(inner: Arc<Inner>, link: Arc<Link>, peer: PeerId) {
    let reason = tokio::select! {
        biased;
        // First, so that messages that came just before the end are taken.
        reason = take_unidirectional(&inner, &link) => reason,
        reason = take_bidirectional(&inner, &link) => reason,
    };
    inner.lost(peer, &link, reason);
}

async fn take_bidirectional(inner: &Arc<Inner>, link: &Arc<Link>) -> CloseReason {
    loop {
        match link.connection.accept_bi().await {
            Ok((send, receive)) => {
                let task = serve::bidirectional(inner.clone(), link.clone(), send, receive);
                inner.run(Box::pin(task)).await;
            }
            Err(reason) => return reason,
        }
    }
}

async fn take_unidirectional(inner: &Arc<Inner>, link: &Arc<Link>) -> CloseReason {
    loop {
        match link.connection.accept_uni().await {
            Ok(receive) => {
                let task = serve::unidirectional(inner.clone(), link.clone(), receive);
                inner.run(Box::pin(task)).await;
            }
            Err(reason) => return reason,
        }
    }
}

/// Asks a connection for a sign of life and reports the first packet on it.
async fn probe(inner: Arc<Inner>, peer: PeerId, link: Arc<Link>) {
    let before = link.connection.stats().datagrams_received;
    link.connection.kick();
    // Also after the verdict: a late answer may still save the connection.
    while link.connection.close_reason().is_none() && link.is_contested() {
        sleep(PROBE_POLL).await;
        let has_come = link.connection.stats().datagrams_received > before;
        // The last one may have been its end.
        if has_come && link.connection.close_reason().is_none() {
            return inner.change(peer, |connections, now| {
                connections.heard(now, peer, link.id)
            });
        }
    }
}

/// Closes a connection that is not needed any more, but not before the other end has the one that stays:
/// for it the two may be one until then, and requests of its would be cut off.
async fn close_when_held(link: Arc<Link>, survivor: Arc<Link>) {
    let end = Instant::now() + FOLLOWER_PATIENCE;
    while Instant::now() < end && !survivor.is_held() {
        if survivor.connection.close_reason().is_some() || link.connection.close_reason().is_some()
        {
            break;
        }
        sleep(PROBE_POLL).await;
    }
    link.connection.close(ErrorCode::Redundant);
}

/// Looks at a peer's connections again when a wait of theirs is over.
async fn look_again(inner: Arc<Inner>, peer: PeerId, due: Micros) {
    let wait = due.since(inner.now().mono);
    sleep_until(Instant::now() + wait).await;
    inner.change(peer, |connections, now| connections.timer(now, peer));
}
