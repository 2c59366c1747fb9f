//! Many machines in one process, as simulations have them, hold a seal, a key and a message once.
//!
//! A thousand machines hold the same few thousand seals of 5 KB: 20 GB if each had its own copies. What
//! a machine does is the same either way.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Weak};

use crate::crypto::VerifyingKey;
use crate::identity::PeerId;

/// Entries that nobody holds any more are dropped when there are more than this, and twice as many as the
/// last time.
const FIRST_SWEEP: usize = 1_024;

thread_local! {
    static POOL: RefCell<Pool> = RefCell::default();
}

/// Of any type that a thread may hand to another.
type Anything = dyn Any + Send + Sync;

#[derive(Debug, Default)]
struct Pool {
    /// Simulations that run on this thread; without any, nothing is pooled.
    users: usize,
    /// By the hash that names it. Only looked up, never iterated but to drop.
    things: HashMap<[u8; 32], Weak<Anything>>,
    sweep_at: usize,
    /// Every key that any of the machines was sent.
    keys: HashMap<PeerId, VerifyingKey>,
}

/// As long as one of these lives, all machines of the thread share what they hold alike.
#[derive(Debug)]
pub(crate) struct Sharing(());

impl Sharing {
    pub(crate) fn begin() -> Self {
        POOL.with_borrow_mut(|pool| pool.users += 1);
        Self(())
    }
}

#[cfg(test)]
impl Sharing {
    /// Things in the pool, with those that nobody holds any more and that are not yet dropped.
    pub(crate) fn count() -> usize {
        POOL.with_borrow(|pool| pool.things.len())
    }
}

impl Drop for Sharing {
    fn drop(&mut self) {
        POOL.with_borrow_mut(|pool| {
            pool.users -= 1;
            if pool.users == 0 {
                *pool = Pool::default();
            }
        });
    }
}

/// What is in the pool under this name and is the same thing, or else this one.
pub(super) fn pooled<T: Any + Send + Sync>(
    name: [u8; 32],
    own: Arc<T>,
    is_same: impl Fn(&T) -> bool,
) -> Arc<T> {
    POOL.with_borrow_mut(|pool| {
        if pool.users == 0 {
            return own;
        }
        if let Some(held) = pool.things.get(&name).and_then(Weak::upgrade) {
            let held = held.downcast().ok();
            return held.filter(|held| is_same(held)).unwrap_or(own);
        }
        if pool.things.len() >= pool.sweep_at {
            pool.things.retain(|_, thing| thing.strong_count() > 0);
            pool.sweep_at = FIRST_SWEEP.max(2 * pool.things.len());
        }
        let thing: Arc<Anything> = own.clone();
        pool.things.insert(name, Arc::downgrade(&thing));
        own
    })
}

/// The copy of a key that is in the pool, or else this one.
pub(super) fn pooled_key(publisher: PeerId, own: VerifyingKey) -> VerifyingKey {
    POOL.with_borrow_mut(|pool| {
        if pool.users == 0 {
            return own;
        }
        pool.keys.entry(publisher).or_insert(own).clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether two equal things are one, if they are the same.
    fn is_one(name: u8, are_same: bool) -> bool {
        let share = || pooled([name; 32], Arc::new(7), |_| are_same);
        let (one, other) = (share(), share());
        Arc::ptr_eq(&one, &other)
    }

    #[test]
    fn what_is_the_same_is_one_while_there_is_a_simulation() {
        assert!(!is_one(1, true));
        let _sharing = Sharing::begin();
        assert!(is_one(1, true));
        assert!(!is_one(2, false), "one name, and not the same");
    }

    #[test]
    fn what_has_another_type_is_another() {
        let _sharing = Sharing::begin();
        let number = pooled([1; 32], Arc::new(7_u8), |_| true);
        let text = pooled([1; 32], Arc::new("seven"), |_| true);
        assert_eq!((*number, *text), (7, "seven"));
    }

    #[test]
    fn nothing_is_left_of_a_simulation() {
        let sharing = Sharing::begin();
        let _held = pooled([1; 32], Arc::new(7), |_| true);
        assert_eq!(Sharing::count(), 1);
        drop(sharing);
        assert_eq!(Sharing::count(), 0);
    }

    #[test]
    fn a_key_is_held_once() {
        let _sharing = Sharing::begin();
        let share = || {
            let key = VerifyingKey::ml_dsa_87(&[1; 2592]);
            pooled_key(PeerId::from(key.hash()), key)
        };
        assert!(std::ptr::eq(share().as_bytes(), share().as_bytes()));
    }
}
