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

/// Nodes expected as far as a lookup goes on in a crowd. Who is looked up from so near ends among its own
/// neighbours, and who lives beside such a crowd has to know those in it: twice as far away.
#[allow(clippy::cast_precision_loss, reason = "k is small")]
pub(super) const REACH: f64 = 2.0 * K as f64;

/// Surroundings are computed as if at least this many nodes were there: in a smaller network those of 4k
/// nodes, an eighth of all keys here, would be most of it.
const SMALLEST: f64 = 640.0;

/// The share of the key space around a node or a key in which `count` nodes are expected in a network of
/// `size` nodes; less in a small one, where everybody would be near otherwise.
pub(super) fn surroundings(count: f64, size: f64) -> f64 {
    count / size.max(SMALLEST)
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
    fn surroundings_are_those_of_a_network_of_640_nodes_at_least() {
        for (count, size, share) in [
            (40.0, 1_000.0, 0.04),
            (80.0, 641.0, 80.0 / 641.0),
            (80.0, 640.0, 0.125),
            (80.0, 639.0, 0.125),
            (40.0, 1.0, 0.0625),
        ] {
            assert!((surroundings(count, size) - share).abs() < 1e-12, "{size}");
        }
    }
}
