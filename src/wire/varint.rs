//! Variable-length integers of RFC 9000 §16, of which only the shortest form is accepted.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use thiserror::Error;

use super::Violation;

/// An integer below 2^62, as frames and stream headers carry it.
///
/// The two high bits of the first byte give the length (1, 2, 4 or 8 bytes), the rest is the value
/// in network byte order. RFC 9000 allows longer forms; here they are a [`Violation`], so that every
/// value has one encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Varint(u64);

/// The value is 2^62 or more and has no varint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{0} does not fit a varint")]
pub struct VarintOverflow(pub u64);

impl Varint {
    /// The largest value: six bits are left in the first byte of eight.
    pub const MAX: Self = Self((1 << 62) - 1);

    /// Length of the longest form in bytes.
    pub const MAX_LEN: usize = 8;

    /// The value.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Length of the encoding: 1, 2, 4 or 8 bytes.
    #[must_use]
    pub const fn encoded_len(self) -> usize {
        match self.0 {
            0..0x40 => 1,
            0x40..0x4000 => 2,
            0x4000..0x4000_0000 => 4,
            _ => 8,
        }
    }

    /// Appends the shortest form.
    pub fn encode(self, out: &mut BytesMut) {
        match self.encoded_len() {
            1 => out.put_uint(self.0, 1),
            2 => out.put_uint(0x4000 | self.0, 2),
            4 => out.put_uint(0x8000_0000 | self.0, 4),
            _ => out.put_uint(0xc000_0000_0000_0000 | self.0, 8),
        }
    }

    /// Reads a varint from the front of `input`: the value and its length, or `None` if more bytes
    /// are needed.
    ///
    /// # Errors
    /// [`Violation::NonMinimalVarint`] if a shorter form exists.
    pub fn decode(input: &[u8]) -> Result<Option<(Self, usize)>, Violation> {
        let Some(&first) = input.first() else {
            return Ok(None);
        };
        let length = 1usize << (first >> 6);
        let Some((_, rest)) = input.get(..length).and_then(<[u8]>::split_first) else {
            return Ok(None);
        };
        let value = rest.iter().fold(u64::from(first & 0x3f), |value, &byte| {
            (value << 8) | u64::from(byte)
        });
        let varint = Self(value);
        if varint.encoded_len() == length {
            Ok(Some((varint, length)))
        } else {
            Err(Violation::NonMinimalVarint)
        }
    }
}

impl From<u8> for Varint {
    fn from(value: u8) -> Self {
        Self(value.into())
    }
}

impl From<u16> for Varint {
    fn from(value: u16) -> Self {
        Self(value.into())
    }
}

impl From<u32> for Varint {
    fn from(value: u32) -> Self {
        Self(value.into())
    }
}

impl TryFrom<u64> for Varint {
    type Error = VarintOverflow;

    fn try_from(value: u64) -> Result<Self, VarintOverflow> {
        if value <= Self::MAX.0 {
            Ok(Self(value))
        } else {
            Err(VarintOverflow(value))
        }
    }
}

/// Reads one varint whose bytes may arrive in pieces.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct VarintDecoder {
    bytes: [u8; Varint::MAX_LEN],
    filled: usize,
}

impl VarintDecoder {
    /// Takes from `input` what the varint needs and no byte more; `None` when `input` is used up.
    ///
    /// After a value the decoder is empty again.
    pub(crate) fn decode(&mut self, input: &mut Bytes) -> Result<Option<Varint>, Violation> {
        while input.has_remaining() {
            if let Some(slot) = self.bytes.get_mut(self.filled) {
                *slot = input.get_u8();
                self.filled += 1;
            }
            let seen = self.bytes.get(..self.filled).unwrap_or_default();
            if let Some((value, _)) = Varint::decode(seen)? {
                self.filled = 0;
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// Whether no byte of a varint was taken yet.
    pub(crate) const fn is_empty(&self) -> bool {
        self.filled == 0
    }
}
