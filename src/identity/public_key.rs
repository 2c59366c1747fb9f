//! A peer's public key.

use std::fmt;

use pkcs8::ObjectIdentifier;
use pkcs8::der::{Decode, asn1::AnyRef, asn1::BitStringRef};
use pkcs8::spki::SubjectPublicKeyInfo;
use thiserror::Error;

use super::PeerId;
use crate::crypto::{InvalidSignature, Provider, Suite, VERIFYING_KEY_BYTES, VerifyingKey, spki};

/// A peer's public key and its name. Clones share the bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Takes a copy of an encoded ML-DSA-87 key and computes its name.
    #[must_use]
    pub fn ml_dsa_87(bytes: &[u8; VERIFYING_KEY_BYTES]) -> Self {
        Self(VerifyingKey::ml_dsa_87(bytes))
    }

    /// The suite of the key.
    #[must_use]
    pub fn suite(&self) -> Suite {
        self.0.suite()
    }

    /// The encoded key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; VERIFYING_KEY_BYTES] {
        self.0.as_bytes()
    }

    /// The name of the key, computed once.
    #[must_use]
    pub fn peer_id(&self) -> PeerId {
        self.0.hash().into()
    }

    /// The key as the seals of its holder are verified with.
    #[must_use]
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.0
    }

    /// Verifies a signature of this key, with the empty context.
    ///
    /// # Errors
    /// [`InvalidSignature`], whatever is wrong with it.
    pub fn verify(
        &self,
        provider: &dyn Provider,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        provider.verify(self.as_bytes(), message, signature)
    }

    /// The key as DER `SubjectPublicKeyInfo` (RFC 9881, section 4): 2 614 bytes, the credential of
    /// a TLS raw public key (RFC 7250).
    #[must_use]
    pub fn to_spki_der(&self) -> Vec<u8> {
        spki::encode(self.as_bytes()).to_vec()
    }

    /// Reads exactly what [`to_spki_der`](Self::to_spki_der) writes: DER knows no other encoding of
    /// the same key.
    ///
    /// # Errors
    /// [`SpkiError::Algorithm`] if it is a well-formed key of another algorithm, and
    /// [`SpkiError::Malformed`] for all other bytes, trailing ones included.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, SpkiError> {
        match der
            .strip_prefix(&spki::PREFIX)
            .map(<&[u8; VERIFYING_KEY_BYTES]>::try_from)
        {
            Some(Ok(key)) => Ok(Self::ml_dsa_87(key)),
            Some(Err(_)) => Err(SpkiError::Malformed),
            None => Err(refusal(der)),
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?})", self.peer_id())
    }
}

/// Why bytes are not an ML-DSA-87 `SubjectPublicKeyInfo`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SpkiError {
    /// Not the DER form of a public key, or of an ML-DSA-87 key in any but the standard's form.
    #[error("the public key is malformed")]
    Malformed,
    /// A public key, but of another algorithm.
    #[error("the public key is for {0}, not ML-DSA-87")]
    Algorithm(KeyAlgorithm),
}

/// An algorithm that a key may be for, as far as an error needs to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyAlgorithm {
    /// ML-DSA-44 (FIPS 204).
    MlDsa44,
    /// ML-DSA-65 (FIPS 204).
    MlDsa65,
    /// Ed25519, Ed448, ECDSA or RSA: broken by a quantum computer.
    Classical,
    /// Any other.
    Other,
}

impl KeyAlgorithm {
    /// What `oid` stands for; `None` for ML-DSA-87.
    pub(super) fn other_than_ml_dsa_87(oid: ObjectIdentifier) -> Option<Self> {
        const KNOWN: &[(ObjectIdentifier, Option<KeyAlgorithm>)] = &[
            (
                ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.17"),
                Some(KeyAlgorithm::MlDsa44),
            ),
            (
                ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.18"),
                Some(KeyAlgorithm::MlDsa65),
            ),
            (
                ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.19"),
                None,
            ),
            (
                ObjectIdentifier::new_unwrap("1.3.101.112"),
                Some(KeyAlgorithm::Classical),
            ),
            (
                ObjectIdentifier::new_unwrap("1.3.101.113"),
                Some(KeyAlgorithm::Classical),
            ),
            (
                ObjectIdentifier::new_unwrap("1.2.840.10045.2.1"),
                Some(KeyAlgorithm::Classical),
            ),
            (
                ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1"),
                Some(KeyAlgorithm::Classical),
            ),
        ];
        KNOWN
            .iter()
            .find(|(known, _)| *known == oid)
            .map_or(Some(Self::Other), |(_, algorithm)| *algorithm)
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MlDsa44 => "ML-DSA-44",
            Self::MlDsa65 => "ML-DSA-65",
            Self::Classical => "a classical algorithm",
            Self::Other => "an unknown algorithm",
        })
    }
}

fn refusal(der: &[u8]) -> SpkiError {
    SubjectPublicKeyInfo::<AnyRef<'_>, BitStringRef<'_>>::from_der(der)
        .ok()
        .and_then(|info| KeyAlgorithm::other_than_ml_dsa_87(info.algorithm.oid))
        .map_or(SpkiError::Malformed, SpkiError::Algorithm)
}
