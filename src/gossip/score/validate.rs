//! Whether a parameter set keeps what a score promises.

use std::time::Duration;

use thiserror::Error;

use super::config::{
    Behaviour, Colocation, Deliveries, MeshDeliveries, ScoreConfig, SlowPeer, Thresholds,
    TopicScore,
};
use super::{MAX_COUNT, MAX_TOPICS};

/// Largest weight, either way: with counters of [`MAX_COUNT`] and their squares, every sum is finite.
pub const MAX_WEIGHT: f64 = 1e6;

/// Invalid messages on one topic, or faults, within a decay interval that graylist every neighbour,
/// whatever it earned before. Behind a record that hides more, an attacker sins for free.
pub const MAX_TOLERATED: u32 = 16;

/// Longest time for which a set may bear a member that brings nothing: an hour is as long as a
/// penalty is remembered, and far more than either shipped set takes.
pub const MAX_SILENCE: Duration = Duration::from_secs(3_600);

/// Fewest expected messages from which a share may be taken: of seven, one loss is too much of it.
const MIN_EVIDENCE: f64 = 8.0;

/// Most of them: a topic too quiet for the decay would judge nobody within days.
const MAX_EVIDENCE: f64 = 1_024.0;

/// Largest share that may be owed: above it, an honest neighbour behind a lossy line owes.
const MAX_SHARE: f64 = 0.9;

/// Why a parameter set does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ScoreConfigError {
    /// Not a number, or outside the range that its documentation names.
    #[error("{0} is out of its range")]
    Range(&'static str),
    /// It must be a share that an interval leaves.
    #[error("{0} must be between 0 and 1")]
    Decay(&'static str),
    /// Outside the range that its documentation names.
    #[error("{0} is too short or too long")]
    Duration(&'static str),
    /// It must be graylist <= publish <= gossip < 0 <= the others.
    #[error(
        "thresholds must obey graylist <= publish <= gossip < 0 <= accept_px, opportunistic_graft"
    )]
    Thresholds,
    /// More topics than are counted.
    #[error("more topics are scored on their own than are counted")]
    TooManyTopics,
    /// What a member owes is more than anybody can bring.
    #[error("mesh_deliveries: nobody can bring what is owed")]
    Unreachable,
    /// A member that brings nothing earns more by its presence than that costs: it stays for ever
    /// (CVE-2022-47547; arXiv 2212.05197 and 2311.08859).
    #[error("mesh_deliveries must cost a silent member more than time_in_mesh earns it")]
    SilencePays,
    /// It pays in the end, but after more than [`MAX_SILENCE`].
    #[error("a silent member would stay in a mesh for longer than an hour")]
    SilenceLasts,
    /// A good record hides more than [`MAX_TOLERATED`] sins.
    #[error("{0} is too weak against what a neighbour can earn")]
    Shielded(&'static str),
    /// To bring nothing would silence a neighbour.
    #[error("deficit_cap must be less than the gossip threshold")]
    DeficitIsSilenced,
    /// Slowness alone would silence a neighbour.
    #[error("slow must cost less than the gossip threshold")]
    SlowIsSilenced,
}

use ScoreConfigError as Error;

impl ScoreConfig {
    /// Looks at all numbers together.
    ///
    /// Beyond ranges, signs and order, three things are checked for every topic, the unnamed ones
    /// included, because each is a promise that no single number shows; the
    /// [module](super) derives them:
    ///
    /// * silence: `w1 cap1 < |w3| P3(nothing)`, so that a member which brings nothing leaves the mesh, and it
    ///   does so within [`MAX_SILENCE`];
    /// * shield: `t (w1 cap1 + w2 cap2) + cap - t |w4| n^2 < graylist` for [`MAX_TOLERATED`] invalid
    ///   messages `n`, and the same for P7;
    /// * silence and slowness: `deficit_cap < |gossip|`, `|w| (cap - threshold) < |gossip|`.
    ///
    /// # Errors
    /// The first [`ScoreConfigError`].
    pub fn validate(&self) -> Result<(), ScoreConfigError> {
        positive("topic_cap", self.topic_cap)?;
        positive("deficit_cap", self.deficit_cap)?;
        not_negative("application_weight", self.application_weight)?;
        if !(self.decay_to_zero > 0.0 && self.decay_to_zero < 1.0) {
            return Err(Error::Range("decay_to_zero"));
        }
        let day = Duration::from_secs(86_400);
        let retain = Duration::from_secs(60)..=day;
        within(
            "decay_interval",
            self.decay_interval,
            Duration::from_millis(100),
        )?;
        if !retain.contains(&self.retain) {
            return Err(Error::Duration("retain"));
        }
        self.thresholds.validate()?;
        if -self.deficit_cap <= self.thresholds.gossip {
            return Err(Error::DeficitIsSilenced);
        }
        self.colocation.validate()?;
        self.behaviour.validate()?;
        self.slow.validate(&self.thresholds)?;
        if self.topics.len() > MAX_TOPICS {
            return Err(Error::TooManyTopics);
        }
        for topic in self.topic_scores() {
            topic.validate()?;
            self.check_shield(topic)?;
        }
        if self.longest_silence() > MAX_SILENCE {
            return Err(Error::SilenceLasts);
        }
        Ok(())
    }

    fn check_shield(&self, topic: &TopicScore) -> Result<(), ScoreConfigError> {
        let sins = f64::from(MAX_TOLERATED);
        let graylisted = |cost: f64, shield: f64| shield + cost < self.thresholds.graylist;
        let invalid = topic.weight * topic.invalid.weight * sins * sins;
        if !graylisted(invalid, self.topic_cap + topic.earned_at_most()) {
            return Err(Error::Shielded("invalid"));
        }
        let counted = (sins - self.behaviour.threshold).max(0.0);
        if !graylisted(self.behaviour.weight * counted * counted, self.topic_cap) {
            return Err(Error::Shielded("behaviour"));
        }
        Ok(())
    }
}

impl Thresholds {
    fn validate(&self) -> Result<(), ScoreConfigError> {
        let all = [
            self.gossip,
            self.publish,
            self.graylist,
            self.accept_px,
            self.opportunistic_graft,
        ];
        let is_ordered = self.graylist <= self.publish
            && self.publish <= self.gossip
            && self.gossip < 0.0
            && self.accept_px >= 0.0
            && self.opportunistic_graft >= 0.0;
        let is_finite = all.iter().all(|one| one.is_finite());
        (is_ordered && is_finite)
            .then_some(())
            .ok_or(Error::Thresholds)
    }
}

impl Colocation {
    fn validate(&self) -> Result<(), ScoreConfigError> {
        not_positive("colocation.weight", self.weight)?;
        if self.threshold == 0 {
            return Err(Error::Range("colocation.threshold"));
        }
        Ok(())
    }
}

impl Behaviour {
    fn validate(&self) -> Result<(), ScoreConfigError> {
        negative("behaviour.weight", self.weight)?;
        not_negative("behaviour.threshold", self.threshold)?;
        decay("behaviour.decay", self.decay)
    }
}

impl SlowPeer {
    fn validate(&self, thresholds: &Thresholds) -> Result<(), ScoreConfigError> {
        not_positive("slow.weight", self.weight)?;
        not_negative("slow.threshold", self.threshold)?;
        not_negative("slow.cap", self.cap)?;
        decay("slow.decay", self.decay)?;
        let cost = self.weight * (self.cap - self.threshold).max(0.0);
        if cost <= thresholds.gossip {
            return Err(Error::SlowIsSilenced);
        }
        Ok(())
    }
}

impl TopicScore {
    fn validate(&self) -> Result<(), ScoreConfigError> {
        positive("topic.weight", self.weight)?;
        not_negative("time_in_mesh.weight", self.time_in_mesh.weight)?;
        not_negative("time_in_mesh.cap", self.time_in_mesh.cap)?;
        let quantum = self.time_in_mesh.quantum;
        within("time_in_mesh.quantum", quantum, Duration::from_millis(1))?;
        not_negative("first_deliveries.weight", self.first_deliveries.weight)?;
        not_negative("first_deliveries.cap", self.first_deliveries.cap)?;
        decay("first_deliveries.decay", self.first_deliveries.decay)?;
        self.mesh_deliveries.validate()?;
        negative("mesh_failure.weight", self.mesh_failure.weight)?;
        decay("mesh_failure.decay", self.mesh_failure.decay)?;
        negative("invalid.weight", self.invalid.weight)?;
        decay("invalid.decay", self.invalid.decay)?;
        if self.earned_by_presence() + self.cost_of_silence() >= 0.0 {
            return Err(Error::SilencePays);
        }
        Ok(())
    }
}

impl MeshDeliveries {
    fn validate(&self) -> Result<(), ScoreConfigError> {
        negative("mesh_deliveries.weight", self.weight)?;
        positive("mesh_deliveries.cap", self.cap)?;
        decay("mesh_deliveries.decay", self.decay)?;
        within(
            "mesh_deliveries.window",
            self.window,
            Duration::from_millis(1),
        )?;
        if self.window > Duration::from_secs(60) {
            return Err(Error::Duration("mesh_deliveries.window"));
        }
        match self.rule {
            Deliveries::Absolute {
                threshold,
                traffic,
                activation,
            } => {
                positive("mesh_deliveries.threshold", threshold)?;
                positive("mesh_deliveries.traffic", traffic)?;
                within("mesh_deliveries.activation", activation, Duration::ZERO)?;
                let is_reachable = threshold <= self.cap && threshold * 2.0 <= traffic;
                is_reachable.then_some(()).ok_or(Error::Unreachable)
            }
            Deliveries::Expected { share, evidence } => {
                if !(share > 0.0 && share <= MAX_SHARE) {
                    return Err(Error::Range("mesh_deliveries.share"));
                }
                if !(MIN_EVIDENCE..=MAX_EVIDENCE).contains(&evidence) {
                    return Err(Error::Range("mesh_deliveries.evidence"));
                }
                (evidence <= self.cap)
                    .then_some(())
                    .ok_or(Error::Unreachable)
            }
        }
    }
}

fn positive(name: &'static str, value: f64) -> Result<(), ScoreConfigError> {
    let is_in_range = value > 0.0 && value <= MAX_WEIGHT.min(MAX_COUNT);
    is_in_range.then_some(()).ok_or(Error::Range(name))
}

fn not_negative(name: &'static str, value: f64) -> Result<(), ScoreConfigError> {
    if value == 0.0 {
        return Ok(());
    }
    positive(name, value)
}

fn negative(name: &'static str, value: f64) -> Result<(), ScoreConfigError> {
    positive(name, -value)
}

fn not_positive(name: &'static str, value: f64) -> Result<(), ScoreConfigError> {
    not_negative(name, -value)
}

fn decay(name: &'static str, value: f64) -> Result<(), ScoreConfigError> {
    let is_share = value > 0.0 && value < 1.0;
    is_share.then_some(()).ok_or(Error::Decay(name))
}

/// At most an hour, which no decay and no membership is measured in.
fn within(name: &'static str, time: Duration, least: Duration) -> Result<(), ScoreConfigError> {
    let is_in_range = time >= least && time <= Duration::from_secs(3_600);
    is_in_range.then_some(()).ok_or(Error::Duration(name))
}
