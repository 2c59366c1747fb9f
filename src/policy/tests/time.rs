use std::time::Duration;

use crate::policy::{Micros, UnixMillis};

#[test]
fn arithmetic_saturates_at_both_ends() {
    assert_eq!(
        Micros(u64::MAX) + Duration::from_micros(1),
        Micros(u64::MAX)
    );
    assert_eq!(Micros(0) + Duration::MAX, Micros(u64::MAX));
    assert_eq!(Micros(5) - Duration::from_micros(6), Micros(0));
    assert_eq!(Micros(5).since(Micros(6)), Duration::ZERO);
    assert_eq!(UnixMillis(5).since(UnixMillis(6)), Duration::ZERO);
}

#[test]
fn a_span_added_is_the_span_measured() {
    let later = Micros(7) + Duration::from_millis(3);
    assert_eq!(later.since(Micros(7)), Duration::from_millis(3));
    assert_eq!(later - Duration::from_millis(3), Micros(7));
}
