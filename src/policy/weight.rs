//! What a fault costs.

use std::ops::Add;

/// How heavy a fault is, and how much of it a peer may collect.
///
/// The scale is the distance from a clean record to the ban. Addition saturates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Weight(pub u16);

impl Weight {
    /// One stream that broke the protocol. Five in a row close the connection: one may be a bug that
    /// a new version brings with it, five are a habit.
    pub const STREAM_FAULT: Self = Self(10);

    /// The connection is closed here: half-way to the ban, so that a peer that errs can come back.
    pub const CLOSE_AT: Self = Self(50);

    /// The peer is banned here.
    pub const BAN_AT: Self = Self(100);

    /// The weight of `count` faults of this weight.
    #[must_use]
    pub const fn times(self, count: u16) -> Self {
        Self(self.0.saturating_mul(count))
    }
}

impl Add for Weight {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}
