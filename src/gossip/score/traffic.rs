//! How much is said on the topics.

use std::collections::BTreeMap;

use super::MAX_TOPICS;
use super::config::{Deliveries, ScoreConfig};
use super::decay::Decay;
use crate::gossip::TopicHash;

/// Messages that this node received, from whomever, by topic: on those where deliveries count
/// absolutely. They decay as the deliveries do.
///
/// The topics are those that this node's program subscribed to; a peer adds none. Of topics beyond
/// [`MAX_TOPICS`] nothing is known, and nobody is in deficit there.
#[derive(Debug, Clone, Default)]
pub(super) struct Traffic(BTreeMap<TopicHash, f64>);

impl Traffic {
    pub(super) fn of(&self, topic: &TopicHash) -> f64 {
        self.0.get(topic).copied().unwrap_or(0.0)
    }

    /// One more; `false` where they are not counted. The counter is capped in the same proportion as the
    /// deliveries: when the topic falls silent, it is too quiet to judge by before a member at its own cap
    /// falls below the threshold.
    pub(super) fn count(&mut self, topic: TopicHash, config: &ScoreConfig) -> bool {
        let deliveries = &config.topic(&topic).mesh_deliveries;
        let Deliveries::Absolute {
            threshold, traffic, ..
        } = deliveries.rule
        else {
            return false;
        };
        let has_room = self.0.len() < MAX_TOPICS || self.0.contains_key(&topic);
        if has_room {
            let cap = traffic * deliveries.cap / threshold;
            let counter = self.0.entry(topic).or_default();
            *counter = (*counter + 1.0).min(cap);
        }
        has_room
    }

    pub(super) fn decay(&mut self, config: &ScoreConfig, decay: &Decay) {
        self.0.retain(|topic, counter| {
            decay.apply(counter, config.topic(topic).mesh_deliveries.decay);
            *counter > 0.0
        });
    }
}
