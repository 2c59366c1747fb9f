//! Verification keys and the hash that names one.

use std::fmt;
use std::sync::Arc;

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

/// An encoded verification key and its name, computed once: hashing a key costs 4 µs, a
/// twentieth of a verification. Clones share the bytes.
///
/// Every 2 592 bytes decode to an ML-DSA-87 key (FIPS 204, algorithm 23), so that there is no
/// malformed key of the right length.
#[derive(Clone)]
pub struct VerifyingKey(Arc<Inner>);

struct Inner {
    suite: Suite,
    hash: KeyHash,
    bytes: [u8; VERIFYING_KEY_BYTES],
}

impl VerifyingKey {
    /// Takes a copy of an encoded ML-DSA-87 key and names it.
    #[must_use]
    pub fn ml_dsa_87(bytes: &[u8; VERIFYING_KEY_BYTES]) -> Self {
        let suite = Suite::MlDsa87;
        let hash = KeyHash::of(suite, bytes);
        Self(Arc::new(Inner {
            suite,
            hash,
            bytes: *bytes,
        }))
    }

    /// The suite of the key.
    #[must_use]
    pub fn suite(&self) -> Suite {
        self.0.suite
    }

    /// The name of the key.
    #[must_use]
    pub fn hash(&self) -> KeyHash {
        self.0.hash
    }

    /// The encoded key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; VERIFYING_KEY_BYTES] {
        &self.0.bytes
    }
}

impl PartialEq for VerifyingKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.suite == other.0.suite && self.0.bytes == other.0.bytes
    }
}

impl Eq for VerifyingKey {}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({:?})", self.0.hash)
    }
}
