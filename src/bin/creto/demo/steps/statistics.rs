//! Figures from samples.

use super::super::row::Value;

/// The 99th percentile by nearest rank, of microseconds, in milliseconds; NaN of no samples, which
/// passes no target.
pub(super) fn p99_ms(micros: Vec<u64>) -> Value {
    percentile_ms(micros, 99)
}

/// The 95th percentile, likewise.
pub(super) fn p95_ms(micros: Vec<u64>) -> Value {
    percentile_ms(micros, 95)
}

/// A span of microseconds in seconds.
pub(super) fn seconds(micros: u64) -> Value {
    Value::Real(to_f64(micros) / 1e6)
}

/// A share in percent; NaN of nothing.
pub(super) fn percent(part: usize, whole: usize) -> Value {
    Value::Real(100.0 * to_f64(part as u64) / to_f64(whole as u64))
}

fn percentile_ms(mut micros: Vec<u64>, percent: usize) -> Value {
    micros.sort_unstable();
    let rank = (micros.len() * percent).div_ceil(100);
    let nearest = rank.checked_sub(1).and_then(|index| micros.get(index));
    Value::Real(nearest.map_or(f64::NAN, |micros| to_f64(*micros) / 1e3))
}

/// So many things in so many microseconds, a second, in whole numbers.
pub(super) fn per_second(count: u64, micros: u64) -> Value {
    let rate = u128::from(count) * 1_000_000 / u128::from(micros.max(1));
    Value::Count(u64::try_from(rate).unwrap_or(u64::MAX))
}

#[allow(clippy::cast_precision_loss, reason = "spans stay far below 2^52 µs")]
fn to_f64(micros: u64) -> f64 {
    micros as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_percentile_is_the_nearest_rank_of_unsorted_samples() {
        let samples = |count: u64| (1..=count).rev().map(|n| n * 1_000).collect();
        assert_eq!(p99_ms(samples(1)), Value::Real(1.0));
        assert_eq!(p99_ms(samples(99)), Value::Real(99.0));
        assert_eq!(p99_ms(samples(100)), Value::Real(99.0));
        assert_eq!(p99_ms(samples(101)), Value::Real(100.0));
        assert_eq!(p99_ms(samples(200)), Value::Real(198.0));
    }

    #[test]
    fn without_samples_there_is_no_percentile() {
        let Value::Real(value) = p99_ms(Vec::new()) else {
            panic!("a percentile is no count");
        };
        assert!(value.is_nan());
    }

    #[test]
    fn a_rate_is_a_second_s_worth() {
        assert_eq!(per_second(400_000, 2_000_000), Value::Count(200_000));
        assert_eq!(per_second(1, 0), Value::Count(1_000_000));
    }
}
