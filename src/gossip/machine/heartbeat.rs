//! What happens at every heartbeat.

use std::collections::BTreeMap;
use std::time::Duration;

use super::neighbour::Reading;
use super::parcel::Class;
use super::store::State;
use super::{Event, Gossip, Link, TopicHash};
use crate::gossip::GossipConfig;
use crate::policy::Micros;
use crate::wire::message::gossip::MessageId;

/// Shortest time between two looks at the meshes outside the heartbeats: whoever comes and goes makes
/// no work.
const LEAST_BETWEEN: Duration = Duration::from_millis(100);

/// When heartbeats are due. Between them meshes are looked at when something changed, so that the
/// first one stands soon.
#[derive(Debug, Default)]
pub(super) struct Beats {
    count: u64,
    next: Option<Micros>,
    /// When the meshes are looked at before that.
    early: Option<Micros>,
    looked: Micros,
}

impl Beats {
    /// Heartbeats so far.
    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// Something changed that a mesh may need an answer to.
    pub(super) fn soon(&mut self, now: Micros, config: &GossipConfig) {
        self.next.get_or_insert(now + config.heartbeat_interval);
        let at = now + config.heartbeat_initial_delay;
        self.early
            .get_or_insert(at.max(self.looked + LEAST_BETWEEN));
    }

    pub(super) fn next(&self) -> Option<Micros> {
        self.next.into_iter().chain(self.early).min()
    }

    pub(super) fn is_due(&self, now: Micros) -> bool {
        self.next().is_some_and(|at| at <= now)
    }
}

impl Gossip {
    /// Does what is due of heartbeats.
    pub(super) fn heartbeat(&mut self) {
        let now = self.now.mono;
        let is_early = self.beats.early.take().is_some_and(|at| at <= now);
        let is_beat = self.beats.next.is_some_and(|at| at <= now);
        if is_beat {
            // After a long sleep there is one heartbeat and not a hundred.
            self.beats.next = Some(now + self.config.heartbeat_interval);
            self.beats.count += 1;
            self.age();
            self.find_slow();
            self.score.decay(now);
            self.review_pulls();
            self.settle_owed();
            self.try_members();
            self.replace_idle();
            self.look_at_those_that_left();
        }
        if is_beat || is_early {
            self.beats.looked = now;
            self.maintain_meshes();
            self.maintain_fanout();
        }
        if is_beat {
            self.announce_recent();
        }
    }

    fn try_members(&mut self) {
        let now = self.now.mono;
        let Some(sources) = &mut self.sources else {
            return;
        };
        let is_contested = |class: &Class| self.equivocations.contest(now, class);
        for (hash, topic) in &self.topics {
            if topic.is_subscribed() && !topic.is_unsigned() {
                let members: Vec<_> = topic.mesh.iter().copied().collect();
                sources.try_members(now, (*hash, &members), is_contested, &mut self.rng);
            }
        }
    }

    /// Who left a topic has forgotten what it was asked for there. If it came back, it may have what is not here.
    fn look_at_those_that_left(&mut self) {
        let now = self.now.mono;
        let neighbours = self.neighbours.iter_mut();
        let left = neighbours.map(|(link, one)| (*link, one.take_left()));
        let left: Vec<_> = left.filter(|(_, topics)| !topics.is_empty()).collect();
        for (link, topics) in left {
            for topic in topics {
                if let Some(sources) = &mut self.sources {
                    sources.lost_subscriber(now, &topic, link);
                }
                let neighbour = self.neighbours.get(&link);
                if neighbour.is_some_and(|one| one.theirs.contains(&topic)) {
                    self.ask_for_the_rest(link, &topic);
                }
            }
        }
    }

    fn age(&mut self) {
        let (now, heartbeat) = (self.now.mono, self.beats.count);
        self.store
            .shift(now, self.config.history_length, self.config.seen_ttl);
        for id in self.transfers.age(now) {
            self.store.set(&id, State::Dropped);
        }
        self.forget_unheard();
        self.equivocations.age(now);
        let store = &self.store;
        for (link, neighbour) in &mut self.neighbours {
            neighbour.beat(heartbeat, |id| store.held(id).is_some());
            if neighbour.outbox.waits() && !neighbour.is_touched {
                neighbour.is_touched = true;
                self.touched.push(*link);
            }
        }
        let fanout_ttl = self.config.fanout_ttl;
        self.topics.retain(|_, topic| {
            topic.settling.age(now);
            let is_used = topic.is_subscribed() || now.since(topic.published) < fanout_ttl;
            topic.end_backoffs(now) || is_used
        });
    }

    /// Who has read nothing for a while, or next to nothing, leaves all meshes until it does: it holds up nobody else.
    /// Who has done so for less is told of.
    fn find_slow(&mut self) {
        let (now, config) = (self.now.mono, self.config.queue);
        let mut slow = Vec::new();
        let mut stalling = Vec::new();
        let neighbours = self.neighbours.iter_mut();
        for (link, one) in neighbours.filter(|(_, one)| !one.is_slow()) {
            let lags = one.outbox.lags(now, config.slow_reader);
            let stalled = one.outbox.stalled(now);
            if lags || stalled >= config.slow_reader {
                slow.push(*link);
            } else if one.reading == Reading::Well && stalled >= config.stalled_reader {
                one.reading = Reading::Stalls;
                stalling.push(*link);
            }
        }
        for link in stalling {
            self.emit(Event::Stalls(link));
        }
        for link in slow {
            self.leave_meshes(link);
            self.transfers.deafened(link);
            if let Some(neighbour) = self.neighbours.get_mut(&link) {
                neighbour.reading = Reading::Slowly;
                neighbour.outbox.drop_messages();
                for topic in neighbour.theirs.topics() {
                    self.audience.leave(&topic, link);
                }
            }
            self.score.slow(link, 1);
            self.emit(Event::SlowReader(link));
        }
    }

    /// Who gets own messages of topics to which the program does not subscribe.
    fn maintain_fanout(&mut self) {
        let unsubscribed = self
            .topics
            .iter()
            .filter(|(_, topic)| !topic.is_subscribed());
        let unsubscribed: Vec<_> = unsubscribed.map(|(hash, _)| *hash).collect();
        for hash in unsubscribed {
            self.fill_fanout(&hash);
        }
    }

    pub(super) fn fill_fanout(&mut self, hash: &TopicHash) {
        let publish = self.score.thresholds().publish;
        let mut links = self.subscribers(hash).to_vec();
        links.retain(|link| !self.is_explicit(*link) && self.score.score(*link) >= publish);
        self.shuffle(&mut links);
        let n = self.config.mesh_n;
        if let Some(topic) = self.topics.get_mut(hash) {
            topic.fanout.retain(|link| links.contains(link));
            for link in links {
                if topic.fanout.len() < n {
                    topic.fanout.insert(link);
                }
            }
        }
    }

    /// Some of those outside the meshes hear which messages came lately.
    fn announce_recent(&mut self) {
        let topics: Vec<_> = self.topics.keys().copied().collect();
        let listeners = topics.into_iter().map(|hash| (hash, self.listeners(&hash)));
        let listeners = listeners.filter(|(_, links)| !links.is_empty());
        let mut told: BTreeMap<_, _> = listeners
            .map(|(hash, links)| (hash, (links, Vec::new())))
            .collect();
        if told.is_empty() {
            return;
        }
        for parcel in self.store.recent(self.config.history_gossip) {
            if let Some((_, ids)) = told.get_mut(&parcel.topic) {
                ids.push(parcel.id);
            }
        }
        for (hash, (links, mut ids)) in told {
            self.shuffle(&mut ids);
            // What is announced as it comes has the other half.
            ids.truncate(self.config.queue.max_announced.div_ceil(2));
            for link in links {
                self.announce_all(link, hash, &ids);
            }
        }
    }

    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of some hundred neighbours"
    )]
    fn listeners(&mut self, hash: &TopicHash) -> Vec<Link> {
        let gossip = self.score.thresholds().gossip;
        let mut links = self.subscribers(hash).to_vec();
        let topic = self.topics.get(hash);
        links.retain(|link| {
            let in_mesh =
                topic.is_some_and(|one| one.mesh.contains(link) || one.fanout.contains(link));
            let is_sent_all = in_mesh || self.is_explicit(*link);
            // Who is behind hears of what it lacks when there is room, and has its turn later.
            let neighbour = self.neighbours.get(link);
            let is_behind = neighbour.is_none_or(|one| one.outbox.is_behind());
            !is_sent_all && !is_behind && self.score.score(*link) >= gossip
        });
        self.shuffle(&mut links);
        let (share, least) = (
            links.len() as f64 * self.config.gossip_factor,
            self.config.gossip_lazy,
        );
        match self.topics.get_mut(hash) {
            Some(topic) if self.sources.is_some() => {
                topic.take_turns(links, least.max(share.ceil() as usize))
            }
            // As GossipSub has it.
            _ => {
                links.truncate(least.max(share as usize));
                links
            }
        }
    }

    fn announce_all(&mut self, link: Link, hash: TopicHash, ids: &[MessageId]) {
        let config = self.config.queue;
        for id in ids {
            let entry = self.store.get(id);
            if entry.is_some_and(|entry| entry.is_with(link) || entry.is_hidden(link)) {
                continue;
            }
            let neighbour = self.touch(link);
            if neighbour.is_none_or(|one| !one.outbox.announce(hash, *id, &config)) {
                return;
            }
        }
    }
}
