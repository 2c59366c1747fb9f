//! Short texts for people.

use std::fmt;
use std::str::FromStr;

use bincode::de::Decoder;
use bincode::enc::Encoder;
use bincode::error::{DecodeError, EncodeError};
use bincode::{Decode, Encode};
use thiserror::Error;

use super::{Sealed, Source, WireType, decode_bytes, encode_bytes, refuse};
use crate::wire::Violation;

/// At most `MAX` characters of printable ASCII (0x20–0x7e): safe to print, whoever sent it.
///
/// On the wire: the length, then the characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Text<const MAX: usize>(Box<str>);

/// Why a text was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TextError {
    /// Longer than the field allows.
    #[error("the text is longer than {limit} characters")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// A character that is not printable ASCII.
    #[error("the text has a character that is not printable ASCII")]
    NotPrintable,
}

impl<const MAX: usize> Text<MAX> {
    /// The text.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> FromStr for Text<MAX> {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        if text.len() > MAX {
            return Err(TextError::TooLong { limit: MAX });
        }
        if !text.bytes().all(|byte| matches!(byte, 0x20..=0x7e)) {
            return Err(TextError::NotPrintable);
        }
        Ok(Self(text.into()))
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MAX: usize> Sealed for Text<MAX> {}

impl<const MAX: usize> WireType for Text<MAX> {
    const MIN_LEN: usize = 1;
}

impl<const MAX: usize> Encode for Text<MAX> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        encode_bytes(self.0.as_bytes(), encoder)
    }
}

impl<const MAX: usize> Decode<Source> for Text<MAX> {
    fn decode<D: Decoder<Context = Source>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let bytes = decode_bytes(decoder, MAX)?;
        let text = std::str::from_utf8(&bytes)
            .ok()
            .and_then(|text| text.parse().ok());
        text.ok_or_else(|| refuse(decoder, Violation::InvalidText))
    }
}
