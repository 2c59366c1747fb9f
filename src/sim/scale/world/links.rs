//! Which nodes of the world are connected.

use super::{Input, Node, NodeId, World};

impl World {
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
            let rtt = self.model.rtt(self.seed, one, other);
            let contact = self.contact(other);
            let peer = contact.peer;
            self.input(one, Input::Connected { peer, rtt });
            let is_server = true;
            self.input(one, Input::Met { contact, is_server });
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
