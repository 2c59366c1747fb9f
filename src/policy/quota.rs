//! Counters with a limit a key and a limit in total.

use std::collections::BTreeMap;

use thiserror::Error;

/// Which limit a [`Quota`] met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
pub enum QuotaExceeded {
    /// The key holds all that one key may hold.
    #[error("the limit of one holder is reached")]
    Key,
    /// All keys together hold all there is.
    #[error("the limit in total is reached")]
    Total,
}

/// Counts what each key holds, never more than `per_key` for one and `total` for all.
///
/// Memory is bounded by the total: a key that holds nothing is not kept. The order is that of the
/// keys, so that two runs with the same seed agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota<K> {
    per_key: u32,
    total: u32,
    held: BTreeMap<K, u32>,
    used: u32,
}

impl<K: Ord> Quota<K> {
    /// An empty quota.
    #[must_use]
    pub const fn new(per_key: u32, total: u32) -> Self {
        Self {
            per_key,
            total,
            held: BTreeMap::new(),
            used: 0,
        }
    }

    /// Counts one more for `key`.
    ///
    /// # Errors
    /// [`QuotaExceeded`]; nothing is counted then.
    pub fn try_acquire(&mut self, key: K) -> Result<(), QuotaExceeded> {
        if self.held(&key) >= self.per_key {
            return Err(QuotaExceeded::Key);
        }
        if self.used >= self.total {
            return Err(QuotaExceeded::Total);
        }
        self.used = self.used.saturating_add(1);
        let held = self.held.entry(key).or_default();
        *held = held.saturating_add(1);
        Ok(())
    }

    /// Counts one less for `key`; says whether it held any.
    pub fn release(&mut self, key: &K) -> bool {
        let Some(held) = self.held.get_mut(key) else {
            return false;
        };
        *held = held.saturating_sub(1);
        if *held == 0 {
            self.held.remove(key);
        }
        self.used = self.used.saturating_sub(1);
        true
    }

    /// What `key` holds.
    #[must_use]
    pub fn held(&self, key: &K) -> u32 {
        self.held.get(key).copied().unwrap_or(0)
    }

    /// What all keys hold together.
    #[must_use]
    pub const fn used(&self) -> u32 {
        self.used
    }

    /// Number of keys that hold something.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.held.len()
    }
}
