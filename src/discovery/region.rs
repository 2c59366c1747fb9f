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
