use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::p2p::bounds::{OutOfRange, check, check_millis};
use crate::p2p::millis;
use crate::policy::Weight;

/// Weights and thresholds of the reputation, in points below zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReputationConfig {
    /// Time in which a score recovers by half; 1 second to 1 day, default 10 minutes: an operator who
    /// repairs a broken node is welcome again within the hour, a flood of faults is not forgotten
    /// while it lasts.
    #[serde(rename = "half_life_ms", with = "millis")]
    pub half_life: Duration,
    /// Cost of a fault on a stream; 1 to 100 points, default 10.
    pub stream_fault: u16,
    /// The connection is closed at this many points below zero; 1 to 99, default 50: five stream
    /// faults in a row.
    pub close_at: u16,
    /// The peer is banned at this many points below zero; 2 to 100, default 100.
    pub ban_at: u16,
    /// Length of a ban; 1 second to 7 days, default 10 minutes: one half-life, after which a single
    /// further fault closes the connection again.
    #[serde(rename = "ban_ms", with = "millis")]
    pub ban: Duration,
}

impl Default for ReputationConfig {
    fn default() -> Self {
        Self {
            half_life: Duration::from_secs(600),
            stream_fault: Weight::STREAM_FAULT.0,
            close_at: Weight::CLOSE_AT.0,
            ban_at: Weight::BAN_AT.0,
            ban: Duration::from_secs(600),
        }
    }
}

impl ReputationConfig {
    /// Checks every field and their order.
    ///
    /// # Errors
    /// The first field out of its range; `close_at` must stay below `ban_at`.
    pub fn validate(&self) -> Result<(), OutOfRange> {
        const DAY_MS: u64 = 86_400_000;
        check_millis("reputation.half_life_ms", self.half_life, 1_000..=DAY_MS)?;
        check("reputation.stream_fault", self.stream_fault.into(), 1..=100)?;
        check("reputation.ban_at", self.ban_at.into(), 2..=100)?;
        check(
            "reputation.close_at",
            self.close_at.into(),
            1..=u64::from(self.ban_at) - 1,
        )?;
        check_millis("reputation.ban_ms", self.ban, 1_000..=7 * DAY_MS)
    }
}
