//! Which nodes of the world are connected.

use std::time::Duration;

use super::{Input, Node, NodeId, What, World};

/// Strangers come to a node one after the other: it asks eight newcomers at once for a sign of life, and looks
/// at the next ones when these have answered, within two or three round trips.
const TURN: Duration = Duration::from_millis(50);

/// How long a stranger stays: it is asked again if there was no time for it when it came.
const STAY: Duration = Duration::from_secs(15);

impl World {
    /// A stranger connects with a node as soon as those that came before it have had their turns, says who it is,
    /// and leaves after a while.
    pub fn introduce(&mut self, stranger: NodeId, to: NodeId) {
        let now = self.now;
        let Some(node) = self.node_mut(to) else {
            return;
        };
        let at = node.next_turn.max(now);
        node.next_turn = at + TURN;
        self.events.plan(at, to, What::Came(stranger));
        self.events.plan(at + STAY, to, What::Left(stranger));
    }

    pub(super) fn came(&mut self, stranger: NodeId, to: NodeId) {
        self.uses += 1;
        let uses = self.uses;
        if let Some(node) = self.node_mut(stranger) {
            node.dialled.insert(to, uses);
        }
        if let Some(node) = self.node_mut(to) {
            node.dialled_by.insert(stranger, ());
        }
        self.meet(to, stranger);
    }

    /// A node is connected with another, and hears who it is.
    fn meet(&mut self, node: NodeId, other: NodeId) {
        let rtt = self.model.rtt(self.seed, node, other);
        let contact = self.contact(other);
        let peer = contact.peer;
        self.input(node, Input::Connected { peer, rtt });
        let is_server = true;
        self.input(node, Input::Met { contact, is_server });
    }

    /// Whether two nodes are connected; that they are used is noted.
    pub(super) fn use_link(&mut self, from: NodeId, to: NodeId) -> bool {
        self.uses += 1;
        let uses = self.uses;
        let Some(node) = self.node_mut(from) else {
            return false;
        };
        if let Some(used) = node.dialled.get_mut(&to) {
            *used = uses;
        }
        node.is_connected(to)
    }

    /// Two nodes are connected from now on; the least recently used connection of the one that dialled
    /// makes room.
    pub(super) fn connect(&mut self, from: NodeId, to: NodeId) {
        let is_connected = |one: &Node| one.is_connected(to);
        if self.model.all_warm || self.node(from).is_some_and(is_connected) {
            return;
        }
        self.uses += 1;
        let (uses, most) = (self.uses, self.model.warm_links);
        let mut closed = None;
        if let Some(node) = self.node_mut(from) {
            if node.dialled.len() >= most {
                let oldest = node.dialled.iter().min_by_key(|(_, used)| **used);
                closed = oldest.map(|(other, _)| *other);
            }
            node.dialled.insert(to, uses);
        }
        if let Some(node) = self.node_mut(to) {
            node.dialled_by.insert(from, ());
        }
        for (one, other) in [(from, to), (to, from)] {
            self.meet(one, other);
        }
        if let Some(closed) = closed {
            self.disconnect(from, closed);
        }
    }

    pub(super) fn disconnect(&mut self, from: NodeId, to: NodeId) {
        if let Some(node) = self.node_mut(from) {
            node.dialled.remove(&to);
        }
        if let Some(node) = self.node_mut(to) {
            node.dialled_by.remove(&from);
        }
        for (one, other) in [(from, to), (to, from)] {
            if !self.node(one).is_some_and(|node| node.is_connected(other)) {
                let peer = self.contact(other).peer;
                self.input(one, Input::Disconnected(peer));
            }
        }
    }
}
