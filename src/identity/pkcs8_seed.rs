//! The seed-only PKCS#8 form of an ML-DSA-87 private key.

use pkcs8::PrivateKeyInfoRef;
use pkcs8::der::pem;
use thiserror::Error;
use zeroize::Zeroizing;

use super::KeyAlgorithm;
use crate::crypto::SigningSeed;

/// What precedes the seed in the DER of a seed-only ML-DSA-87 private key (RFC 5958 and RFC 9881,
/// section 6): SEQUENCE of 52 bytes { version 0, SEQUENCE { OID 2.16.840.1.101.3.4.3.19 },
/// OCTET STRING { \[0\] IMPLICIT OCTET STRING of 32 bytes } }.
const PREFIX: [u8; 22] = [
    0x30, 0x34, 0x02, 0x01, 0x00, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
    0x03, 0x13, 0x04, 0x22, 0x80, 0x20,
];

const PEM_LABEL: &str = "PRIVATE KEY";

/// Why a text is not a seed-only ML-DSA-87 private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SeedPemError {
    /// It is not PEM, or damaged.
    #[error("is not valid PEM")]
    Pem,
    /// It is PEM of something else, perhaps of an encrypted key.
    #[error("holds no \"BEGIN PRIVATE KEY\" block")]
    Label,
    /// The block holds no PKCS#8 private key.
    #[error("holds no valid PKCS#8 private key")]
    Pkcs8,
    /// It is a key for something else.
    #[error("holds a key for {0}, not ML-DSA-87")]
    Algorithm(KeyAlgorithm),
    /// It is an ML-DSA-87 key in expanded form, or with attributes.
    #[error("holds an ML-DSA-87 key in another form than the seed alone (RFC 9881)")]
    Form,
}

/// The PEM text of `seed`, with a line feed at each end of line.
pub(super) fn to_pem(seed: &SigningSeed) -> Zeroizing<String> {
    let mut der = Zeroizing::new([0; PREFIX.len() + SigningSeed::BYTES]);
    let (prefix, body) = der.split_at_mut(PREFIX.len());
    prefix.copy_from_slice(&PREFIX);
    body.copy_from_slice(seed.expose());
    let base64 = Zeroizing::new(data_encoding::BASE64.encode(&*der));
    let (first, second) = base64.split_at(PEM_LINE);
    Zeroizing::new(format!(
        "-----BEGIN {PEM_LABEL}-----\n{first}\n{second}\n-----END {PEM_LABEL}-----\n"
    ))
}

/// Characters of base64 in a line (RFC 7468, section 2); a key has 72.
const PEM_LINE: usize = 64;

/// The seed in a PEM text. Line ends may be of any system; everything else is exact.
pub(super) fn from_pem(text: &[u8]) -> Result<SigningSeed, SeedPemError> {
    let mut buffer = Zeroizing::new(vec![0; text.len()]);
    let (label, der) = pem::decode(text, &mut buffer).map_err(|_| SeedPemError::Pem)?;
    if label != PEM_LABEL {
        return Err(SeedPemError::Label);
    }
    match der
        .strip_prefix(&PREFIX)
        .map(<&[u8; SigningSeed::BYTES]>::try_from)
    {
        Some(Ok(seed)) => Ok(SigningSeed::from_bytes(seed)),
        Some(Err(_)) => Err(SeedPemError::Pkcs8),
        None => Err(refusal(der)),
    }
}

/// Names what is wrong with a key that is not in the one accepted form.
fn refusal(der: &[u8]) -> SeedPemError {
    match PrivateKeyInfoRef::try_from(der) {
        Ok(info) => KeyAlgorithm::other_than_ml_dsa_87(info.algorithm.oid)
            .map_or(SeedPemError::Form, SeedPemError::Algorithm),
        Err(_) => SeedPemError::Pkcs8,
    }
}
