//! Signature suites.

use thiserror::Error;

/// A signature suite: the byte that stands in every signed object and inside every
/// [`KeyHash`](super::KeyHash).
///
/// The numbers are part of the protocol and never reused. New suites (SLH-DSA, FIPS 205) take the
/// next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Suite {
    /// ML-DSA-87 (FIPS 204, security category 5) with the empty context.
    MlDsa87 = 1,
}

/// A suite byte that this version does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("unknown signature suite {0}")]
pub struct UnknownSuite(pub u8);

impl Suite {
    /// The suite's byte on the wire.
    #[must_use]
    pub const fn byte(self) -> u8 {
        self as u8
    }
}

impl TryFrom<u8> for Suite {
    type Error = UnknownSuite;

    fn try_from(byte: u8) -> Result<Self, UnknownSuite> {
        match byte {
            1 => Ok(Self::MlDsa87),
            other => Err(UnknownSuite(other)),
        }
    }
}
