//! Members of a mesh that bring nothing give their places to neighbours that bring messages.
//!
//! An attacker with twenty links for each honest one takes most places of a mesh that begins, and all
//! that are free later, by saying GRAFT. Where links are chosen by source the mesh says who sends the messages of
//! publishers of whom nothing is known yet: such members keep them back.

use super::{Gossip, Link, TopicHash};

/// Members of one mesh that are replaced at a heartbeat: of twelve, all within four.
const MOST_REPLACED: usize = 3;

impl Gossip {
    /// Idle members of a mesh are replaced by neighbours that bring messages, as long as there are such. Where
    /// enough members bring some, the other idle ones go, too.
    pub(super) fn replace_idle(&mut self, hash: &TopicHash) {
        if !self.counts_bringers(hash) {
            return;
        }
        let mut idle = self.idle(hash);
        idle.truncate(MOST_REPLACED);
        let better = self.candidates(hash).into_iter();
        let better = better.take_while(|link| self.brings(*link, hash));
        let better: Vec<_> = better.take(idle.len()).collect();
        if self.bringers(hash) < self.config.mesh_n_low {
            idle.truncate(better.len());
        }
        let backoff = self.config.prune_backoff;
        for member in idle {
            self.prune(member, *hash, backoff, false);
        }
        for link in better {
            self.graft(link, *hash);
        }
    }

    /// Whether a neighbour that brings nothing finds no place: enough members bring messages, and another one does not.
    pub(super) fn has_strangers_enough(&self, link: Link, hash: &TopicHash) -> bool {
        let bringers = self.bringers(hash);
        self.counts_bringers(hash)
            && !self.brings(link, hash)
            && bringers >= self.config.mesh_n_low
            && bringers < self.mesh(hash).count()
    }

    /// A neighbour that brings messages wants to join a mesh that is full: an idle member leaves it.
    pub(super) fn make_place(&mut self, link: Link, hash: TopicHash) {
        if !self.counts_bringers(&hash) || !self.brings(link, &hash) {
            return;
        }
        if let Some(member) = self.idle(&hash).first() {
            self.prune(*member, hash, self.config.prune_backoff, false);
        }
    }

    /// Whether it counts for a mesh who brings messages. In a plain one, and where nobody signs, whoever is far
    /// from all publishers brings nothing and is in its place all the same.
    pub(super) fn counts_bringers(&self, hash: &TopicHash) -> bool {
        let topic = self.topics.get(hash);
        self.sources.is_some() && topic.is_some_and(|topic| !topic.is_unsigned())
    }

    /// Whether a neighbour was the first to bring a message lately, and has not fallen silent since.
    pub(super) fn brings(&self, link: Link, hash: &TopicHash) -> bool {
        let neighbour = self.neighbours.get(&link);
        let brings = neighbour.is_some_and(|neighbour| neighbour.brings(self.now.mono));
        let topic = self.topics.get(hash);
        brings && topic.is_some_and(|topic| !topic.is_idle(link))
    }

    /// How many members bring messages.
    fn bringers(&self, hash: &TopicHash) -> usize {
        self.mesh(hash)
            .filter(|link| self.brings(*link, hash))
            .count()
    }

    /// Members that bring nothing, drawn by lot.
    fn idle(&mut self, hash: &TopicHash) -> Vec<Link> {
        let topic = self.topics.get(hash);
        let is_idle = |link: &Link| topic.is_some_and(|topic| topic.is_idle(*link));
        let mut idle: Vec<_> = self.mesh(hash).filter(is_idle).collect();
        self.shuffle(&mut idle);
        idle
    }
}
