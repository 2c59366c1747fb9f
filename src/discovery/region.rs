//! The region of a key: where its records are held.

use super::config::K;

/// A region is where this many times k nodes are expected: enough that the k nearest nodes, as any
/// getter sees them, are nearly always inside.
const WIDTH: f64 = 1.5;

/// The share of the key space that a region takes in a network of `size` nodes, 0 to 1.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "k is small")]
pub fn share_of(size: f64) -> f64 {
    (WIDTH * K as f64 / size.max(1.0)).min(1.0)
}

/// At most this share of the key space is near to a node: four buckets are not. In a network of fewer
/// than a thousand nodes everybody would be a neighbour otherwise.
const NEAR_SHARE: f64 = 1.0 / 16.0;

/// The share of the key space around a node in which `count` others are expected in a network of `size`
/// nodes, as far as it is near.
pub(super) fn surroundings(count: f64, size: f64) -> f64 {
    (count / size.max(1.0)).min(NEAR_SHARE)
}

/// Bits that all keys within this share of the space around a key have in common with it, at least.
#[must_use]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share is between 0 and 1, and no network has 2^64 nodes"
)]
pub fn bits_of(share: f64) -> u32 {
    (-share.log2()).floor().clamp(0.0, 64.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surroundings_hold_as_many_as_asked_for_and_never_more_than_a_sixteenth() {
        for (count, size, share) in [
            (40.0, 1_000.0, 0.04),
            (80.0, 1_280.0, 0.0625),
            (80.0, 1_279.0, 0.0625),
            (80.0, 1_281.0, 80.0 / 1_281.0),
            (40.0, 0.0, 0.0625),
        ] {
            assert!((surroundings(count, size) - share).abs() < 1e-12, "{size}");
        }
    }
}
