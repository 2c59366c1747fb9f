//! The quota against a count over all prefixes.

use proptest::prelude::*;

use super::*;
use crate::discovery::testing::{below, key, rng};

/// Ids that crowd around `target` more or less.
fn crowd(target: &Key, seed: u64) -> Vec<Key> {
    let rng = &mut rng(seed);
    let count = below(rng, 120);
    (0..count)
        .map(|_| {
            let bits = u32::try_from(below(rng, 40)).unwrap();
            target.random_with_prefix(bits, rng)
        })
        .collect()
}

/// Whether, at any level, as many of `members` as may be share the prefix of `next`.
fn is_full(density: &Density, from: u32, members: &[Key], next: &Key) -> bool {
    (from..=256).any(|bits| {
        let sharing = members.iter().filter(|one| one.common_prefix(next) >= bits);
        density
            .most(bits)
            .is_some_and(|most| sharing.count() >= usize::from(most))
    })
}

proptest! {
    #[test]
    fn an_id_is_over_if_any_prefix_of_it_is_full(seed: u64, size in 1.0_f64..100_000.0) {
        let (target, density) = (key(seed), Density::of(size));
        let mut ids = crowd(&target, seed);
        ids.sort_by_key(|id| target.distance(id));
        ids.dedup();
        let (mut accepted, mut passed) = (Vec::new(), Vec::new());
        for id in ids {
            let distance = target.distance(&id);
            let is_over = density.is_over(&accepted, &distance);
            prop_assert_eq!(is_over, is_full(&density, 0, &passed, &id));
            if !is_over {
                accepted.push(distance);
                passed.push(id);
            }
        }
    }

    #[test]
    fn a_bucket_is_crowded_if_any_longer_prefix_of_it_is_full(
        seed: u64, size in 1.0_f64..100_000.0, bits in 0_u32..24,
    ) {
        let (local, density) = (key(seed), Density::of(size));
        let rng = &mut rng(seed);
        let place = local.with_flipped_bit(bits).random_with_prefix(bits + 1, rng);
        let mut members: Vec<Key> = Vec::new();
        for _ in 0..40 {
            let near = bits + 1 + u32::try_from(below(rng, 24)).unwrap();
            let newcomer = place.random_with_prefix(near, rng);
            let is_crowded = density.is_crowded(bits, members.iter().copied(), &newcomer);
            prop_assert_eq!(is_crowded, is_full(&density, bits + 1, &members, &newcomer));
            if !is_crowded {
                members.push(newcomer);
            }
        }
    }

    #[test]
    fn honest_ids_are_within_the_quota_of_their_own_number(seed: u64) {
        let size = 500;
        let density = Density::of(500.0);
        let rng = &mut rng(seed);
        let target = Key::random(rng);
        let mut distances: Vec<_> =
            (0..size).map(|_| target.distance(&Key::random(rng))).collect();
        distances.sort_unstable();
        let mut accepted = Vec::new();
        for distance in distances {
            if !density.is_over(&accepted, &distance) {
                accepted.push(distance);
            }
        }
        // Pairs share 17 bits by chance; no crowd does.
        prop_assert!(accepted.len() >= size - 2, "{} of {size}", accepted.len());
    }
}

#[test]
fn the_estimate_follows_the_size_and_one_liar_does_not_move_it() {
    for size in [100, 1_000, 5_000] {
        let rng = &mut rng(size);
        let nodes: Vec<_> = (0..size).map(|_| Key::random(rng)).collect();
        let kth = |target: &Key| {
            let mut all: Vec<_> = nodes.iter().map(|one| target.distance(one)).collect();
            all.sort_unstable();
            all[19]
        };
        let mut estimate = SizeEstimate::new(20, true);
        estimate.own_neighbourhood(Micros(0), Some(kth(&key(size))));
        for _ in 0..SAMPLES {
            estimate.sample(Micros(0), &kth(&Key::random(rng)));
        }
        let honest = estimate.density().size();
        let ratio = honest / f64::from(u32::try_from(size).unwrap());
        assert!((0.7..1.4).contains(&ratio), "{ratio} of {size}");
        // Twenty ids at its own place say that the network is huge; the lookups know better.
        let place = key(size);
        let crowded = place.distance(&place.random_with_prefix(60, rng));
        estimate.own_neighbourhood(Micros(0), Some(crowded));
        let ratio = estimate.density().size() / honest;
        assert!(
            (0.7..1.4).contains(&ratio),
            "{ratio} after an attack on {size}"
        );
    }
}

/// A network of 60 nodes has 3 000 a while later, and every sample is taken with bounds for what the
/// estimate was.
#[test]
fn an_estimate_that_is_far_too_low_finds_out() {
    let rng = &mut rng(60);
    let nodes: Vec<_> = (0..3_000).map(|_| Key::random(rng)).collect();
    let distances = |target: &Key, count: usize| {
        let nodes = nodes.iter().take(count);
        let mut all: Vec<_> = nodes.map(|one| target.distance(one)).collect();
        all.sort_unstable();
        all
    };
    let mut estimate = SizeEstimate::new(20, true);
    estimate.own_neighbourhood(Micros(0), Some(distances(&key(60), 60)[19]));
    for _ in 0..SAMPLES {
        let distance = distances(&Key::random(rng), 60)[19];
        estimate.sample(Micros(0), &distance);
    }
    assert!(estimate.density().size() < 100.0);
    let mut rounds = 0;
    while rounds == 0 || estimate.has_grown() {
        rounds += 1;
        assert!(rounds <= 4, "{}", estimate.density().size());
        let bounds = estimate.sampling_density();
        for _ in 0..10 {
            let mut accepted = Vec::new();
            for distance in distances(&Key::random(rng), 3_000) {
                if !bounds.is_over(&accepted, &distance) {
                    accepted.push(distance);
                }
            }
            estimate.sample(Micros(1), &accepted[19]);
        }
    }
    let ratio = estimate.density().size() / 3_000.0;
    assert!((0.7..1.4).contains(&ratio), "{ratio}");
}

#[test]
fn attack_a_few_crowded_places_do_not_make_the_network_look_large() {
    let rng = &mut rng(61);
    let place = |bits| {
        let place = Key::random(rng);
        place.distance(&place.with_flipped_bit(bits))
    };
    let [usual, dense] = [6, 40].map(place);
    let mut estimate = SizeEstimate::new(20, true);
    estimate.own_neighbourhood(Micros(0), Some(usual));
    for sample in [usual, usual, usual, usual, dense, dense, dense, usual] {
        let before = estimate.density().size();
        estimate.sample(Micros(0), &sample);
        if before > 1.0 {
            let ratio = estimate.density().size() / before;
            assert!((0.9..1.1).contains(&ratio), "{ratio}");
        }
    }
}
