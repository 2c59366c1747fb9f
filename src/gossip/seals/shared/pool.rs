//! Many machines in one process, as simulations have them, hold a seal once.
//!
//! A thousand machines hold the same few thousand seals of 5 KB: 20 GB if each had its own copies. What
//! a machine does is the same either way.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Weak};

use super::{Inner, SealId};

/// Entries whose seal nobody holds any more are dropped when there are more than this, and twice as
/// many as the last time.
const FIRST_SWEEP: usize = 1_024;

thread_local! {
    static POOL: RefCell<Pool> = RefCell::default();
}

#[derive(Debug, Default)]
struct Pool {
    /// Simulations that run on this thread; without any, nothing is pooled.
    users: usize,
    /// Only looked up, never iterated but to drop.
    seals: HashMap<SealId, Weak<Inner>>,
    sweep_at: usize,
}

/// As long as one of these lives, all machines of the thread share their seals.
#[derive(Debug)]
pub(crate) struct SharedSeals(());

impl SharedSeals {
    pub(crate) fn begin() -> Self {
        POOL.with_borrow_mut(|pool| pool.users += 1);
        Self(())
    }
}

#[cfg(test)]
impl SharedSeals {
    /// Seals in the pool, with those that nobody holds any more and that are not yet dropped.
    pub(crate) fn count() -> usize {
        POOL.with_borrow(|pool| pool.seals.len())
    }
}

impl Drop for SharedSeals {
    fn drop(&mut self) {
        POOL.with_borrow_mut(|pool| {
            pool.users -= 1;
            if pool.users == 0 {
                *pool = Pool::default();
            }
        });
    }
}

/// The copy of a seal that is in the pool, or else this one.
pub(super) fn pooled(inner: Arc<Inner>) -> Arc<Inner> {
    POOL.with_borrow_mut(|pool| {
        if pool.users == 0 {
            return inner;
        }
        if let Some(held) = pool.seals.get(&inner.id).and_then(Weak::upgrade) {
            return held;
        }
        if pool.seals.len() >= pool.sweep_at {
            pool.seals.retain(|_, seal| seal.strong_count() > 0);
            pool.sweep_at = FIRST_SWEEP.max(2 * pool.seals.len());
        }
        pool.seals.insert(inner.id, Arc::downgrade(&inner));
        inner
    })
}
