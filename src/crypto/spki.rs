//! The DER form of a verification key.

use super::provider::VERIFYING_KEY_BYTES;

/// What precedes the key in an ML-DSA-87 `SubjectPublicKeyInfo` (RFC 9881, section 4): SEQUENCE of
/// 2 610 bytes { SEQUENCE { OID 2.16.840.1.101.3.4.3.19 }, BIT STRING with no unused bits }.
///
/// DER leaves no choice, so that the encoding of a key is this prefix and the key.
pub(crate) const PREFIX: [u8; 22] = [
    0x30, 0x82, 0x0a, 0x32, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03,
    0x13, 0x03, 0x82, 0x0a, 0x21, 0x00,
];

/// Length of an ML-DSA-87 `SubjectPublicKeyInfo`.
pub(crate) const BYTES: usize = PREFIX.len() + VERIFYING_KEY_BYTES;

/// The `SubjectPublicKeyInfo` of `key`.
pub(crate) fn encode(key: &[u8; VERIFYING_KEY_BYTES]) -> [u8; BYTES] {
    let mut der = [0; BYTES];
    let (prefix, body) = der.split_at_mut(PREFIX.len());
    prefix.copy_from_slice(&PREFIX);
    body.copy_from_slice(key);
    der
}
