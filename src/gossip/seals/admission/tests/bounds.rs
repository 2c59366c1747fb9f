use proptest::prelude::*;

use super::*;

/// An admission that never has a token.
fn shut() -> Admission {
    let config = AdmissionConfig {
        publisher_burst: 0,
        ..AdmissionConfig::default()
    };
    Admission::new(config, START)
}

#[test]
fn seals_that_wait_for_one_link_are_bounded() {
    let mut admission = shut();
    for seal in 0..MAX_WAITING_PER_LINK as u64 {
        assert_eq!(offer(&mut admission, START, 1, seal, seal), Offer::Waiting);
    }
    assert_eq!(offer(&mut admission, START, 1, 9_999, 9_999), Offer::Full);
    assert_eq!(
        offer(&mut admission, START, 2, 9_999, 9_999),
        Offer::Waiting
    );
    assert_eq!(admission.waiting(), MAX_WAITING_PER_LINK + 1);
    check(&admission);
}

#[test]
fn on_a_full_link_the_loudest_publisher_gives_way() {
    let mut admission = shut();
    let full = MAX_WAITING_PER_LINK as u64;
    for seal in 0..full {
        offer(&mut admission, START, 1, 77, seal);
    }
    let last = seal_id(full - 1);
    assert_eq!(
        offer(&mut admission, START, 1, 5, 1_000),
        Offer::InsteadOf(last)
    );
    assert_eq!(offer(&mut admission, START, 1, 77, 1_001), Offer::Full);
    check(&admission);
}

#[test]
fn seals_that_wait_for_all_links_are_bounded_and_the_fullest_link_gives_way() {
    let mut admission = shut();
    let links = (MAX_WAITING / MAX_WAITING_PER_LINK) as u64;
    for seal in 0..MAX_WAITING as u64 {
        offer(&mut admission, START, seal % links, seal, seal);
    }
    assert_eq!(admission.waiting(), MAX_WAITING);
    let newcomer = offer(&mut admission, START, 1_000, 1, 1 << 20);
    assert!(matches!(newcomer, Offer::InsteadOf(_)), "{newcomer:?}");
    assert_eq!(admission.waiting(), MAX_WAITING);
    check(&admission);
}

#[test]
fn what_another_link_brings_too_is_not_forgotten_when_a_link_gives_way() {
    let mut admission = shut();
    for seal in 0..MAX_WAITING_PER_LINK as u64 {
        offer(&mut admission, START, 1, 77, seal);
        offer(&mut admission, START, 2, 77, seal);
    }
    assert_eq!(offer(&mut admission, START, 1, 5, 1_000), Offer::Waiting);
    assert_eq!(admission.waiting(), MAX_WAITING_PER_LINK + 1);
    check(&admission);
}

#[test]
fn seals_of_one_link_in_flight_are_bounded() {
    let mut admission = admission();
    for seal in 0..20 {
        offer(&mut admission, START, 1, seal, seal);
    }
    let first = drain(&mut admission, START);
    assert_eq!(first.len(), MAX_IN_FLIGHT_PER_LINK);
    admission.finished(START, &first[0].seal, Validity::Valid);
    assert_eq!(drain(&mut admission, START).len(), 1);
}

#[test]
fn publishers_whose_rate_is_remembered_are_bounded() {
    let mut admission = Admission::new(
        AdmissionConfig {
            total_per_second: u32::MAX,
            ..AdmissionConfig::default()
        },
        START,
    );
    for who in 0..3 * MAX_RATED as u64 {
        offer(&mut admission, START, 1, who, who);
        assert_eq!(verify_all(&mut admission, START).len(), 1);
        assert!(admission.publishers.len() <= MAX_RATED);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_order_of_calls_breaks_the_books(seed: u64) {
        let rng = &mut rng(seed);
        let mut admission = admission();
        let mut in_flight = Vec::new();
        let (mut now, mut offered, mut admitted) = (START, 0u64, 0u64);
        for _ in 0..600 {
            now = now + Duration::from_micros(below(rng, 30_000));
            match below(rng, 10) {
                0..6 => {
                    let seal = below(rng, 200);
                    let link = below(rng, 12);
                    offered += 1;
                    offer(&mut admission, now, link, seal % 7, seal);
                }
                6 | 7 => {
                    for one in drain(&mut admission, now) {
                        prop_assert!(one.publisher == publisher(
                            (0..200).find(|seal| seal_id(*seal) == one.seal).unwrap() % 7
                        ));
                        admitted += 1;
                        in_flight.push(one.seal);
                    }
                }
                8 => {
                    while let Some(seal) = in_flight.pop() {
                        let validity = match below(rng, 2) {
                            0 => Validity::Valid,
                            _ => Validity::Invalid,
                        };
                        admission.finished(now, &seal, validity);
                    }
                }
                _ => {
                    admission.forget_link(Link(below(rng, 12)));
                    while admission.expired(now).is_some() {}
                }
            }
            check(&admission);
        }
        prop_assert!(admitted <= offered);
    }
}
