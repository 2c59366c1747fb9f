//! What an operator may set.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::gossip::{ConfigError, GossipConfig, Spreading};
use crate::p2p::millis;

/// How gossip works on this node. The names are GossipSub's.
///
/// In a mesh four members stay for their score, and two are dialled by this node, whatever is set here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GossipSettings {
    /// Time between two heartbeats, at least 1 ms; default 700 ms. With `history_length` of them 150 s at most.
    #[serde(rename = "heartbeat_interval_ms", with = "millis")]
    pub heartbeat_interval: Duration,
    /// Heartbeats for which a message is kept for those who ask, 150 s at most; default 6.
    pub history_length: usize,
    /// Heartbeats whose messages are announced, 1 to `history_length`; default 3.
    pub history_gossip: usize,
    /// Neighbours of a mesh that are aimed at, at least 4; default 8.
    pub mesh_n: usize,
    /// Below it, neighbours are grafted: 3 to `mesh_n`; default 6.
    pub mesh_n_low: usize,
    /// Above it, neighbours are pruned: at least `mesh_n`; default 12.
    pub mesh_n_high: usize,
    /// Whether own messages go to all neighbours of their topic at once; default yes. With `by_source` those of 12
    /// KiB and more do not, unless they are above 16 KiB and below 24 MiB: then their header does.
    pub flood_publish: bool,
    /// Whether links are chosen for each publisher; default yes. Without, messages spread as in
    /// GossipSub v1.1, and are scored by the set for that.
    pub by_source: bool,
}

impl Default for GossipSettings {
    fn default() -> Self {
        let config = GossipConfig::default();
        Self {
            heartbeat_interval: config.heartbeat_interval,
            history_length: config.history_length,
            history_gossip: config.history_gossip,
            mesh_n: config.mesh_n,
            mesh_n_low: config.mesh_n_low,
            mesh_n_high: config.mesh_n_high,
            flood_publish: config.flood_publish,
            by_source: matches!(config.spreading, Spreading::BySource(_)),
        }
    }
}

impl GossipSettings {
    /// Checks all settings together.
    ///
    /// # Errors
    /// The first [`ConfigError`].
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.config().validate()
    }

    /// What the machine is told.
    pub(crate) fn config(&self) -> GossipConfig {
        let base = if self.by_source {
            GossipConfig::default()
        } else {
            GossipConfig::plain()
        };
        GossipConfig {
            heartbeat_interval: self.heartbeat_interval,
            history_length: self.history_length,
            history_gossip: self.history_gossip,
            mesh_n: self.mesh_n,
            mesh_n_low: self.mesh_n_low,
            mesh_n_high: self.mesh_n_high,
            flood_publish: self.flood_publish,
            ..base
        }
    }
}
