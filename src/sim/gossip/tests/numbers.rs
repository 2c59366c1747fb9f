//! Percentiles, chance, paths.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use super::*;

const fn micros(count: u64) -> Duration {
    Duration::from_micros(count)
}

#[test]
fn quantiles_are_those_of_the_sorted_values_to_two_thousandths_and_never_less() {
    let seed = 1;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut histogram = Histogram::default();
    let mut values = Vec::new();
    for _ in 0..20_000 {
        // All sizes from nothing to a minute.
        let value = rng.next_u64() >> (38 + rng.next_u32() % 26);
        values.push(value);
        histogram.record(micros(value));
    }
    values.sort_unstable();
    assert_eq!(histogram.len(), 20_000);
    assert_eq!(histogram.max(), Some(micros(values[19_999])));
    for (share, rank) in [
        (0.0, 1),
        (0.000_05, 1),
        (0.5, 10_000),
        (0.99, 19_800),
        (0.999, 19_980),
        (1.0, 20_000),
    ] {
        let exact = values[rank - 1];
        let found = histogram.quantile(share).unwrap();
        let most = micros(exact + exact / 500);
        assert!(
            (micros(exact)..=most).contains(&found),
            "{share}: {found:?}"
        );
    }
}

#[test]
fn short_times_are_exact_and_the_longest_fits() {
    let mut histogram = Histogram::default();
    for value in 0..1_024 {
        histogram.record(micros(value));
    }
    assert_eq!(histogram.quantile(0.5), Some(micros(511)));
    assert_eq!(histogram.quantile(1.0), Some(micros(1_023)));
    histogram.record(Duration::MAX);
    assert_eq!(histogram.max(), Some(micros(u64::MAX)));
    assert_eq!(histogram.quantile(1.0), Some(micros(u64::MAX)));
}

#[test]
fn nothing_has_no_quantiles() {
    let histogram = Histogram::default();
    assert!(histogram.is_empty());
    assert_eq!((histogram.quantile(0.5), histogram.max()), (None, None));
}

#[test]
fn two_histograms_together_are_the_one_of_all_values() {
    let (mut one, mut other, mut all) = <(Histogram, Histogram, Histogram)>::default();
    for value in 0..5_000 {
        let part = if value % 3 == 0 { &mut one } else { &mut other };
        part.record(micros(value * value));
        all.record(micros(value * value));
    }
    one.merge(&other);
    assert_eq!(one, all);
    let mut empty = Histogram::default();
    empty.merge(&all);
    assert_eq!(empty, all);
}

#[test]
fn draws_below_a_number_are_even_and_below_it() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut counts = [0_u32; 7];
    for _ in 0..70_000 {
        counts[dice::below(&mut rng, 7)] += 1;
    }
    assert!(
        counts.iter().all(|count| count.abs_diff(10_000) < 400),
        "{counts:?}"
    );
    assert_eq!(dice::below(&mut rng, 0), 0);
}

#[test]
fn times_between_independent_events_have_the_right_mean_and_spread() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let count = 100_000;
    let spans: Vec<_> = (0..count)
        .map(|_| dice::until_next(&mut rng, 120.0).as_secs_f64())
        .collect();
    let mean = spans.iter().sum::<f64>() / f64::from(count);
    let square = spans.iter().map(|span| span * span).sum::<f64>() / f64::from(count);
    assert!((mean * 120.0 - 1.0).abs() < 0.02, "{mean}");
    // An exponential distribution: its standard deviation is its mean.
    assert!((square / mean / mean - 2.0).abs() < 0.08, "{square}");
}

#[test]
fn some_of_many_are_different_and_evenly_drawn() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let mut counts = [0_u32; 10];
    for _ in 0..10_000 {
        let mut drawn = dice::some_of(&mut rng, 10, 3);
        drawn.iter().for_each(|one| counts[*one as usize] += 1);
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn.len(), 3);
    }
    assert!(
        counts.iter().all(|count| count.abs_diff(3_000) < 250),
        "{counts:?}"
    );
    assert_eq!(dice::some_of(&mut rng, 2, 5).len(), 2);
}

#[test]
fn the_shortest_path_is_found_though_it_has_more_steps() {
    let mut world = World::new(5, exact());
    for _ in 0..5 {
        let probe = |_| Box::new(Probe::new(&Log::default())) as Box<dyn Machine>;
        world.add(Role::Honest, &Settings::default(), &probe);
    }
    for (one, other, latency) in [(0, 1, 50), (0, 2, 10), (2, 3, 10), (3, 1, 10)] {
        let latency = MILLISECOND * latency;
        world.connect_at(Micros(0), NodeId(one), NodeId(other), latency);
    }
    let millis = |count| Some(MILLISECOND * count);
    let expected = [millis(0), millis(30), millis(10), millis(20), None];
    assert_eq!(shortest_paths(&world, NodeId(0)), expected);
    world.crash(NodeId(3));
    let expected = [millis(0), millis(50), millis(10), None, None];
    assert_eq!(shortest_paths(&world, NodeId(0)), expected);
}

#[test]
fn everybody_dials_so_many_and_nobody_the_same_twice() {
    let scenario = Scenario {
        nodes: 100,
        quiet: Duration::ZERO,
        warm_up: Duration::ZERO,
        measured: MILLISECOND,
        ..Scenario::default()
    };
    let mut world = World::new(6, scenario.model);
    scenario.gather(&mut world, &Flood::build);
    let mut links = 0;
    for node in world.nodes() {
        let mut neighbours: Vec<_> = world.neighbours(node);
        links += neighbours.len();
        assert!(neighbours.len() >= 10);
        assert!(neighbours.iter().all(|(other, _)| *other != node));
        neighbours.sort_unstable();
        neighbours.dedup_by_key(|(other, _)| *other);
        assert_eq!(neighbours.len(), world.neighbours(node).len());
    }
    assert_eq!(links, 2 * 1_000);
}
