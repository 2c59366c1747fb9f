use proptest::prelude::*;

use super::*;

#[test]
fn the_first_epoch_is_the_time() {
    assert_eq!(next_epoch(None, UnixMillis(WALL)), WALL);
}

#[test]
fn an_epoch_rises_even_if_the_clock_went_back() {
    assert_eq!(next_epoch(Some(WALL - 1), UnixMillis(WALL)), WALL);
    assert_eq!(next_epoch(Some(WALL), UnixMillis(WALL)), WALL + 1);
    assert_eq!(next_epoch(Some(WALL), UnixMillis(WALL - 600_000)), WALL + 1);
    assert_eq!(next_epoch(Some(WALL), UnixMillis(0)), WALL + 1);
}

#[test]
fn a_stored_epoch_that_has_no_successor_is_damage() {
    assert_eq!(next_epoch(Some(u64::MAX), UnixMillis(WALL)), WALL);
    assert_eq!(next_epoch(Some(u64::MAX - 1), UnixMillis(WALL)), u64::MAX);
}

proptest! {
    #[test]
    fn epochs_of_any_runs_rise(clocks in prop::collection::vec(0..u64::MAX - 1_000, 1..50)) {
        let mut last = None;
        for clock in clocks {
            let next = next_epoch(last, UnixMillis(clock));
            prop_assert!(last.is_none_or(|last| next > last) && next >= clock);
            last = Some(next);
        }
    }
}
