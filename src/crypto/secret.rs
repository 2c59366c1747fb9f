//! Secret bytes: zeroized on drop, compared in constant time, never printed.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// `N` secret bytes on the heap, so that moving the value leaves no copy behind.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
struct SecretBytes<const N: usize>(Box<[u8; N]>);

/// Declares a secret of its own type, so that two secrets of equal length cannot be swapped.
macro_rules! secret {
    ($(#[$doc:meta])* $name:ident, $length:literal) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(SecretBytes<$length>);

        impl $name {
            /// Length in bytes.
            pub const BYTES: usize = $length;

            /// Takes a copy of `bytes`; the caller wipes its own.
            #[must_use]
            pub fn from_bytes(bytes: &[u8; $length]) -> Self {
                Self(SecretBytes(Box::new(*bytes)))
            }

            /// The secret itself. Do not copy it into anything that is not zeroized.
            #[must_use]
            pub fn expose(&self) -> &[u8; $length] {
                &self.0.0
            }

            /// Fills a fresh secret in place, so that no copy of it is made on the way.
            #[allow(dead_code, reason = "not every secret is born in every backend")]
            pub(crate) fn try_fill<E>(
                fill: impl FnOnce(&mut [u8; $length]) -> Result<(), E>,
            ) -> Result<Self, E> {
                let mut secret = Self(SecretBytes(Box::new([0; $length])));
                fill(&mut secret.0.0)?;
                Ok(secret)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(secret)"))
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.0.as_slice().ct_eq(other.0.0.as_slice()).into()
            }
        }

        impl Eq for $name {}
    };
}

secret! {
    /// The seed ξ of an ML-DSA-87 key pair (FIPS 204, algorithm 1), from which everything about an
    /// identity derives.
    SigningSeed, 32
}
secret! {
    /// The seed d ‖ z of an ML-KEM-768 key pair (FIPS 203, algorithm 19).
    KemSeed, 64
}
secret! {
    /// An X25519 private key (RFC 7748, section 5); clamping happens on use.
    X25519Scalar, 32
}
secret! {
    /// 32 bytes that two parties share: from ML-KEM-768, from X25519 or from a key derivation.
    SharedSecret, 32
}
secret! {
    /// The 64-byte result of X25519MLKEM768: ML-KEM secret ‖ X25519 secret, to be fed to a KDF.
    HybridSecret, 64
}
