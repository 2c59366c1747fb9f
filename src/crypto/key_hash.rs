//! The hash that names a verification key.

use std::fmt;

use super::provider::VERIFYING_KEY_BYTES;
use super::{Label, Suite, derive_key};

/// The name of a verification key: `derive_key(Label::PeerId, suite byte ‖ encoded key)`.
///
/// A node's own key hash is its `PeerId`; the publisher of a [`Seal`](super::Seal) may be any other
/// key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// Names `key`.
    #[must_use]
    pub fn of(suite: Suite, key: &[u8; VERIFYING_KEY_BYTES]) -> Self {
        Self(derive_key(Label::PeerId, &[&[suite.byte()], key]))
    }

    /// Any 32 bytes are a well-formed hash; only a key can prove that it has this one.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "KeyHash({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}
