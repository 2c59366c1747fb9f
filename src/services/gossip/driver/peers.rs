//! Peers come and go.

use std::time::Duration;

use tokio::time::sleep;

use super::super::inbound::Inbound;
use super::super::outbound::{self, Outbound};
use super::super::{GossipError, NeighbourInfo};
use super::{Driver, MAX_OPINIONS, Work};
use crate::gossip::{Input, Link, TopicHash};
use crate::identity::PeerId;
use crate::p2p::{Direction, SwarmEvent};
use crate::services::discovery::introduced;
use crate::transport::Path;
use crate::wire::message::VERSION;
use crate::wire::message::gossip::PROTOCOL;

/// Longest that a node that stops waits for neighbours that take nothing of what was said.
const STALLED: Duration = Duration::from_secs(3);

/// Time after which gossip follows to a connection that replaced another one: when both ends dial at once,
/// the first choice may be taken back, and there is no second pair of streams on a connection. Longer than
/// that takes ([`PROBE_LIMIT`](crate::p2p::duplicates::PROBE_LIMIT) and a few round trips), shorter than
/// what lost is kept open.
const SETTLING: Duration = Duration::from_secs(1);

impl Driver {
    pub(super) fn swarm_event(&mut self, event: SwarmEvent) {
        match event {
            SwarmEvent::PeerIdentified { peer } | SwarmEvent::PeerConnected { peer, .. } => {
                self.consider(peer);
            }
            SwarmEvent::PeerDisconnected { peer, .. } => {
                self.end(&peer);
                self.links.disconnected(&peer);
            }
            SwarmEvent::FaultRecorded { peer, .. } => self.veto(peer),
            _ => {}
        }
    }

    /// Events were missed: what is true now counts.
    pub(super) fn look_again(&mut self) {
        let Some(swarm) = self.parts.swarm.upgrade() else {
            return;
        };
        for peer in swarm.connected_peers() {
            self.consider(peer);
        }
        for peer in self.links.all() {
            if self.parts.caller.current(&peer).is_none() {
                self.end(&peer);
                self.links.disconnected(&peer);
            }
        }
    }

    pub(super) fn inbound(&mut self, inbound: Inbound) {
        match inbound {
            Inbound::Opened {
                peer,
                generation,
                ready,
            } => {
                // It speaks gossip: no introduction needs to be waited for. One that is gone already would never be
                // missed: its reader ends with `ready`.
                if let Some((current, _)) = self.parts.caller.current(&peer) {
                    self.links.wait(peer, generation, ready);
                    if current == generation {
                        self.follow(peer);
                    }
                }
            }
            Inbound::Ended { peer, generation } => self.ended(&peer, generation),
            Inbound::Frames {
                peer,
                generation,
                frames,
            } => {
                let session = self.links.session(&peer);
                let session = session.filter(|session| session.generation == generation);
                if let Some(link) = session.map(|session| session.link) {
                    let frames = frames.into_iter();
                    self.feed_all(frames.map(|(kind, body)| Input::Frame { link, kind, body }));
                }
            }
        }
    }

    pub(super) fn outbound(&mut self, outbound: Outbound) {
        match outbound {
            Outbound::Written { peer, generation } => {
                let session = self.links.session(&peer);
                let session = session.filter(|session| session.generation == generation);
                if let Some(link) = session.map(|session| session.link) {
                    self.written_at = self.now();
                    self.feed(Input::Writable(link));
                }
            }
            Outbound::Ended { peer, generation } => {
                self.writers = self.writers.saturating_sub(1);
                self.ended(&peer, generation);
            }
        }
    }

    /// One stream of a pair has ended: the pair is over.
    fn ended(&mut self, peer: &PeerId, generation: u64) {
        let session = self.links.session(peer);
        if session.is_some_and(|session| session.generation == generation) {
            self.end(peer);
        }
    }

    /// Begins with a peer if it speaks gossip.
    fn consider(&mut self, peer: PeerId) {
        let Some(swarm) = self.parts.swarm.upgrade() else {
            return;
        };
        let speaks = swarm.with_book(|book, _| {
            let entry = book.get(&peer)?;
            let mut protocols = entry.protocols().iter();
            Some(protocols.any(|one| one.number == PROTOCOL && one.speaks(VERSION)))
        });
        if speaks == Some(true) || self.links.session(&peer).is_some() {
            self.follow(peer);
            self.tell_place(peer);
        }
    }

    /// Begins with a peer, or follows to its current connection once it is clear that it stays so.
    fn follow(&mut self, peer: PeerId) {
        let current = self.parts.caller.current(&peer);
        let session = self.links.session(&peer);
        let is_elsewhere = session.zip(current);
        if is_elsewhere.is_some_and(|(session, (current, _))| session.generation != current) {
            self.work.spawn(async move {
                sleep(SETTLING).await;
                Work::Settled(peer)
            });
        } else {
            self.begin(peer);
        }
    }

    /// Begins with a peer on its current connection, unless that is under way.
    pub(super) fn begin(&mut self, peer: PeerId) {
        if self.closing.is_some() {
            return;
        }
        let Some((generation, direction)) = self.parts.caller.current(&peer) else {
            return;
        };
        if self.links.is_over(&peer, generation) {
            return;
        }
        let session = self.links.session(&peer);
        if session.is_some_and(|session| session.generation == generation) {
            return self.links.ready(&peer);
        }
        self.end(&peer);
        let Some(connection) = self.parts.caller.connection(&peer) else {
            return;
        };
        let group = match connection.path() {
            Path::Direct { group, .. } => group,
            Path::Relayed { relay_group, .. } => relay_group,
        };
        let (link, batches) = self.links.begin(peer, generation);
        let (caller, told) = (self.parts.caller.clone(), self.written.clone());
        self.writers += 1;
        self.work.spawn(async move {
            outbound::write(caller, peer, generation, batches, told).await;
            Work::Over
        });
        let is_outbound = direction == Direction::Outgoing;
        self.feed(Input::Connected {
            link,
            group,
            is_outbound,
        });
        if self.parts.explicit.contains(&peer) {
            self.feed(Input::Explicit(link));
        }
        if let Some(points) = self.opinions.get(&peer) {
            let value = *points;
            self.feed(Input::Opinion { link, value });
        }
        self.veto(peer);
    }

    /// The program says what it thinks of a peer.
    pub(super) fn think(&mut self, peer: PeerId, points: f64) -> Result<(), GossipError> {
        if points == 0.0 {
            self.opinions.remove(&peer);
        } else if self.opinions.len() < MAX_OPINIONS || self.opinions.contains_key(&peer) {
            self.opinions.insert(peer, points);
        } else {
            return Err(GossipError::TooManyOpinions);
        }
        if let Some(link) = self.links.session(&peer).map(|session| session.link) {
            let value = points;
            self.feed(Input::Opinion { link, value });
        }
        Ok(())
    }

    /// Tells the machine where others find a peer, as far as they may know.
    fn tell_place(&mut self, peer: PeerId) {
        let link = self.links.session(&peer).map(|session| session.link);
        if let (Some(swarm), Some(link)) = (self.parts.swarm.upgrade(), link)
            && let Some((contact, _)) = introduced(&swarm, peer)
        {
            self.feed(Input::Reachable { link, contact });
        }
    }

    /// Lets go of neighbours for whom nothing waits; whether the streams to all have ended.
    pub(super) fn close(&mut self) -> bool {
        let gave = self.parts.machine.gave_chunk_at();
        let moved = gave.max(self.written_at).max(self.closed_at);
        if self.now().since(moved) >= STALLED {
            return true;
        }
        for peer in self.links.peers() {
            let session = self.links.session(&peer);
            let link = session.map(|session| session.link);
            if link.is_some_and(|link| self.has_enough(link)) {
                self.end(&peer);
            }
        }
        self.links.peers().is_empty() && self.writers == 0
    }

    /// Whether nothing waits for a neighbour of a node that stops. What others say may never end: after a
    /// while only what this node said counts.
    fn has_enough(&self, link: Link) -> bool {
        let machine = &self.parts.machine;
        let is_late = self.now().since(self.closed_at) >= STALLED;
        machine.is_idle(link) || (is_late && !machine.has_own(link))
    }

    pub(super) fn end(&mut self, peer: &PeerId) {
        if let Some(link) = self.links.end(peer) {
            self.feed(Input::Disconnected(link));
        }
    }

    fn veto(&mut self, peer: PeerId) {
        let Some(swarm) = self.parts.swarm.upgrade() else {
            return;
        };
        let link = self.links.session(&peer).map(|session| session.link);
        if let Some(link) = link
            && swarm.reputation(&peer) <= self.parts.veto_at
        {
            self.feed(Input::Veto(link));
        }
    }

    pub(super) fn neighbours(&self, topic: &TopicHash) -> Vec<NeighbourInfo> {
        let neighbours = self.parts.machine.neighbours(topic);
        let named = neighbours.filter_map(|(link, in_mesh, score)| {
            let peer = self.links.peer(link)?;
            Some(NeighbourInfo {
                peer,
                in_mesh,
                score,
            })
        });
        named.collect()
    }
}
