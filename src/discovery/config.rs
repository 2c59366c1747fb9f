//! What discovery can be told, and the constants of its algorithms.

use std::time::Duration;

/// Nodes in a bucket, and nodes that a lookup finds: Kademlia's k.
pub const K: usize = 20;

/// Settings of the discovery machine. The defaults are the shipped policy; what differs from them
/// is for tests and for the control arms of measurements.
#[derive(Debug, Clone, PartialEq)]
pub struct DiscoveryConfig {
    /// Requests of a lookup under way at first; default 5.
    pub alpha: usize,
    /// And at most, when replies bring nothing nearer; default 10.
    pub alpha_max: usize,
    /// Whether the density quota holds, in the query window, in replies and in buckets; default yes.
    pub density_quota: bool,
    /// Whether records are stored in the whole region of their key, and a suspicious lookup walks
    /// through it; default yes.
    pub region: bool,
    /// Disjoint paths of a lookup; default 1. Hardened lookups take [`HARDENED_PATHS`].
    pub paths: usize,
    /// A bucket that no lookup went through for this long is looked up; default 10 min.
    pub refresh: Duration,
    /// A publisher stores its records again after this long; default 60 min.
    pub republish: Duration,
    /// A holder stores a record again that nobody stored for this long, give or take a half, so that
    /// one of the holders does it for all; default 20 min.
    pub repair: Duration,
    /// Requests that this node answers.
    pub serving: ServingConfig,
}

/// How much this node answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServingConfig {
    /// Requests of one peer at once, and a second after that; default 128 and 64: a lookup asks a
    /// peer once or twice, a sweep over a whole network a few times.
    pub peer: Rate,
    /// Requests of one IP group; default 512 and 256: four busy peers.
    pub group: Rate,
    /// All requests; default 2 048 and 8 192: about a sixth of a core.
    pub total: Rate,
}

/// A rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// At once.
    pub burst: u32,
    /// A second after that.
    pub per_second: u32,
}

/// Disjoint paths of a hardened lookup: with three, an attacker has to sit on each.
pub const HARDENED_PATHS: usize = 3;

impl Default for DiscoveryConfig {
    fn default() -> Self {
        Self {
            alpha: 5,
            alpha_max: 10,
            density_quota: true,
            region: true,
            paths: 1,
            refresh: Duration::from_secs(600),
            republish: Duration::from_secs(3_600),
            repair: Duration::from_secs(1_200),
            serving: ServingConfig::default(),
        }
    }
}

impl Default for ServingConfig {
    fn default() -> Self {
        let rate = |burst, per_second| Rate { burst, per_second };
        Self {
            peer: rate(128, 64),
            group: rate(512, 256),
            total: rate(2_048, 8_192),
        }
    }
}
