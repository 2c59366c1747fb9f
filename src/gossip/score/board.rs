//! The board on which all neighbours are scored.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use super::config::{ScoreConfig, Thresholds};
use super::counters::{Counters, TopicCounters, add};
use super::decay::DecayClock;
use super::deliveries::Expectation;
use super::groups::Groups;
use super::retained::Retained;
use super::snapshot::{ScoreSnapshot, TopicTerms};
use super::traffic::Traffic;
use super::{MAX_COUNT, MAX_LINKS, MAX_TOPICS};
use crate::gossip::{Link, TopicHash};
use crate::policy::{IpGroup, Micros};

/// The scores of all neighbours, by the formula of the [module](super).
///
/// Told of everything that counts, in order, with a time that does not go back; [`decay`](Self::decay)
/// is called at every heartbeat. Between two calls of it time stands still: memberships grow and
/// penalties of P3 begin at heartbeats only. What is said of a link that is not connected is ignored.
/// A score is added up when it is asked for and remembered until something changes; for that reason the
/// board is not `Sync`.
#[derive(Debug, Clone)]
pub struct ScoreBoard {
    config: ScoreConfig,
    /// Topics that the set names for as long as the program subscribes to them without signatures.
    unsigned: BTreeSet<TopicHash>,
    links: BTreeMap<Link, Neighbour>,
    groups: Groups,
    retained: Retained,
    traffic: Traffic,
    clock: DecayClock,
    /// Counts what changes all scores at once.
    changes: u64,
}

#[derive(Debug, Clone)]
struct Neighbour {
    group: IpGroup,
    counters: Counters,
    /// Its score, and the change of all scores after which it was added up.
    known: Cell<Option<(u64, f64)>>,
}

impl Neighbour {
    /// Its counters, to change them.
    fn change(&mut self) -> &mut Counters {
        self.known.set(None);
        &mut self.counters
    }
}

impl ScoreBoard {
    /// A board without neighbours, for a [valid](ScoreConfig::validate) set.
    #[must_use]
    pub fn new(config: ScoreConfig) -> Self {
        Self {
            config,
            links: BTreeMap::new(),
            groups: Groups::default(),
            retained: Retained::default(),
            traffic: Traffic::default(),
            clock: DecayClock::default(),
            changes: 0,
            unsigned: BTreeSet::new(),
        }
    }

    /// The set by which it scores.
    #[must_use]
    pub const fn config(&self) -> &ScoreConfig {
        &self.config
    }

    /// What follows from a score.
    #[must_use]
    pub const fn thresholds(&self) -> &Thresholds {
        &self.config.thresholds
    }

    /// The program subscribed to a topic without signatures: unless the set names the topic, it is scored
    /// as [such a one](ScoreConfig::unsigned_topic) from now on. Beyond
    /// [`MAX_TOPICS`](super::MAX_TOPICS) it is scored as any other.
    pub fn unsigned_topic(&mut self, topic: TopicHash) {
        let topics = &mut self.config.topics;
        if topics.len() < MAX_TOPICS && !topics.contains_key(&topic) {
            topics.insert(topic, self.config.unsigned_topic);
            self.unsigned.insert(topic);
            self.changes += 1;
        }
    }

    /// The program did not subscribe to it any more, or with signatures: it is scored as any other again.
    pub fn sealed_topic(&mut self, topic: &TopicHash) {
        if self.unsigned.remove(topic) {
            self.config.topics.remove(topic);
            self.changes += 1;
        }
    }

    /// A neighbour is there, with the penalties that it went with if it comes back in time. A link that
    /// is there already has moved to another network. One beyond [`MAX_LINKS`] is not scored.
    pub fn connected(&mut self, now: Micros, link: Link, group: IpGroup) {
        self.changes += 1;
        if let Some(neighbour) = self.links.get_mut(&link) {
            self.groups.leave(neighbour.group);
            self.groups.enter(group);
            neighbour.group = group;
            return;
        }
        if self.links.len() >= MAX_LINKS {
            return;
        }
        self.groups.enter(group);
        let counters = self.retained.take(link, now).unwrap_or_default();
        let known = Cell::default();
        let neighbour = Neighbour {
            group,
            counters,
            known,
        };
        self.links.insert(link, neighbour);
    }

    /// A neighbour is gone. What it earned is forgotten at once, what it owes is kept for
    /// [`retain`](ScoreConfig::retain); the memberships end as if it had been pruned.
    pub fn disconnected(&mut self, now: Micros, link: Link) {
        let Some(neighbour) = self.links.remove(&link) else {
            return;
        };
        self.changes += 1;
        self.groups.leave(neighbour.group);
        let mut counters = neighbour.counters;
        if counters.strip(&self.config, self.clock.now(), &self.traffic) {
            let score = self.own_sums(&counters, f64::INFINITY).total();
            let until = now + self.config.retain;
            self.retained.keep(link, until, score, counters);
        }
    }

    /// A neighbour joined the mesh of a topic; it is a member from now on.
    pub fn grafted(&mut self, now: Micros, link: Link, topic: TopicHash) {
        let traffic = self.traffic.of(&topic);
        let config = &self.config;
        let Some(neighbour) = self.links.get_mut(&link) else {
            return;
        };
        if let Some(counters) = neighbour.change().topic(topic, config) {
            counters.join(config.topic(&topic), now, traffic);
        }
    }

    /// A neighbour left the mesh of a topic, for whatever reason. What it owes at this moment by P3
    /// stays as P3b.
    pub fn pruned(&mut self, link: Link, topic: TopicHash) {
        let Some(neighbour) = self.links.get_mut(&link) else {
            return;
        };
        if let Some(counters) = neighbour.change().known_mut(&topic) {
            let traffic = self.traffic.of(&topic);
            counters.leave(self.config.topic(&topic), self.clock.now(), traffic);
        }
    }

    /// A neighbour brought an accepted message that nobody brought before, pushed or asked for: P2, and
    /// P3 where deliveries count absolutely.
    pub fn first_delivery(&mut self, link: Link, topic: TopicHash) {
        if self.traffic.count(topic, &self.config) {
            self.changes += 1;
        }
        self.on_topic(link, topic, |counters, config| {
            counters.bring_first(config.topic(&topic));
        });
    }

    /// A neighbour brought a message that was accepted and first seen at that time: P3 where deliveries
    /// count absolutely, if it is within the window. To be told once a neighbour and message.
    pub fn duplicate(&mut self, now: Micros, link: Link, topic: TopicHash, first_seen: Micros) {
        let window = self.config.topic(&topic).mesh_deliveries.window;
        if now.since(first_seen) <= window {
            self.on_topic(link, topic, |counters, config| {
                counters.bring(config.topic(&topic));
            });
        }
    }

    /// What became of a message that a neighbour was asked to bring: P3 where deliveries are expected,
    /// if it is a member. The [module](super) says what may be expected of whom.
    pub fn expected(&mut self, link: Link, topic: TopicHash, outcome: Expectation) {
        let Some(neighbour) = self.links.get_mut(&link) else {
            return;
        };
        let counters = neighbour.change().known_mut(&topic);
        if let Some(member) = counters.filter(|counters| counters.is_member()) {
            let deliveries = &self.config.topic(&topic).mesh_deliveries;
            member.tally.expect(deliveries, outcome);
        }
    }

    /// A neighbour brought a message that no honest one passes on: P4.
    pub fn invalid(&mut self, link: Link, topic: TopicHash) {
        self.on_topic(link, topic, |counters, _| counters.count_invalid());
    }

    /// A neighbour broke rules of the protocol, so many times: P7.
    pub fn misbehaved(&mut self, link: Link, count: u32) {
        if let Some(neighbour) = self.links.get_mut(&link) {
            let counter = &mut neighbour.change().behaviour;
            add(counter, f64::from(count), MAX_COUNT);
        }
    }

    /// So many messages for a neighbour were dropped because it reads too slowly.
    pub fn slow(&mut self, link: Link, count: u32) {
        if let Some(neighbour) = self.links.get_mut(&link) {
            let counter = &mut neighbour.change().slow;
            add(counter, f64::from(count), self.config.slow.cap);
        }
    }

    /// What the program thinks of a neighbour from now on: P5. Values beyond [`MAX_COUNT`] count as
    /// that; what is not a number is ignored.
    pub fn set_application(&mut self, link: Link, value: f64) {
        let neighbour = self.links.get_mut(&link);
        if let Some(neighbour) = neighbour.filter(|_| !value.is_nan()) {
            neighbour.change().application = value.clamp(-MAX_COUNT, MAX_COUNT);
        }
    }

    /// Time passes: memberships are measured to `now`, counters decay once for every interval that
    /// passed, and old penalties are forgotten.
    pub fn decay(&mut self, now: Micros) {
        self.changes += 1;
        self.retained.expire(now);
        let Some(decay) = self.clock.advance(now, &self.config) else {
            return;
        };
        self.traffic.decay(&self.config, &decay);
        for neighbour in self.links.values_mut() {
            neighbour.counters.decay(&self.config, &decay);
        }
    }

    /// A neighbour's score; zero for one that is not connected.
    #[must_use]
    pub fn score(&self, link: Link) -> f64 {
        let neighbour = self.links.get(&link);
        neighbour.map_or(0.0, |neighbour| self.total(neighbour))
    }

    /// A neighbour's score on one topic, by P1 to P4 alone; zero where nothing is known.
    #[must_use]
    pub fn topic_score(&self, link: Link, topic: &TopicHash) -> f64 {
        let neighbour = self.links.get(&link);
        let known = neighbour.and_then(|neighbour| neighbour.counters.known(topic));
        known.map_or(0.0, |counters| self.topic_terms(topic, counters).total())
    }

    /// Whether a neighbour may join or stay in the mesh of a topic: neither its score nor that on the
    /// topic is negative. `false` for one that is not connected or has more topics than are counted.
    #[must_use]
    pub fn deserves_mesh(&self, link: Link, topic: &TopicHash) -> bool {
        let neighbour = self.links.get(&link);
        neighbour.is_some_and(|neighbour| neighbour.counters.has_room(topic))
            && self.topic_score(link, topic) >= 0.0
            && self.score(link) >= 0.0
    }

    /// A neighbour's score with all its terms, if it is connected.
    #[must_use]
    pub fn snapshot(&self, link: Link) -> Option<ScoreSnapshot> {
        let neighbour = self.links.get(&link)?;
        let topics = neighbour.counters.topics();
        let terms = topics.map(|(topic, counters)| (*topic, self.topic_terms(topic, counters)));
        Some(ScoreSnapshot {
            topics: terms.collect(),
            ..self.sums(neighbour)
        })
    }

    /// Neighbours that went and whose penalties are remembered; at most
    /// [`MAX_RETAINED`](super::MAX_RETAINED).
    #[must_use]
    pub fn retained(&self) -> usize {
        self.retained.len()
    }

    /// The sum of all terms; added up anew when something changed.
    fn total(&self, neighbour: &Neighbour) -> f64 {
        let known = neighbour.known.get();
        if let Some((_, score)) = known.filter(|(after, _)| *after == self.changes) {
            return score;
        }
        let score = self.sums(neighbour).total();
        neighbour.known.set(Some((self.changes, score)));
        score
    }

    /// All terms, without the topics one by one.
    fn sums(&self, neighbour: &Neighbour) -> ScoreSnapshot {
        ScoreSnapshot {
            colocation: self
                .groups
                .penalty(neighbour.group, &self.config.colocation),
            ..self.own_sums(&neighbour.counters, self.config.deficit_cap)
        }
    }

    /// Those that a neighbour takes along: all but P6. Who is the worst of those that went is told without a cap.
    fn own_sums(&self, counters: &Counters, deficit_cap: f64) -> ScoreSnapshot {
        let config = &self.config;
        let (mut earned, mut lost, mut deficits) = (0.0, 0.0, 0.0);
        for (topic, counters) in counters.topics() {
            let terms = self.topic_terms(topic, counters);
            let (score, faults) = (terms.total(), terms.without_deficits().min(0.0));
            earned += score.max(0.0);
            lost += faults;
            deficits += score.min(0.0) - faults;
        }
        let misbehaved = (counters.behaviour - config.behaviour.threshold).max(0.0);
        let behind = (counters.slow - config.slow.threshold).max(0.0);
        ScoreSnapshot {
            topics: BTreeMap::new(),
            earned: config.topic_cap.min(earned),
            lost,
            deficits: f64::max(deficits, -deficit_cap),
            application: config.application_weight * counters.application,
            colocation: 0.0,
            behaviour: config.behaviour.weight * misbehaved * misbehaved,
            slow: config.slow.weight * behind,
        }
    }

    fn topic_terms(&self, topic: &TopicHash, counters: &TopicCounters) -> TopicTerms {
        let score = self.config.topic(topic);
        counters.terms(score, self.clock.now(), self.traffic.of(topic))
    }

    fn on_topic(
        &mut self,
        link: Link,
        topic: TopicHash,
        change: impl FnOnce(&mut TopicCounters, &ScoreConfig),
    ) {
        let config = &self.config;
        let Some(neighbour) = self.links.get_mut(&link) else {
            return;
        };
        if let Some(counters) = neighbour.change().topic(topic, config) {
            change(counters, config);
        }
    }
}
