//! Who belongs to a mesh.

use std::time::Duration;

use super::neighbour::{Neighbour, Reading};
use super::rates::Heard;
use super::topic::{Topic, Why};
use super::{Event, Gossip, Link, TopicHash, TopicOptions};
use crate::policy::IpGroup;
use crate::wire::Address;
use crate::wire::codec::{List, SharedList};
use crate::wire::message::discovery::Contact;
use crate::wire::message::gossip::{self as wire, MAX_TOPICS, Prune, Subscribe, Topics};

/// Heartbeats after which a neighbour that was refused may be taken back. It demands one: what waits in its queue
/// for longer than the other three has stalled, and it is about to be out of all meshes.
const TAKEN_BACK_AFTER: u32 = 4;

impl Gossip {
    pub(super) fn connected(&mut self, link: Link, group: IpGroup, is_outbound: bool) {
        self.disconnected(link);
        let heard = Heard::new(&self.config.rates, self.now.mono);
        let neighbour = Neighbour::new(group, is_outbound, &self.config.queue, heard);
        self.neighbours.insert(link, neighbour);
        self.score.connected(self.now.mono, link, group);
        let subscribed = self
            .topics
            .iter()
            .filter(|(_, topic)| topic.is_subscribed());
        let subscribed: Vec<_> = subscribed.map(|(hash, _)| *hash).collect();
        for part in subscribed.chunks(MAX_TOPICS) {
            self.tell_subscriptions(link, part);
        }
        self.beats.soon(self.now.mono, &self.config);
    }

    pub(super) fn disconnected(&mut self, link: Link) {
        let Some(neighbour) = self.neighbours.remove(&link) else {
            return;
        };
        for topic in neighbour.theirs.topics() {
            self.audience.leave(&topic, link);
        }
        if neighbour.has_wishes() {
            self.wishes.forget();
        }
        self.touched.retain(|touched| *touched != link);
        self.transfers.lose(link);
        self.pulls.release(link);
        for topic in self.topics.values_mut() {
            topic.leave(link);
            topic.fanout.remove(&link);
            topic.contributions.left(link);
        }
        self.score.disconnected(self.now.mono, link);
        if let Some(sources) = &mut self.sources {
            sources.left(self.now.mono, link);
        }
        self.beats.soon(self.now.mono, &self.config);
    }

    /// Messages are always exchanged with a neighbour from now on. In a mesh it would take the place of one
    /// that needs it.
    pub(super) fn agreed(&mut self, link: Link) {
        if let Some(neighbour) = self.neighbours.get_mut(&link) {
            neighbour.is_explicit = true;
            self.leave_meshes(link);
        }
        for topic in self.topics.values_mut() {
            topic.fanout.remove(&link);
        }
    }

    pub(super) fn writable(&mut self, link: Link) {
        let Some(neighbour) = self.touch(link) else {
            return;
        };
        neighbour.outbox.writable();
        let was_slow = neighbour.is_slow();
        // Who takes a little now and then, of much that waits, is told of once.
        if was_slow || neighbour.outbox.bytes() == 0 {
            neighbour.reading = Reading::Well;
        }
        if was_slow {
            let topics: Vec<_> = neighbour.theirs.topics().collect();
            for topic in topics {
                self.audience.join(topic, link);
            }
        }
        self.inform(link);
    }

    pub(super) fn subscribe(&mut self, hash: TopicHash, options: TopicOptions) {
        let topic = self.topics.entry(hash).or_default();
        let is_new = topic.subscription.replace(options).is_none();
        topic.fanout.clear();
        if options.is_unsigned {
            self.score.unsigned_topic(hash);
        } else {
            self.score.sealed_topic(&hash);
        }
        if !is_new {
            return;
        }
        let links: Vec<_> = self.neighbours.keys().copied().collect();
        for link in links {
            self.tell_subscriptions(link, &[hash]);
        }
        self.beats.soon(self.now.mono, &self.config);
    }

    pub(super) fn unsubscribe(&mut self, hash: TopicHash) {
        let backoff = self.config.unsubscribe_backoff;
        let Some(topic) = self.topics.get_mut(&hash) else {
            return;
        };
        if topic.subscription.take().is_none() {
            return;
        }
        let mesh: Vec<_> = topic.mesh.iter().copied().collect();
        self.score.sealed_topic(&hash);
        self.transfers.leave(&hash);
        if let Some(sources) = &mut self.sources {
            sources.left_topic(&hash);
        }
        for link in mesh {
            self.prune(link, hash, backoff, Why::Unwanted);
        }
        let links: Vec<_> = self.neighbours.keys().copied().collect();
        for link in links {
            if let Some(neighbour) = self.touch(link)
                && let Some(ordinal) = neighbour.ours.remove(&hash)
            {
                let topics = List::truncated([ordinal]);
                let frame = Topics { topics };
                neighbour.outbox.control(wire::UNSUBSCRIBE, &frame);
            }
        }
    }

    fn tell_subscriptions(&mut self, link: Link, hashes: &[TopicHash]) {
        if let Some(neighbour) = self.touch(link) {
            for hash in hashes {
                neighbour.ours.add(*hash);
            }
            let topics = List::truncated(hashes.iter().map(|hash| *hash.as_bytes()));
            neighbour
                .outbox
                .control(wire::SUBSCRIBE, &Subscribe { topics });
        }
    }

    /// A neighbour does not want a topic any more.
    pub(super) fn lost_subscriber(&mut self, link: Link, hash: &TopicHash) {
        let (now, backoff) = (self.now.mono, self.config.unsubscribe_backoff);
        let Some(topic) = self.topics.get_mut(hash) else {
            return;
        };
        topic.fanout.remove(&link);
        if topic.leave(link) {
            topic.avoid(link, now, backoff);
            self.score.pruned(link, *hash);
            self.emit(Event::Pruned(link, *hash));
            self.beats.soon(now, &self.config);
        }
    }

    /// A neighbour takes this node into its mesh.
    pub(super) fn grafted_by(&mut self, link: Link, hash: TopicHash) {
        let now = self.now.mono;
        let Some(neighbour) = self.neighbours.get(&link) else {
            return;
        };
        let (is_outbound, is_slow) = (neighbour.is_outbound, neighbour.is_slow());
        let is_subscribed = neighbour.theirs.contains(&hash);
        let Some(topic) = self.topics.get(&hash).filter(|_| is_subscribed) else {
            return;
        };
        if topic.mesh.contains(&link) {
            return;
        }
        if neighbour.is_explicit {
            // The other end does not know of the agreement, or not yet.
            let backoff = self.config.prune_backoff;
            return self.prune(link, hash, backoff, Why::Unwanted);
        }
        if topic.is_sent_away(link, now) {
            // It was told. An answer would let one frame of many topics cost many.
            self.score.misbehaved(link, 1);
            return;
        }
        let told = topic.avoided_for(link, now);
        if told.is_some_and(|ago| ago < self.config.heartbeat_interval) {
            // It may take its word back, but not at once and again and again.
            self.score.misbehaved(link, 1);
            return;
        }
        let backoff = self.config.prune_backoff;
        if is_slow || !self.score.deserves_mesh(link, &hash) {
            return self.prune(link, hash, backoff, Why::Unwanted);
        }
        if !is_outbound && !self.finds_place(link, hash) {
            return self.prune(link, hash, backoff, Why::NoRoom);
        }
        self.join(link, hash);
    }

    /// A neighbour takes this node out of its mesh, or does not take it in.
    pub(super) fn pruned_by(&mut self, link: Link, hash: TopicHash, prune: Prune) {
        let now = self.now.mono;
        let is_trusted = self.score.score(link) >= self.score.thresholds().accept_px;
        let Some(topic) = self.topics.get_mut(&hash) else {
            return;
        };
        // However short it is: a pair is not made and broken all the time.
        let span = Duration::from_secs(prune.backoff_s.into());
        let span = span.max(self.config.heartbeat_interval);
        if !topic.leave(link) {
            // It neither was a member nor was asked to be one: nobody is missed, and strangers who come to say so are
            // not remembered for long.
            topic.avoid(link, now, span.min(self.config.prune_backoff));
            return;
        }
        topic.avoid(link, now, span);
        let lacks = topic.mesh.len() < self.config.mesh_n;
        self.score.pruned(link, hash);
        self.emit(Event::Pruned(link, hash));
        self.beats.soon(now, &self.config);
        if is_trusted && lacks {
            let contacts = prune.peers.into_vec().into_iter();
            self.recommended_by(link, hash, contacts);
        }
    }

    /// A neighbour leaves every mesh, and does not come back for a while.
    pub(super) fn leave_meshes(&mut self, link: Link) {
        let backoff = self.config.prune_backoff;
        let topics: Vec<_> = self.topics.keys().copied().collect();
        for hash in topics {
            // It is told of those, too, in which it is no member: who comes all the same is at fault.
            if self.topics.get(&hash).is_some_and(Topic::is_subscribed) {
                self.prune(link, hash, backoff, Why::Unwanted);
            }
        }
    }

    pub(super) fn graft(&mut self, link: Link, hash: TopicHash) {
        if let Some(neighbour) = self.touch(link)
            && let Some(ordinal) = neighbour.theirs.ordinal(&hash)
        {
            let topics = List::truncated([ordinal]);
            neighbour.outbox.control(wire::GRAFT, &Topics { topics });
            self.join(link, hash);
        }
    }

    fn join(&mut self, link: Link, hash: TopicHash) {
        let now = self.now.mono;
        let topic = self.topics.entry(hash).or_default();
        if topic.join(link, now) {
            self.score.grafted(now, link, hash);
            self.emit(Event::Grafted(link, hash));
        }
    }

    pub(super) fn prune(&mut self, link: Link, hash: TopicHash, backoff: Duration, why: Why) {
        let now = self.now.mono;
        let peers = if why == Why::NoRoom {
            self.others(link, &hash)
        } else {
            Vec::new()
        };
        if let Some(topic) = self.topics.get_mut(&hash) {
            topic.send_away(link, now, backoff, why);
            if topic.leave(link) {
                self.score.pruned(link, hash);
                self.emit(Event::Pruned(link, hash));
            }
        }
        if let Some(neighbour) = self.touch(link)
            && let Some(topic) = neighbour.theirs.ordinal(&hash)
        {
            let prune = Prune {
                topic,
                backoff_s: u32::try_from(backoff.as_secs()).unwrap_or(u32::MAX),
                peers: List::truncated(peers),
            };
            neighbour.outbox.control(wire::PRUNE, &prune);
        }
    }

    /// Others in a topic that a pruned neighbour may try, drawn by lot from those with a good name. Who is
    /// not of this network is told no address of it.
    fn others(&mut self, link: Link, hash: &TopicHash) -> Vec<Contact> {
        let told = self.neighbours.get(&link);
        let is_local = told.is_some_and(|neighbour| neighbour.group.is_local());
        let neighbours = self.neighbours.iter();
        let others = neighbours.filter(|(one, neighbour)| {
            **one != link && neighbour.theirs.contains(hash) && self.score.score(**one) >= 0.0
        });
        let contacts = others.filter_map(|(_, one)| one.contact.clone());
        let mut contacts: Vec<_> = contacts
            .map(|contact| {
                if is_local {
                    contact
                } else {
                    public_part(contact)
                }
            })
            .filter(|contact| !contact.addresses.is_empty())
            .collect();
        self.shuffle(&mut contacts);
        contacts.truncate(self.config.prune_peers);
        contacts
    }

    /// Brings every mesh to its size.
    pub(super) fn maintain_meshes(&mut self) {
        let subscribed = self
            .topics
            .iter()
            .filter(|(_, topic)| topic.is_subscribed());
        let subscribed: Vec<_> = subscribed.map(|(hash, _)| *hash).collect();
        for hash in subscribed {
            self.expel_undeserving(&hash);
            self.fill(&hash);
            self.shrink(&hash);
            self.seek_better(&hash);
        }
    }

    fn expel_undeserving(&mut self, hash: &TopicHash) {
        let backoff = self.config.prune_backoff;
        let mesh: Vec<_> = self.mesh(hash).collect();
        for link in mesh {
            let is_slow = self.neighbours.get(&link).is_none_or(Neighbour::is_slow);
            if is_slow || !self.score.deserves_mesh(link, hash) {
                self.prune(link, *hash, backoff, Why::Unwanted);
            }
        }
    }

    fn fill(&mut self, hash: &TopicHash) {
        let size = self.mesh(hash).count();
        let mut candidates = self.candidates(hash);
        if size < self.config.mesh_n_low {
            let missing = self.config.mesh_n - size;
            for link in candidates.drain(..missing.min(candidates.len())) {
                self.graft(link, *hash);
            }
        }
        let outbound = self.outbound(hash);
        let missing = self.config.mesh_outbound_min.saturating_sub(outbound);
        let dialled = candidates
            .into_iter()
            .filter(|link| self.is_outbound(*link));
        for link in dialled.take(missing).collect::<Vec<_>>() {
            self.graft(link, *hash);
        }
    }

    /// The best stay, and enough of those that this node dialled; the rest is drawn by lot.
    fn shrink(&mut self, hash: &TopicHash) {
        let mut mesh: Vec<_> = self.mesh(hash).collect();
        if mesh.len() <= self.config.mesh_n_high {
            return;
        }
        self.shuffle(&mut mesh);
        mesh.sort_by(|one, other| self.score.score(*other).total_cmp(&self.score.score(*one)));
        let best = self.config.mesh_n_score.min(mesh.len());
        if let Some(rest) = mesh.get_mut(best..) {
            self.shuffle(rest);
        }
        // Those dialled come first until there are enough among the first n.
        let n = self.config.mesh_n;
        let kept = mesh
            .iter()
            .take(n)
            .filter(|link| self.is_outbound(**link))
            .count();
        let mut missing = self.config.mesh_outbound_min.saturating_sub(kept);
        for place in n..mesh.len() {
            let is_dialled = mesh.get(place).is_some_and(|link| self.is_outbound(*link));
            if missing > 0 && is_dialled {
                let replaced = (best..n).rev().find(|other| {
                    mesh.get(*other)
                        .is_some_and(|link| !self.is_outbound(*link))
                });
                if let Some(other) = replaced {
                    mesh.swap(place, other);
                    missing -= 1;
                }
            }
        }
        let backoff = self.config.prune_backoff;
        for link in mesh.into_iter().skip(n) {
            self.prune(link, *hash, backoff, Why::NoRoom);
        }
    }

    /// If the mesh is mediocre, better neighbours join it.
    fn seek_better(&mut self, hash: &TopicHash) {
        let now = self.now.mono;
        let every = self.config.opportunistic_graft_interval;
        let Some(topic) = self.topics.get_mut(hash) else {
            return;
        };
        if now.since(topic.compared) < every || topic.mesh.len() < 2 {
            return;
        }
        topic.compared = now;
        let mut scores: Vec<_> = topic
            .mesh
            .iter()
            .map(|link| self.score.score(*link))
            .collect();
        scores.sort_by(f64::total_cmp);
        let median = scores.get(scores.len() / 2).copied().unwrap_or(0.0);
        if median >= self.score.thresholds().opportunistic_graft {
            return;
        }
        let better = self.candidates(hash).into_iter();
        let better = better.filter(|link| self.score.score(*link) > median);
        let better: Vec<_> = better.take(self.config.opportunistic_graft_peers).collect();
        for link in better {
            self.graft(link, *hash);
        }
    }

    /// Neighbours that could join a mesh, drawn by lot: first among those that bring messages.
    pub(super) fn candidates(&mut self, hash: &TopicHash) -> Vec<Link> {
        let now = self.now.mono;
        let mut links = self.subscribers(hash).to_vec();
        let counts_bringers = self.counts_bringers(hash);
        // A neighbour counts from when it heard of it, and demands a heartbeat.
        let taken_back_after = self.config.heartbeat_interval * TAKEN_BACK_AFTER;
        links.retain(|link| {
            // Who was sent away for want of room may be taken back when it is worth a place.
            let is_worth = counts_bringers && self.brings(*link, hash);
            let is_free = self.topics.get(hash).is_some_and(|topic: &Topic| {
                let refused = topic.refused_for(*link, now);
                let may_return = is_worth && refused.is_some_and(|ago| ago >= taken_back_after);
                let is_away = topic.is_sent_away(*link, now) && !may_return;
                !topic.mesh.contains(link) && !topic.is_avoided(*link, now) && !is_away
            });
            is_free && !self.is_explicit(*link) && self.score.deserves_mesh(*link, hash)
        });
        self.shuffle(&mut links);
        if counts_bringers {
            links.sort_by_key(|link| !self.brings(*link, hash));
        }
        links
    }

    pub(super) fn is_outbound(&self, link: Link) -> bool {
        self.neighbours
            .get(&link)
            .is_some_and(|one| one.is_outbound)
    }

    pub(super) fn outbound(&self, hash: &TopicHash) -> usize {
        self.mesh(hash)
            .filter(|link| self.is_outbound(*link))
            .count()
    }
}

/// What anybody may know of where a node is.
fn public_part(contact: Contact) -> Contact {
    let addresses = contact.addresses.iter();
    let addresses = addresses.filter(|address| Address::is_globally_routable(address));
    Contact {
        addresses: SharedList::truncated(addresses.cloned()),
        ..contact
    }
}
