//! What the score can be told.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::gossip::TopicHash;

/// Weights, caps and thresholds of the score. [`validate`](Self::validate) looks at them together.
///
/// Two sets ship: the [default](Self::default) and the [plain](Self::plain) one of the control arm.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreConfig {
    /// Topics that are scored in a way of their own; at most [`MAX_TOPICS`](super::MAX_TOPICS).
    pub topics: BTreeMap<TopicHash, TopicScore>,
    /// How every other topic is scored.
    pub default_topic: TopicScore,
    /// How a topic without signatures is scored that is not named: it has no sources to choose links
    /// by, and everybody in its mesh sends everything.
    pub unsigned_topic: TopicScore,
    /// The most that a neighbour earns with all topics together; positive. What it loses with topics
    /// is not shielded by it.
    pub topic_cap: f64,
    /// The most that P3 and P3b cost on all topics together, in the sum of all terms; positive, and less than the gossip
    /// threshold. Each topic's own score has no such cap, so that a member without deliveries is in no mesh: but whoever
    /// has nobody else to hear from, on however many topics, goes on hearing.
    pub deficit_cap: f64,
    /// P5: weight of what the program thinks of a neighbour; not negative.
    pub application_weight: f64,
    /// P6: many neighbours in one network.
    pub colocation: Colocation,
    /// P7: misbehaviour in the protocol.
    pub behaviour: Behaviour,
    /// A neighbour that reads too slowly.
    pub slow: SlowPeer,
    /// Time after which the counters decay once; 100 ms to 1 h.
    pub decay_interval: Duration,
    /// A counter below this is zero; between 0 and 1.
    pub decay_to_zero: f64,
    /// How long the penalties of a neighbour that went are remembered; 1 min to 24 h.
    pub retain: Duration,
    /// What follows from a score.
    pub thresholds: Thresholds,
}

/// How neighbours are scored on one topic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TopicScore {
    /// Weight of all that follows in the score; positive.
    pub weight: f64,
    /// P1: time in the mesh.
    pub time_in_mesh: TimeInMesh,
    /// P2: messages that nobody brought earlier.
    pub first_deliveries: FirstDeliveries,
    /// P3: what a member of the mesh owes and does not bring.
    pub mesh_deliveries: MeshDeliveries,
    /// P3b: what members owed when they left the mesh.
    pub mesh_failure: MeshFailure,
    /// P4: messages that no honest neighbour passes on.
    pub invalid: Invalid,
}

/// P1: the time in the mesh, in quanta.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeInMesh {
    /// Not negative.
    pub weight: f64,
    /// Time that counts as one; 1 ms to 1 h.
    pub quantum: Duration,
    /// Quanta that count at most; not negative.
    pub cap: f64,
}

/// P2: messages that a neighbour brought first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FirstDeliveries {
    /// Not negative.
    pub weight: f64,
    /// Share that an interval leaves; between 0 and 1.
    pub decay: f64,
    /// Messages that count at most; not negative.
    pub cap: f64,
}

/// P3: what a member of the mesh brings, against what it owes. The penalty is the square of the
/// deficit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeshDeliveries {
    /// Negative: a topic on which nothing is owed is refused.
    pub weight: f64,
    /// Share that an interval leaves; between 0 and 1.
    pub decay: f64,
    /// Messages that are counted at most; positive.
    pub cap: f64,
    /// How much later than the first copy another one may come and still count; 1 ms to 1 min. Where the mesh alone
    /// decides, members that are audited with a message are told of it only then, or after a second.
    pub window: Duration,
    /// What is owed.
    pub rule: Deliveries,
}

/// What a member of a mesh owes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Deliveries {
    /// A number of messages, as in v1.1, for meshes in which everybody sends everything and nobody is much farther away
    /// than others: whoever is brings none within the window. No set that ships counts so.
    Absolute {
        /// Messages, decayed, below which a member is in deficit; positive.
        threshold: f64,
        /// Messages, decayed, that this node received on the topic since the member came, from
        /// whomever, below which nobody is in deficit: nobody brings what is not said. At least
        /// twice the threshold.
        traffic: f64,
        /// Time in the mesh before the deficit counts; at most 1 h.
        activation: Duration,
    },
    /// A share of the messages that it was asked to bring, or is audited with: of links by source most are asked for
    /// silence, and in a plain mesh most are told at once.
    Expected {
        /// Below it a member is in deficit; above 0, at most 0.9.
        share: f64,
        /// Messages that it was asked for before the share counts, and that are never forgotten: on
        /// a quiet topic the share is that of the last so many; 8 to 1 024.
        evidence: f64,
    },
}

/// P3b: squares of the deficits with which a neighbour left the mesh.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeshFailure {
    /// Negative.
    pub weight: f64,
    /// Share that an interval leaves; between 0 and 1.
    pub decay: f64,
}

/// P4: the square of the number of invalid messages.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Invalid {
    /// Negative.
    pub weight: f64,
    /// Share that an interval leaves; between 0 and 1.
    pub decay: f64,
}

/// P6: the square of the number of links of one [group](crate::policy::IpGroup) beyond a threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Colocation {
    /// Not positive.
    pub weight: f64,
    /// Links of a group that cost nothing; at least 1.
    pub threshold: u32,
}

/// P7: the square of the misbehaviour beyond a threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Behaviour {
    /// Negative.
    pub weight: f64,
    /// Misbehaviour that costs nothing; not negative.
    pub threshold: f64,
    /// Share that an interval leaves; between 0 and 1.
    pub decay: f64,
}

/// Messages that a neighbour did not take in time, beyond a threshold; not squared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlowPeer {
    /// Not positive.
    pub weight: f64,
    /// Messages that cost nothing; not negative.
    pub threshold: f64,
    /// Share that an interval leaves; between 0 and 1.
    pub decay: f64,
    /// Messages that count at most: alone they cost less than the gossip threshold, for who is slow
    /// is no enemy.
    pub cap: f64,
}

/// Scores at which something changes: graylist ≤ publish ≤ gossip < 0 ≤ the others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// Below it a neighbour hears of no messages and none of its announcements are read.
    pub gossip: f64,
    /// Below it a neighbour gets no message that this node publishes outside its mesh.
    pub publish: f64,
    /// Below it nothing that a neighbour sends is read.
    pub graylist: f64,
    /// From it on the peers are dialled that a neighbour recommends.
    pub accept_px: f64,
    /// A mesh whose median is below it takes in better neighbours.
    pub opportunistic_graft: f64,
}

impl ScoreConfig {
    /// How a topic is scored.
    #[must_use]
    pub fn topic(&self, topic: &TopicHash) -> &TopicScore {
        self.topics.get(topic).unwrap_or(&self.default_topic)
    }

    /// All that a topic may be scored by.
    pub(super) fn topic_scores(&self) -> impl Iterator<Item = &TopicScore> {
        let others = [&self.default_topic, &self.unsigned_topic];
        self.topics.values().chain(others)
    }
}

impl Deliveries {
    /// P3 of a member that brings nothing of what it owes: its largest value.
    #[must_use]
    pub const fn penalty_of_silence(&self) -> f64 {
        match self {
            Self::Absolute { threshold, .. } => *threshold * *threshold,
            Self::Expected { .. } => 1.0,
        }
    }
}

impl TopicScore {
    /// The most that a neighbour earns on the topic without bringing a message.
    #[must_use]
    pub const fn earned_by_presence(&self) -> f64 {
        self.weight * self.time_in_mesh.weight * self.time_in_mesh.cap
    }

    /// The most that a neighbour earns on the topic.
    #[must_use]
    pub const fn earned_at_most(&self) -> f64 {
        self.earned_by_presence()
            + self.weight * self.first_deliveries.weight * self.first_deliveries.cap
    }

    /// What P3 costs a member that brings nothing; negative.
    #[must_use]
    pub const fn cost_of_silence(&self) -> f64 {
        let deliveries = &self.mesh_deliveries;
        self.weight * deliveries.weight * deliveries.rule.penalty_of_silence()
    }
}
