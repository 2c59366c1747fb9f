//! The one trait behind which the primitives stand.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use super::entropy::EntropyFailure;
use super::secret::{KemSeed, SharedSecret, SigningSeed, X25519Scalar};

/// Length of an encoded ML-DSA-87 verification key (FIPS 204, table 2).
pub const VERIFYING_KEY_BYTES: usize = 2592;
/// Length of an ML-DSA-87 signature (FIPS 204, table 2).
pub const SIGNATURE_BYTES: usize = 4627;
/// Length of an ML-KEM-768 encapsulation key (FIPS 203, table 3).
pub const ENCAPSULATION_KEY_BYTES: usize = 1184;
/// Length of an ML-KEM-768 ciphertext (FIPS 203, table 3).
pub const CIPHERTEXT_BYTES: usize = 1088;
/// Length of an X25519 public key (RFC 7748, section 5).
pub const X25519_BYTES: usize = 32;

/// The primitives a node needs: ML-DSA-87, ML-KEM-768, X25519 and randomness.
///
/// Implementations must be identical on the wire and give the same verdict on every signature, key
/// and ciphertext: where two disagree, honest peers take each other for attackers.
/// [`self_test`](super::self_test) checks an implementation against known answers.
pub trait Provider: fmt::Debug + Send + Sync + 'static {
    /// A short name for logs.
    fn name(&self) -> &'static str;

    /// Fills `out` with random bytes fit for keys.
    ///
    /// # Errors
    /// [`ProviderFailure::Entropy`]; `out` must not be used then.
    fn random(&self, out: &mut [u8]) -> Result<(), ProviderFailure>;

    /// Expands `seed` into an ML-DSA-87 key pair (FIPS 204, algorithm 6), once for many signatures.
    ///
    /// # Errors
    /// [`ProviderFailure`] if the backend cannot expand the key.
    fn signing_key(&self, seed: &SigningSeed) -> Result<Arc<dyn SigningKey>, ProviderFailure>;

    /// Verifies an ML-DSA-87 signature with the empty context (FIPS 204, algorithm 3).
    ///
    /// # Errors
    /// [`InvalidSignature`] for any other length than [`SIGNATURE_BYTES`] and for any signature
    /// that the standard does not accept.
    fn verify(
        &self,
        key: &[u8; VERIFYING_KEY_BYTES],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature>;

    /// Expands `seed` into an ML-KEM-768 key pair (FIPS 203, algorithm 16).
    ///
    /// # Errors
    /// [`ProviderFailure`] if the backend cannot expand the key.
    fn decapsulation_key(
        &self,
        seed: &KemSeed,
    ) -> Result<Box<dyn DecapsulationKey>, ProviderFailure>;

    /// A fresh ML-KEM-768 key pair.
    ///
    /// # Errors
    /// [`ProviderFailure`] if randomness or the backend fails.
    fn generate_decapsulation_key(&self) -> Result<Box<dyn DecapsulationKey>, ProviderFailure> {
        let seed = KemSeed::try_fill(|bytes| self.random(bytes))?;
        self.decapsulation_key(&seed)
    }

    /// Encapsulates a fresh secret to `key` (FIPS 203, algorithm 20).
    ///
    /// # Errors
    /// [`KeyExchangeError::EncapsulationKey`] if `key` fails the modulus check of FIPS 203,
    /// section 7.2; [`KeyExchangeError::Provider`] if randomness or the backend fails.
    fn encapsulate(
        &self,
        key: &[u8; ENCAPSULATION_KEY_BYTES],
    ) -> Result<Encapsulated, KeyExchangeError>;

    /// The X25519 key pair of a private key.
    ///
    /// # Errors
    /// [`ProviderFailure`] if the backend cannot take the key.
    fn agreement_key(
        &self,
        scalar: &X25519Scalar,
    ) -> Result<Box<dyn AgreementKey>, ProviderFailure>;

    /// A fresh X25519 key pair.
    ///
    /// # Errors
    /// [`ProviderFailure`] if randomness or the backend fails.
    fn generate_agreement_key(&self) -> Result<Box<dyn AgreementKey>, ProviderFailure> {
        let scalar = X25519Scalar::try_fill(|bytes| self.random(bytes))?;
        self.agreement_key(&scalar)
    }
}

/// An expanded ML-DSA-87 key pair. Its `Debug` output holds no secret.
pub trait SigningKey: fmt::Debug + Send + Sync + 'static {
    /// The encoded verification key.
    fn verifying_key(&self) -> &[u8; VERIFYING_KEY_BYTES];

    /// Signs `message` with the empty context, hedged (FIPS 204, algorithm 2).
    ///
    /// # Errors
    /// [`ProviderFailure`] if randomness or the backend fails.
    fn sign(&self, message: &[u8]) -> Result<Signature, ProviderFailure>;
}

/// An ML-KEM-768 key pair. Its `Debug` output holds no secret.
pub trait DecapsulationKey: fmt::Debug + Send + Sync + 'static {
    /// The encoded encapsulation key.
    fn encapsulation_key(&self) -> &[u8; ENCAPSULATION_KEY_BYTES];

    /// Decapsulates `ciphertext` (FIPS 203, algorithm 21). A ciphertext that was tampered with
    /// gives an unpredictable secret, not an error (implicit rejection).
    ///
    /// # Errors
    /// [`ProviderFailure`] if the backend fails.
    fn decapsulate(
        &self,
        ciphertext: &[u8; CIPHERTEXT_BYTES],
    ) -> Result<SharedSecret, ProviderFailure>;
}

/// An X25519 key pair. Its `Debug` output holds no secret.
pub trait AgreementKey: fmt::Debug + Send + Sync + 'static {
    /// The public key.
    fn public_key(&self) -> &[u8; X25519_BYTES];

    /// Agrees on a secret with the holder of `peer` (RFC 7748, section 6.1).
    ///
    /// # Errors
    /// [`KeyExchangeError::ZeroSharedSecret`] if `peer` is a point of small order.
    fn agree(&self, peer: &[u8; X25519_BYTES]) -> Result<SharedSecret, KeyExchangeError>;
}

/// An ML-DSA-87 signature.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Signature(Box<[u8; SIGNATURE_BYTES]>);

/// What an encapsulation yields: the ciphertext for the peer and the secret for oneself.
#[derive(Debug)]
pub struct Encapsulated {
    /// Goes to the holder of the encapsulation key.
    pub ciphertext: Box<[u8; CIPHERTEXT_BYTES]>,
    /// Shared with the holder of the encapsulation key.
    pub secret: SharedSecret,
}

/// The signature does not verify under this key and message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("invalid signature")]
pub struct InvalidSignature;

/// These bytes are not [`SIGNATURE_BYTES`] long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a signature has {SIGNATURE_BYTES} bytes, not {0}")]
pub struct SignatureLength(pub usize);

/// Why a key exchange failed. All but [`Provider`](Self::Provider) is the peer's doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyExchangeError {
    /// The peer's share has the wrong length.
    #[error("a key share of {actual} bytes instead of {expected}")]
    ShareLength {
        /// The only length that is accepted.
        expected: usize,
        /// The length that came.
        actual: usize,
    },
    /// A coefficient of the peer's encapsulation key is not reduced (FIPS 203, section 7.2).
    #[error("the encapsulation key fails the modulus check")]
    EncapsulationKey,
    /// The peer's X25519 public key is of small order, the agreed secret all zero (RFC 7748,
    /// section 6.1).
    #[error("the X25519 shared secret is all zero")]
    ZeroSharedSecret,
    /// This side could not compute.
    #[error(transparent)]
    Provider(#[from] ProviderFailure),
}

/// The machine under us failed: nothing that a peer sent causes this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ProviderFailure {
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyFailure),
    /// The backend refused an operation that the standard says always succeeds.
    #[error("the {0} backend failed")]
    Backend(Primitive),
}

/// A primitive, to name in an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Primitive {
    /// ML-DSA-87 (FIPS 204).
    MlDsa87,
    /// ML-KEM-768 (FIPS 203).
    MlKem768,
    /// X25519 (RFC 7748).
    X25519,
    /// BLAKE3.
    Blake3,
    /// Random numbers.
    Randomness,
}

impl fmt::Display for Primitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MlDsa87 => "ML-DSA-87",
            Self::MlKem768 => "ML-KEM-768",
            Self::X25519 => "X25519",
            Self::Blake3 => "BLAKE3",
            Self::Randomness => "randomness",
        })
    }
}

impl Signature {
    /// The encoded signature.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; SIGNATURE_BYTES] {
        &self.0
    }
}

impl From<Box<[u8; SIGNATURE_BYTES]>> for Signature {
    fn from(bytes: Box<[u8; SIGNATURE_BYTES]>) -> Self {
        Self(bytes)
    }
}

impl TryFrom<Vec<u8>> for Signature {
    type Error = SignatureLength;

    fn try_from(bytes: Vec<u8>) -> Result<Self, SignatureLength> {
        boxed_array(bytes).map(Self).map_err(SignatureLength)
    }
}

impl TryFrom<&[u8]> for Signature {
    type Error = SignatureLength;

    fn try_from(bytes: &[u8]) -> Result<Self, SignatureLength> {
        Self::try_from(bytes.to_vec())
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = *self.0;
        write!(f, "Signature({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}

/// Turns `bytes` into a boxed array without a copy, or returns their wrong length.
pub(super) fn boxed_array<const N: usize>(bytes: Vec<u8>) -> Result<Box<[u8; N]>, usize> {
    bytes
        .into_boxed_slice()
        .try_into()
        .map_err(|wrong: Box<[u8]>| wrong.len())
}
