//! Cryptography: primitives behind one trait, and what the protocols build from them.
//!
//! [`Provider`] is the one door to ML-DSA-87, ML-KEM-768, X25519 and randomness. Two
//! implementations stand behind it and are identical on the wire: `AwsLc` (feature `node`, fast)
//! and [`RustCrypto`] (always there, pure Rust). Everything else in this room is written over the
//! trait and holds for both:
//!
//! - [`Label`]: the table of domain separation labels, and the hashes derived under them;
//! - [`SignedInput`]: the only way to write bytes that are to be signed;
//! - [`hybrid`]: the X25519MLKEM768 key exchange;
//! - [`Seal`]: one signature over many messages;
//! - [`subtree_hashes`]: a long message hashed so that each of its chunks can be checked alone;
//! - [`self_test`]: known answers, checked at start-up.
//!
//! Signatures use the empty FIPS 204 context; domains are separated by the label hash that opens
//! every signed input. Secrets are zeroized when dropped, compared in constant time and never
//! printed.

#[cfg(feature = "node")]
mod aws_lc;
mod entropy;
pub mod hybrid;
mod labels;
mod provider;
mod rust_crypto;
mod seal;
mod secret;
mod self_test;
mod signed;
pub(crate) mod spki;
mod subtree;
mod suite;
mod verifying_key;

#[cfg(test)]
mod tests;

#[cfg(feature = "node")]
pub use aws_lc::AwsLc;
pub use entropy::{Entropy, EntropyFailure, OsEntropy, SeededEntropy};
pub use labels::{Label, derive_key, derive_secret, mac};
pub use provider::{
    AgreementKey, CIPHERTEXT_BYTES, DecapsulationKey, ENCAPSULATION_KEY_BYTES, Encapsulated,
    InvalidSignature, KeyExchangeError, Primitive, Provider, ProviderFailure, SIGNATURE_BYTES,
    Signature, SignatureLength, SigningKey, VERIFYING_KEY_BYTES, X25519_BYTES,
};
pub use rust_crypto::RustCrypto;
pub use seal::{
    ContentDigest, Leaf, LeafInput, MAX_SEAL_LEAVES, Seal, SealBody, SealBounds, SealFault,
};
pub use secret::{KemSeed, SharedSecret, SigningSeed, X25519Scalar};
pub use self_test::{SelfTestCheck, SelfTestFailure, self_test};
pub use signed::SignedInput;
pub use subtree::{CHUNK_BYTES, chunk_bytes, chunks_of, root_hash, subtree_hash, subtree_hashes};
pub use suite::{Suite, UnknownSuite};
pub use verifying_key::{KeyHash, VerifyingKey};
