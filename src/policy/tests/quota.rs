use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::policy::{Quota, QuotaExceeded};

#[test]
fn a_key_gets_its_limit_and_not_one_more() {
    let mut quota = Quota::new(3, 100);
    for _ in 0..3 {
        assert_eq!(quota.try_acquire("a"), Ok(()));
    }
    assert_eq!(quota.try_acquire("a"), Err(QuotaExceeded::Key));
    assert_eq!(quota.try_acquire("b"), Ok(()));
    assert_eq!(
        (quota.held(&"a"), quota.held(&"b"), quota.used()),
        (3, 1, 4)
    );
}

#[test]
fn all_keys_together_get_the_total_and_not_one_more() {
    let mut quota = Quota::new(3, 4);
    for key in 0..4 {
        assert_eq!(quota.try_acquire(key), Ok(()));
    }
    assert_eq!(quota.try_acquire(4), Err(QuotaExceeded::Total));
    assert_eq!((quota.used(), quota.keys()), (4, 4));
}

#[test]
fn a_released_place_can_be_taken_again() {
    let mut quota = Quota::new(1, 1);
    assert_eq!(quota.try_acquire("a"), Ok(()));
    assert_eq!(quota.try_acquire("b"), Err(QuotaExceeded::Total));
    assert!(quota.release(&"a"));
    assert_eq!(quota.keys(), 0);
    assert_eq!(quota.try_acquire("b"), Ok(()));
}

#[test]
fn releasing_what_is_not_held_changes_nothing() {
    let mut quota = Quota::new(1, 1);
    assert_eq!(quota.try_acquire("a"), Ok(()));
    assert!(!quota.release(&"b"));
    assert_eq!(quota.used(), 1);
}

#[test]
fn a_limit_of_zero_refuses_everything() {
    assert_eq!(Quota::new(0, 9).try_acquire(1), Err(QuotaExceeded::Key));
    assert_eq!(Quota::new(9, 0).try_acquire(1), Err(QuotaExceeded::Total));
}

proptest! {
    #[test]
    fn agrees_with_a_plain_count(steps in prop::collection::vec((any::<bool>(), 0u8..6), 0..200)) {
        let mut quota = Quota::new(3, 8);
        let mut model = BTreeMap::<u8, u32>::new();
        for (take, key) in steps {
            let held = model.get(&key).copied().unwrap_or(0);
            let total: u32 = model.values().sum();
            if take {
                let room = held < 3 && total < 8;
                prop_assert_eq!(quota.try_acquire(key).is_ok(), room);
                model.insert(key, held + u32::from(room));
            } else {
                prop_assert_eq!(quota.release(&key), held > 0);
                model.insert(key, held.saturating_sub(1));
            }
            prop_assert_eq!(quota.used(), model.values().sum::<u32>());
            prop_assert_eq!(quota.keys(), model.values().filter(|held| **held > 0).count());
        }
    }
}
