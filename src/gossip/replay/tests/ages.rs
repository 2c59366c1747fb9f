use super::*;
use crate::gossip::replay::ages::{CLASSES, class_of, youngest_of};

#[test]
fn every_age_is_in_the_class_that_begins_at_or_below_it() {
    let ages = (0..70).chain((4..64).flat_map(|power| {
        let two = 1u64 << power;
        [two - 1, two, two + 1, two + two / 3]
    }));
    for age in ages.chain([u64::MAX]) {
        let class = class_of(age);
        assert!(class < CLASSES, "{age}");
        assert!(youngest_of(class) <= age, "{age}");
        assert!(age - youngest_of(class) <= age / 8, "{age}");
        if class + 1 < CLASSES {
            assert!(youngest_of(class + 1) > age, "{age}");
        }
    }
}

#[test]
fn the_horizon_takes_the_oldest_first_and_enough_of_it() {
    let now = Micros(1_000_000);
    let mut ages = Ages::new(now);
    assert_eq!(ages.horizon(1), Micros(1_000_001));
    for (touched, bytes) in [(1_000_000, 10), (999_000, 20), (500_000, 30)] {
        ages.add(Micros(touched), bytes);
    }
    for (wanted, oldest_kept) in [(1, 999_000), (30, 999_000), (31, 1_000_000)] {
        let horizon = ages.horizon(wanted).0;
        assert!(horizon <= oldest_kept, "{wanted}");
        assert!(horizon > 500_000, "{wanted}");
        assert_eq!(horizon > 999_000, wanted > 30);
    }
    assert_eq!(ages.horizon(51), Micros(1_000_001));
    assert_eq!(ages.horizon(1_000), Micros(1_000_001));
}
