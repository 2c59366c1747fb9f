//! What can be seen of the world from outside.

use std::time::Duration;

use super::{Accusation, World};
use crate::gossip::{Event as Happened, Link};
use crate::policy::Micros;
use crate::sim::gossip::{Identity, NodeId, Reach, Role, Traffic};

impl World {
    /// Whether a node runs.
    #[must_use]
    pub fn is_alive(&self, node: NodeId) -> bool {
        self.nodes[node.index()].is_alive
    }

    /// Who a node is.
    #[must_use]
    pub fn identity(&self, node: NodeId) -> &Identity {
        &self.nodes[node.index()].identity
    }

    /// What a node is.
    #[must_use]
    pub fn role(&self, node: NodeId) -> Role {
        self.nodes[node.index()].role
    }

    /// All nodes that were ever added.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..).map(NodeId).take(self.nodes.len())
    }

    /// A node's neighbours, and how far they are.
    #[must_use]
    pub fn neighbours(&self, node: NodeId) -> Vec<(NodeId, Duration)> {
        let lines = self.nodes[node.index()].lines.iter();
        let lines = lines.map(|line| &self.lines[line.index()]);
        lines.map(|line| (line.to, line.latency)).collect()
    }

    /// The neighbours in a node's mesh.
    #[must_use]
    pub fn mesh(&self, node: NodeId) -> Vec<NodeId> {
        let links = self.nodes[node.index()].machine.mesh(&self.topic);
        let lines = links.iter().filter_map(|link| self.line_of(node, *link));
        lines.map(|line| self.lines[line.index()].to).collect()
    }

    /// Of all places in the meshes of those honest nodes that run and have an attacker for a neighbour,
    /// the share that attackers have; none if there are no places.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a few thousand")]
    pub fn attackers_in_meshes(&self) -> Option<f64> {
        let is_attacker = |node: NodeId| self.role(node) == Role::Attacker;
        let honest = self.nodes().filter(|node| self.is_counted(*node));
        let attacked = honest.filter(|node| {
            let lines = &self.nodes[node.index()].lines;
            lines
                .iter()
                .any(|line| is_attacker(self.lines[line.index()].to))
        });
        let (mut taken, mut all) = (0_u64, 0_u64);
        for neighbour in attacked.flat_map(|node| self.mesh(node)) {
            all += 1;
            taken += u64::from(is_attacker(neighbour));
        }
        (all > 0).then(|| taken as f64 / all as f64)
    }

    /// The lowest score that an honest node has with an honest neighbour, among those that run.
    #[must_use]
    pub fn lowest_honest_score(&self) -> Option<f64> {
        let honest = self.nodes().filter(|node| self.is_counted(*node));
        let scores = honest.flat_map(|id| {
            let node = &self.nodes[id.index()];
            let links = self.links_of(id).filter(|(_, to)| self.is_counted(*to));
            links.filter_map(|(link, _)| node.machine.score(link))
        });
        scores.min_by(f64::total_cmp)
    }

    /// Bytes that wait at a node for a neighbour.
    #[must_use]
    pub fn waiting(&self, id: NodeId, neighbour: NodeId) -> usize {
        let link = self.links_of(id).find(|(_, to)| *to == neighbour);
        link.map_or(0, |(link, _)| self.nodes[id.index()].machine.waiting(link))
    }

    /// The numbers that a node has for its neighbours.
    fn links_of(&self, node: NodeId) -> impl Iterator<Item = (Link, NodeId)> + '_ {
        let lines = self.nodes[node.index()].lines.iter();
        let neighbours = lines.map(|line| self.lines[line.index()].to);
        (0..).map(Link).zip(neighbours)
    }

    /// Since when nothing more is taken off a node's hands for a neighbour that does not read.
    #[must_use]
    pub fn stalled(&self, node: NodeId, neighbour: NodeId) -> Option<Micros> {
        let lines = self.nodes[node.index()].lines.iter();
        let mut lines = lines.map(|line| &self.lines[line.index()]);
        lines.find(|line| line.to == neighbour)?.stalled
    }

    /// From now on, what is published belongs to this stage of the run.
    pub const fn begin_stage(&mut self, stage: usize) {
        self.ledger.stage = stage;
    }

    /// Whom the messages of a stage reached so far.
    #[must_use]
    pub fn reach(&self, stage: usize) -> Reach {
        self.ledger.reach(stage, &self.nodes)
    }

    /// Some of the messages that did not reach whom they should: who published when, and who missed
    /// it.
    #[must_use]
    pub fn missing(&self, most: usize) -> Vec<(NodeId, Micros, NodeId)> {
        self.ledger.missing(most, &self.nodes)
    }

    /// What went over the network since the last call.
    pub fn take_traffic(&mut self) -> Traffic {
        std::mem::take(&mut self.traffic)
    }

    /// What the machines told since the last call, but for who joined and left a mesh. Nodes are run one after the
    /// other for a few milliseconds each: only what one node told is in order.
    pub fn take_happened(&mut self) -> Vec<(Micros, NodeId, Happened)> {
        std::mem::take(&mut self.happened)
    }

    /// The first accusations, whoever they are of.
    #[must_use]
    pub fn accusations(&self) -> &[Accusation] {
        &self.accusations
    }

    /// Accusations of honest nodes by honest nodes: faults of the machine.
    #[must_use]
    pub const fn accused(&self) -> u64 {
        self.accused
    }

    /// Inputs that machines were handed.
    #[must_use]
    pub const fn handled(&self) -> u64 {
        self.handled
    }
}
