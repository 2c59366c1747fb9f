//! The only way to write bytes that are to be signed.

use super::Label;

/// A writer for signed inputs: label hash (32 bytes) ‖ network id (32 bytes) ‖ fields.
///
/// Every field has a fixed width and integers are little-endian, so that no two lists of fields
/// give the same bytes; a body of variable length enters by its hash. There is no way to write
/// bytes of unknown length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedInput(Vec<u8>);

impl SignedInput {
    /// Opens an input that is signed for one purpose, on one network.
    #[must_use]
    pub fn new(label: Label, network: &[u8; 32]) -> Self {
        let mut bytes = Vec::with_capacity(256);
        bytes.extend_from_slice(&label.hash());
        bytes.extend_from_slice(network);
        Self(bytes)
    }

    /// Appends one byte.
    #[must_use]
    pub fn u8(self, value: u8) -> Self {
        self.array(&[value])
    }

    /// Appends two bytes, little-endian.
    #[must_use]
    pub fn u16(self, value: u16) -> Self {
        self.array(&value.to_le_bytes())
    }

    /// Appends four bytes, little-endian.
    #[must_use]
    pub fn u32(self, value: u32) -> Self {
        self.array(&value.to_le_bytes())
    }

    /// Appends eight bytes, little-endian.
    #[must_use]
    pub fn u64(self, value: u64) -> Self {
        self.array(&value.to_le_bytes())
    }

    /// Appends an array whose length is part of its type.
    #[must_use]
    pub fn array<const N: usize>(mut self, value: &[u8; N]) -> Self {
        self.0.extend_from_slice(value);
        self
    }

    /// Appends the BLAKE3 hash of a body of variable length.
    #[must_use]
    pub fn hash_of(self, body: &[u8]) -> Self {
        self.array(blake3::hash(body).as_bytes())
    }

    /// The bytes to sign.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
