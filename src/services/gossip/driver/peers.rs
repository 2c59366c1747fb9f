//! Peers come and go.

use std::time::Duration;

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

impl Driver {
    pub(super) fn swarm_event(&mut self, event: SwarmEvent) {
        match event {
            SwarmEvent::PeerIdentified { peer } => self.consider(peer),
            SwarmEvent::PeerConnected {
                peer, generation, ..
            } => {
                self.leave_if_over(&peer, generation);
                self.consider(peer);
            }
            SwarmEvent::PeerDisconnected { peer, .. } => self.disconnected(peer),
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
            if let Some(current) = self.parts.caller.carrier(&peer) {
                self.leave_if_over(&peer, current.generation());
            }
            self.consider(peer);
        }
        for peer in self.links.all() {
            self.disconnected(peer);
        }
    }

    pub(super) fn inbound(&mut self, inbound: Inbound) {
        match inbound {
            Inbound::Opened {
                peer,
                generation,
                ready,
            } => {
                let current = self.parts.caller.carrier(&peer);
                // Nobody would miss a peer that is gone, and with which nothing is under way: its reader ends with
                // `ready`.
                if current.is_some() || self.links.session(&peer).is_some() {
                    self.links.wait(peer, generation, ready);
                    self.links.ready(&peer);
                    // It speaks gossip: no introduction needs to be waited for.
                    if current.is_some_and(|current| current.generation() == generation) {
                        self.follow(peer);
                    } else {
                        self.settle_later(peer);
                    }
                }
            }
            Inbound::Ended { peer, generation } => self.unread(peer, generation),
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
                self.unwritten(peer, generation);
            }
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
        if speaks == Some(true) || self.links.speaks(&peer) {
            self.follow(peer);
            self.tell_place(peer);
        }
    }

    /// Begins with a peer on its current connection, unless that is under way.
    pub(super) fn begin(&mut self, peer: PeerId) {
        if self.closing.is_some() {
            return;
        }
        let Some(carrier) = self.parts.caller.carrier(&peer) else {
            return;
        };
        let generation = carrier.generation();
        if self.links.is_over(&peer, generation) {
            return;
        }
        let session = self.links.session(&peer);
        if session.is_some_and(|session| session.generation == generation) {
            return self.links.ready(&peer);
        }
        self.end(&peer);
        let group = match carrier.path() {
            Path::Direct { group, .. } => group,
            Path::Relayed { relay_group, .. } => relay_group,
        };
        let (link, batches) = self.links.begin(peer, generation);
        let is_outbound = carrier.direction() == Direction::Outgoing;
        self.carriers.insert(peer, carrier.clone());
        let told = self.written.clone();
        self.writers += 1;
        self.work.spawn(async move {
            outbound::write(carrier, peer, batches, told).await;
            Work::Over
        });
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
            // Who takes nothing any more is not waited for.
            if session.is_some_and(|one| one.ends_at().is_some() || self.has_enough(one.link)) {
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

    /// Ends what is under way with a peer, and forgets a peer that is gone.
    pub(super) fn end(&mut self, peer: &PeerId) {
        let carrier = self.carriers.remove(peer);
        if let Some(link) = self.links.end(peer) {
            if let Some(evidence) = carrier.and_then(|carrier| carrier.evidence(PROTOCOL)) {
                self.links.keep(evidence);
            }
            self.feed(Input::Disconnected(link));
        }
        if self.parts.caller.carrier(peer).is_none() {
            self.links.disconnected(peer);
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
