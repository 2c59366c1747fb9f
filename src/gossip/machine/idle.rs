//! Members of a mesh that bring nothing give their places to neighbours that bring messages.
//!
//! An attacker with twenty links for each honest one takes most places of a mesh that begins, and all
//! that are free later, by saying GRAFT. Where links are chosen by source the mesh says who sends the messages of
//! publishers of whom nothing is known yet: such members keep them back.

use std::cmp::Ordering;

use super::topic::Why;
use super::{Gossip, Link, TopicHash};

/// Members of one mesh that are replaced at a heartbeat: of twelve, all within four.
const MOST_REPLACED: usize = 3;

impl Gossip {
    /// At a heartbeat idle members of every mesh are replaced by neighbours that bring messages, as long as there
    /// are such. Where enough members bring some, the other idle ones go, too, as long as the mesh is large enough
    /// without them.
    pub(super) fn replace_idle(&mut self) {
        let hashes: Vec<_> = self.topics.keys().copied().collect();
        for hash in hashes {
            if self.counts_bringers(&hash) {
                self.replace_idle_in(&hash);
            }
        }
    }

    /// Whether a neighbour that dialled in and deserves it finds a place in a mesh.
    pub(super) fn finds_place(&mut self, link: Link, hash: TopicHash) -> bool {
        match self.mesh(&hash).count().cmp(&self.config.mesh_n_high) {
            Ordering::Less => !self.has_enough(link, &hash),
            Ordering::Equal => self.make_place(link, hash),
            Ordering::Greater => false,
        }
    }

    fn replace_idle_in(&mut self, hash: &TopicHash) {
        if let Some(topic) = self.topics.get_mut(hash) {
            topic.replaced = 0;
        }
        let mut idle = self.idle(hash);
        idle.truncate(MOST_REPLACED);
        let better = self.candidates(hash).into_iter();
        let better = better.take_while(|link| self.brings(*link, hash));
        let better: Vec<_> = better.take(idle.len()).collect();
        let is_served = self.bringers(hash) >= self.config.mesh_n_low;
        let surplus = self.mesh(hash).count().saturating_sub(self.config.mesh_n);
        idle.truncate(better.len().max(if is_served { surplus } else { 0 }));
        for member in idle {
            self.prune(member, *hash, self.config.prune_backoff, Why::Idle);
        }
        for link in better {
            self.graft(link, *hash);
        }
    }

    /// Whether enough members bring messages for a neighbour that dialled in to find no place: where there are more
    /// than the mesh aims at, whatever it brings, for nineteen of twenty may be an attacker's, who bring all but what
    /// counts; and else where it brings nothing, and another one does not.
    fn has_enough(&self, link: Link, hash: &TopicHash) -> bool {
        let (members, bringers) = (self.mesh(hash).count(), self.bringers(hash));
        let is_stranger = bringers < members && !self.brings(link, hash);
        self.counts_bringers(hash)
            && bringers >= self.config.mesh_n_low
            && (members > self.config.mesh_n || is_stranger)
    }

    /// A neighbour that brings messages joins a mesh that is full: an idle member leaves it. `false` if there is
    /// none, or if enough did since the last heartbeat.
    fn make_place(&mut self, link: Link, hash: TopicHash) -> bool {
        if !self.counts_bringers(&hash) || !self.brings(link, &hash) {
            return false;
        }
        let Some(member) = self.idle(&hash).first().copied() else {
            return false;
        };
        let Some(topic) = self.topics.get_mut(&hash) else {
            return false;
        };
        if topic.replaced >= MOST_REPLACED {
            return false;
        }
        topic.replaced += 1;
        self.prune(member, hash, self.config.prune_backoff, Why::Idle);
        true
    }

    /// Whether it counts for a mesh who brings messages. In a plain one, and where nobody signs, whoever is far
    /// from all publishers brings nothing and is in its place all the same.
    pub(super) fn counts_bringers(&self, hash: &TopicHash) -> bool {
        let topic = self.topics.get(hash);
        self.sources.is_some() && topic.is_some_and(|topic| !topic.is_unsigned())
    }

    /// Whether a neighbour brings messages of a topic.
    pub(super) fn brings(&self, link: Link, hash: &TopicHash) -> bool {
        let topic = self.topics.get(hash);
        topic.is_some_and(|topic| topic.contributions.brings(link, self.now.mono))
    }

    /// How many members bring messages.
    fn bringers(&self, hash: &TopicHash) -> usize {
        let members = self.mesh(hash);
        members.filter(|link| self.brings(*link, hash)).count()
    }

    /// Members that bring nothing, drawn by lot. As many as a mesh needs of those that this node dialled stay: an
    /// attacker does not choose them.
    fn idle(&mut self, hash: &TopicHash) -> Vec<Link> {
        let (now, topic) = (self.now.mono, self.topics.get(hash));
        let is_idle =
            |link: &Link| topic.is_some_and(|topic| topic.contributions.is_idle(*link, now));
        let mut idle: Vec<_> = self.mesh(hash).filter(is_idle).collect();
        let dialled = self.outbound(hash);
        let mut may_go = dialled.saturating_sub(self.config.mesh_outbound_min);
        self.shuffle(&mut idle);
        idle.retain(|link| {
            let is_dialled = self.is_outbound(*link);
            let goes = !is_dialled || may_go > 0;
            may_go = may_go.saturating_sub(usize::from(is_dialled));
            goes
        });
        idle
    }
}
