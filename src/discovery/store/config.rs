use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::ENTRY_OVERHEAD;
use crate::wire::message::discovery::MAX_RECORD_BODY;

/// How much a node holds for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreConfig {
    /// Bytes of all records and of what it takes to keep them; 1 MiB to 1 TiB, default 64 MiB: some
    /// 6 700 mutable records of a KiB with their keys and signatures, or 40 000 small entries.
    pub budget_bytes: u64,
    /// One peer may fill this fraction of the budget, `1 / peer_share`; 1 to 1 024, default 8, and
    /// room for the largest record at least.
    pub peer_share: u32,
    /// One IP group may fill this fraction of the budget, `1 / group_share`; 1 to `peer_share`,
    /// default 4: four networks are needed to fill a node, and even those yield to others.
    pub group_share: u32,
}

/// Why a [`StoreConfig`] cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum StoreConfigError {
    /// Not between 1 MiB and 1 TiB.
    #[error("store.budget_bytes is {0}, allowed are 1048576 to 1099511627776")]
    Budget(u64),
    /// Not between 1 and 1 024, or a share with no room for the largest record.
    #[error(
        "store.peer_share is {0}, allowed are 1 to 1024 while a share holds the largest record"
    )]
    PeerShare(u32),
    /// Not between 1 and `peer_share`.
    #[error("store.group_share is {0}, allowed are 1 to store.peer_share")]
    GroupShare(u32),
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            budget_bytes: 64 << 20,
            peer_share: 8,
            group_share: 4,
        }
    }
}

impl StoreConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// The first field out of its range.
    pub fn validate(&self) -> Result<(), StoreConfigError> {
        // Below a MiB fair shares are smaller than records; above a TiB nobody means it.
        const BUDGET: std::ops::RangeInclusive<u64> = 1 << 20..=1 << 40;
        const LARGEST_ENTRY: u64 = MAX_RECORD_BODY as u64 + ENTRY_OVERHEAD;
        if !BUDGET.contains(&self.budget_bytes) {
            return Err(StoreConfigError::Budget(self.budget_bytes));
        }
        let fits = self.per_peer() >= LARGEST_ENTRY;
        if !(1..=1_024).contains(&self.peer_share) || !fits {
            return Err(StoreConfigError::PeerShare(self.peer_share));
        }
        if !(1..=self.peer_share).contains(&self.group_share) {
            return Err(StoreConfigError::GroupShare(self.group_share));
        }
        Ok(())
    }

    /// Bytes that one peer may fill.
    #[must_use]
    pub fn per_peer(&self) -> u64 {
        self.budget_bytes / u64::from(self.peer_share.max(1))
    }

    /// Bytes that one IP group may fill.
    #[must_use]
    pub fn per_group(&self) -> u64 {
        self.budget_bytes / u64::from(self.group_share.max(1))
    }
}
