//! A score, taken apart.

use std::collections::BTreeMap;

use crate::gossip::TopicHash;

/// A neighbour's score and each of its terms, weights included: they add up to it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScoreSnapshot {
    /// P1 to P4, by topic.
    pub topics: BTreeMap<TopicHash, TopicTerms>,
    /// What the topics with a positive score earn together, capped.
    pub earned: f64,
    /// What the topics with a negative score cost together, deficits apart.
    pub lost: f64,
    /// What deficits (P3 and P3b) make that more, capped.
    pub deficits: f64,
    /// P5: the program's opinion.
    pub application: f64,
    /// P6: links of the same network.
    pub colocation: f64,
    /// P7: misbehaviour.
    pub behaviour: f64,
    /// Slowness.
    pub slow: f64,
}

/// The terms of a topic's score, weights included.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TopicTerms {
    /// P1, not negative.
    pub time_in_mesh: f64,
    /// P2, not negative.
    pub first_deliveries: f64,
    /// P3, not positive.
    pub mesh_deliveries: f64,
    /// P3b, not positive.
    pub mesh_failure: f64,
    /// P4, not positive.
    pub invalid: f64,
}

impl ScoreSnapshot {
    /// The score.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.earned
            + self.lost
            + self.deficits
            + self.application
            + self.colocation
            + self.behaviour
            + self.slow
    }
}

impl TopicTerms {
    /// The score on the topic.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.time_in_mesh
            + self.first_deliveries
            + self.mesh_deliveries
            + self.mesh_failure
            + self.invalid
    }

    /// What it would be if nothing was owed: P1, P2 and P4.
    pub(super) fn without_deficits(&self) -> f64 {
        self.time_in_mesh + self.first_deliveries + self.invalid
    }
}
