//! What is known of one neighbour, and the terms of its score.

use std::collections::BTreeMap;
use std::time::Duration;

use super::config::{ScoreConfig, TopicScore};
use super::decay::Decay;
use super::deliveries::Tally;
use super::snapshot::TopicTerms;
use super::traffic::Traffic;
use super::{MAX_COUNT, MAX_TOPICS};
use crate::gossip::TopicHash;
use crate::policy::Micros;

/// The counters of one neighbour.
#[derive(Debug, Clone, Default)]
pub(super) struct Counters {
    topics: BTreeMap<TopicHash, TopicCounters>,
    pub(super) application: f64,
    pub(super) behaviour: f64,
    pub(super) slow: f64,
}

/// Those of one topic.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct TopicCounters {
    /// When it joined the mesh, while it is in it.
    joined: Option<Micros>,
    first: f64,
    pub(super) tally: Tally,
    failure: f64,
    invalid: f64,
}

/// Adds to a counter, up to a bound.
pub(super) fn add(counter: &mut f64, count: f64, cap: f64) {
    *counter = (*counter + count).min(cap);
}

impl Counters {
    /// The counters of a topic, with new ones if there are none. Where there are too many, those go
    /// that speak least against the neighbour, but none of a mesh that it is in; `None` if it is in
    /// all of them.
    pub(super) fn topic(
        &mut self,
        topic: TopicHash,
        config: &ScoreConfig,
    ) -> Option<&mut TopicCounters> {
        if !self.topics.contains_key(&topic) && self.topics.len() >= MAX_TOPICS {
            let mildest = self.mildest(config)?;
            self.topics.remove(&mildest);
        }
        Some(self.topics.entry(topic).or_default())
    }

    /// Whether the topic is counted, or would be.
    pub(super) fn has_room(&self, topic: &TopicHash) -> bool {
        self.topics.len() < MAX_TOPICS
            || self.topics.contains_key(topic)
            || self.topics.values().any(|counters| !counters.is_member())
    }

    fn mildest(&self, config: &ScoreConfig) -> Option<TopicHash> {
        let outside = self
            .topics
            .iter()
            .filter(|(_, counters)| !counters.is_member());
        let penalties = outside.map(|(topic, counters)| {
            let terms = counters.terms(config.topic(topic), Micros(0), 0.0);
            (*topic, terms.mesh_failure + terms.invalid)
        });
        let mildest = penalties.max_by(|a, b| a.1.total_cmp(&b.1));
        mildest.map(|(topic, _)| topic)
    }

    pub(super) fn known(&self, topic: &TopicHash) -> Option<&TopicCounters> {
        self.topics.get(topic)
    }

    pub(super) fn known_mut(&mut self, topic: &TopicHash) -> Option<&mut TopicCounters> {
        self.topics.get_mut(topic)
    }

    pub(super) fn topics(&self) -> impl Iterator<Item = (&TopicHash, &TopicCounters)> {
        self.topics.iter()
    }

    /// The neighbour goes: memberships end, what it earned is gone, and only penalties stay. `false`
    /// if there are none.
    pub(super) fn strip(&mut self, config: &ScoreConfig, now: Micros, traffic: &Traffic) -> bool {
        self.topics.retain(|topic, counters| {
            let score = config.topic(topic);
            counters.leave(score, now, traffic.of(topic));
            counters.first = 0.0;
            counters.tally.strip(&score.mesh_deliveries.rule);
            *counters != TopicCounters::default()
        });
        self.application = self.application.min(0.0);
        let others = self.application < 0.0 || self.behaviour > 0.0 || self.slow > 0.0;
        others || !self.topics.is_empty()
    }

    /// Topics of which nothing is known any more are forgotten.
    pub(super) fn decay(&mut self, config: &ScoreConfig, decay: &Decay) {
        decay.apply(&mut self.behaviour, config.behaviour.decay);
        decay.apply(&mut self.slow, config.slow.decay);
        self.topics.retain(|topic, counters| {
            counters.decay(config.topic(topic), decay);
            *counters != TopicCounters::default()
        });
    }
}

impl TopicCounters {
    pub(super) const fn is_member(&self) -> bool {
        self.joined.is_some()
    }

    pub(super) fn join(&mut self, score: &TopicScore, now: Micros, traffic: f64) {
        if self.joined.is_none() {
            self.joined = Some(now);
            self.tally.join(&score.mesh_deliveries.rule, traffic);
        }
    }

    /// P3b takes over what P3 says at this moment.
    pub(super) fn leave(&mut self, score: &TopicScore, now: Micros, traffic: f64) {
        let deficit = self.deficit(score, now, traffic);
        self.joined = None;
        self.tally.leave(deficit);
        add(&mut self.failure, deficit * deficit, MAX_COUNT);
    }

    pub(super) fn bring_first(&mut self, score: &TopicScore) {
        add(&mut self.first, 1.0, score.first_deliveries.cap);
        self.bring(score);
    }

    pub(super) fn bring(&mut self, score: &TopicScore) {
        if self.is_member() {
            self.tally.bring(&score.mesh_deliveries);
        }
    }

    pub(super) fn count_invalid(&mut self) {
        add(&mut self.invalid, 1.0, MAX_COUNT);
    }

    /// The terms of the topic's score, each with its weight.
    pub(super) fn terms(&self, score: &TopicScore, now: Micros, traffic: f64) -> TopicTerms {
        let (presence, first) = (&score.time_in_mesh, &score.first_deliveries);
        let quanta = self.age(now).as_secs_f64() / presence.quantum.as_secs_f64();
        let deficit = self.deficit(score, now, traffic);
        let weight = score.weight;
        TopicTerms {
            time_in_mesh: weight * presence.weight * quanta.min(presence.cap),
            first_deliveries: weight * first.weight * self.first,
            mesh_deliveries: weight * score.mesh_deliveries.weight * deficit * deficit,
            mesh_failure: weight * score.mesh_failure.weight * self.failure,
            invalid: weight * score.invalid.weight * self.invalid * self.invalid,
        }
    }

    fn deficit(&self, score: &TopicScore, now: Micros, traffic: f64) -> f64 {
        if !self.is_member() {
            return 0.0;
        }
        self.tally
            .deficit(&score.mesh_deliveries, self.age(now), traffic)
    }

    /// Time in the mesh.
    fn age(&self, now: Micros) -> Duration {
        self.joined
            .map_or(Duration::ZERO, |joined| now.since(joined))
    }

    fn decay(&mut self, score: &TopicScore, decay: &Decay) {
        decay.apply(&mut self.first, score.first_deliveries.decay);
        self.tally.decay(&score.mesh_deliveries, decay);
        decay.apply(&mut self.failure, score.mesh_failure.decay);
        decay.apply(&mut self.invalid, score.invalid.decay);
    }
}
