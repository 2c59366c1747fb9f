//! How connections come and go.

use std::time::Duration;

use super::World;
use crate::gossip::{Input, Link};
use crate::policy::Micros;
use crate::sim::gossip::events::Event;
use crate::sim::gossip::line::{Carried, Dial, Line, LineId, Parcel};
use crate::sim::gossip::{Build, NodeId, Role, Settings};

impl World {
    /// Makes two nodes neighbours: the one dials the other now, over a link of a drawn latency.
    pub fn connect(&mut self, dialler: NodeId, listener: NodeId) {
        let latency = self.draw_latency();
        self.connect_at(self.now, dialler, listener, latency);
    }

    /// The latency of another link.
    pub fn draw_latency(&mut self) -> Duration {
        self.model.draw_latency(&mut self.places)
    }

    /// Makes two nodes neighbours: the one dials the other at a later time, over a link of this latency
    /// one way. The handshake takes a round trip.
    pub fn connect_at(&mut self, at: Micros, dialler: NodeId, listener: NodeId, latency: Duration) {
        let number = u32::try_from(self.lines.len()).unwrap_or(u32::MAX);
        let line = LineId(number);
        for (id, from, to) in [(line, dialler, listener), (line.back(), listener, dialler)] {
            // The receiver's number of the sender is its next.
            let link = Link(self.nodes[to.index()].lines.len() as u64);
            self.nodes[to.index()].lines.push(id.back());
            self.lines.push(Line::new(to, link, latency));
            debug_assert_ne!(from, to, "nobody is its own neighbour");
        }
        self.nearest = self.nearest.into_iter().chain([latency]).min();
        self.events
            .plan_shared(at + latency * 2, Event::Dialled(line));
    }

    /// A handshake is done at its dialler.
    pub(super) fn dialled(&mut self, line: LineId) {
        let (dialler, listener) = self.ends(line);
        let is_banned = self.lines[line.index()].is_banned;
        if is_banned || !self.is_alive(dialler) || !self.is_alive(listener) {
            return;
        }
        self.lose(line);
        self.dials += 1;
        let dial = Dial(self.dials);
        for one in [line, line.back()] {
            self.lines[one.index()].renew(self.now);
        }
        self.carry(line, dial, Carried::Opened);
        self.open(line, dial);
    }

    /// A node has a connection.
    pub(super) fn open(&mut self, line: LineId, dial: Dial) {
        let (own, other) = self.ends(line);
        self.lines[line.index()].open = Some(dial);
        let link = self.lines[line.back().index()].link;
        let identity = &self.nodes[other.index()].identity;
        let (group, contact) = (identity.group, identity.contact.clone());
        let is_outbound = line.is_diallers();
        self.tell(
            own,
            Input::Connected {
                link,
                group,
                is_outbound,
            },
        );
        self.tell(own, Input::Reachable { link, contact });
    }

    /// A node has a connection no more, if it had one.
    pub(super) fn lose(&mut self, line: LineId) {
        let (own, _) = self.ends(line);
        if self.lines[line.index()].open.take().is_some() {
            let link = self.lines[line.back().index()].link;
            self.tell(own, Input::Disconnected(link));
        }
    }

    /// A node closes a connection for good, from within its machine's outputs.
    pub(super) fn ban(&mut self, line: LineId) {
        for one in [line, line.back()] {
            self.lines[one.index()].is_banned = true;
        }
        let Some(dial) = self.lines[line.index()].open.take() else {
            return;
        };
        self.carry(line, dial, Carried::Closed);
        let link = self.lines[line.back().index()].link;
        self.answers.push(Input::Disconnected(link));
    }

    /// A node stops without a word. Its neighbours notice after the idle timeout.
    pub fn crash(&mut self, id: NodeId) {
        if !self.is_alive(id) {
            return;
        }
        let now = self.now;
        self.nodes[id.index()].stop(now);
        for place in 0..self.nodes[id.index()].lines.len() {
            let line = self.nodes[id.index()].lines[place];
            self.lines[line.index()].cut(now);
            self.lines[line.index()].open = None;
            let Some(dial) = self.lines[line.back().index()].open else {
                continue;
            };
            let at = now + self.model.idle_timeout;
            self.put(line, at, dial, Carried::Closed);
        }
    }

    /// A node reads nothing from now on, and is counted no more.
    pub fn deafen(&mut self, id: NodeId) {
        self.nodes[id.index()].role = Role::Deaf;
    }

    /// A node that stopped comes back, as somebody who knows nothing: it, or whoever dialled it
    /// before, dials again. What it publishes is of a higher epoch.
    pub fn restart(&mut self, id: NodeId, settings: &Settings, build: Build<'_>) {
        if self.is_alive(id) {
            return;
        }
        let identity = self.nodes[id.index()].identity.clone();
        let machine = self.build(&identity, settings, build);
        let now = self.now;
        let node = &mut self.nodes[id.index()];
        node.machine = machine;
        node.wake(now);
        for line in node.lines.clone() {
            let dialled = if line.is_diallers() {
                line
            } else {
                line.back()
            };
            let handshake = self.lines[line.index()].latency * 2;
            self.events
                .plan_shared(now + handshake, Event::Dialled(dialled));
        }
        self.subscribe(id);
    }

    /// Sends what is no frame.
    fn carry(&mut self, line: LineId, dial: Dial, carried: Carried) {
        let latency = self.lines[line.index()].latency;
        let transit = self.model.draw_transit(latency, &mut self.packets);
        self.put(line, self.now + transit, dial, carried);
    }

    fn put(&mut self, line: LineId, at: Micros, dial: Dial, carried: Carried) {
        let left = self.now;
        let parcel = Parcel {
            at,
            left,
            dial,
            carried,
        };
        if let Some(at) = self.lines[line.index()].push(parcel) {
            self.plan_arrival(at, line);
        }
    }

    /// Who sends on a line, and who receives.
    pub(super) fn ends(&self, line: LineId) -> (NodeId, NodeId) {
        let from = self.lines[line.back().index()].to;
        (from, self.lines[line.index()].to)
    }
}
