//! A list with a limit.

use std::ops::Deref;

use bincode::de::Decoder;
use bincode::enc::Encoder;
use bincode::error::{DecodeError, EncodeError};
use bincode::{Decode, Encode};
use thiserror::Error;

use super::{Sealed, Source, WireType, decode_length, encode_length, require};

/// At most `MAX` elements, in order.
///
/// On the wire: the number of elements, then the elements. When it is decoded, the number is checked
/// against `MAX` and against the bytes that are left before memory is allocated. An element that
/// takes no bytes would defeat the second check, and does not compile:
///
/// ```
/// use cretoai_network::wire::codec::List;
/// let list = List::<[u8; 1], 4>::new();
/// ```
/// ```compile_fail,E0080
/// use cretoai_network::wire::codec::List;
/// let list = List::<[u8; 0], 4>::new();
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct List<T, const MAX: usize>(Vec<T>);

/// A list or a payload would be longer than its type allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("longer than the limit of {limit}")]
pub struct OverLimit {
    /// Most elements or bytes.
    pub limit: usize,
}

impl<T: WireType, const MAX: usize> List<T, MAX> {
    const ELEMENTS_TAKE_BYTES: () = assert!(T::MIN_LEN > 0);

    /// An empty list.
    #[must_use]
    pub const fn new() -> Self {
        let () = Self::ELEMENTS_TAKE_BYTES;
        Self(Vec::new())
    }

    /// Appends an element.
    ///
    /// # Errors
    /// [`OverLimit`] if it holds `MAX` already.
    pub fn push(&mut self, element: T) -> Result<(), OverLimit> {
        if self.0.len() >= MAX {
            return Err(OverLimit { limit: MAX });
        }
        self.0.push(element);
        Ok(())
    }

    /// As many elements of `source` as fit, from its front.
    #[must_use]
    pub fn truncated(source: impl IntoIterator<Item = T>) -> Self {
        let () = Self::ELEMENTS_TAKE_BYTES;
        Self(source.into_iter().take(MAX).collect())
    }

    /// The elements.
    #[must_use]
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }
}

impl<T: WireType, const MAX: usize> Default for List<T, MAX> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, const MAX: usize> Deref for List<T, MAX> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: WireType, const MAX: usize> TryFrom<Vec<T>> for List<T, MAX> {
    type Error = OverLimit;

    fn try_from(elements: Vec<T>) -> Result<Self, OverLimit> {
        let () = Self::ELEMENTS_TAKE_BYTES;
        if elements.len() <= MAX {
            Ok(Self(elements))
        } else {
            Err(OverLimit { limit: MAX })
        }
    }
}

impl<T, const MAX: usize> IntoIterator for List<T, MAX> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, T, const MAX: usize> IntoIterator for &'a List<T, MAX> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T: WireType, const MAX: usize> Sealed for List<T, MAX> {}

impl<T: WireType, const MAX: usize> WireType for List<T, MAX> {
    const MIN_LEN: usize = 1;
}

impl<T: WireType, const MAX: usize> Encode for List<T, MAX> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        encode_elements(&self.0, encoder)
    }
}

impl<T: WireType, const MAX: usize> Decode<Source> for List<T, MAX> {
    fn decode<D: Decoder<Context = Source>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let () = Self::ELEMENTS_TAKE_BYTES;
        let length = decode_length(decoder, MAX)?;
        require(decoder, length.saturating_mul(T::MIN_LEN))?;
        let mut elements = Vec::with_capacity(length);
        for _ in 0..length {
            elements.push(T::decode(decoder)?);
        }
        Ok(Self(elements))
    }
}

pub(super) fn encode_elements<T: Encode, E: Encoder>(
    elements: &[T],
    encoder: &mut E,
) -> Result<(), EncodeError> {
    encode_length(elements.len(), encoder)?;
    let mut elements = elements.iter();
    elements.try_for_each(|element| element.encode(encoder))
}
