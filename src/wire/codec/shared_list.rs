//! A list that is read often and never changed.

use std::ops::Deref;
use std::sync::Arc;

use bincode::de::Decoder;
use bincode::enc::Encoder;
use bincode::error::{DecodeError, EncodeError};
use bincode::{Decode, Encode};

use super::list::encode_elements;
use super::{List, OverLimit, Sealed, Source, WireType};

/// At most `MAX` elements, in order, behind a count of references: a copy copies no element.
///
/// On the wire it is a [`List`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SharedList<T, const MAX: usize>(Arc<[T]>);

impl<T: WireType, const MAX: usize> SharedList<T, MAX> {
    /// An empty list.
    #[must_use]
    pub fn new() -> Self {
        List::new().into()
    }

    /// As many elements of `source` as fit, from its front.
    #[must_use]
    pub fn truncated(source: impl IntoIterator<Item = T>) -> Self {
        List::truncated(source).into()
    }
}

impl<T: WireType, const MAX: usize> Default for SharedList<T, MAX> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: WireType, const MAX: usize> From<List<T, MAX>> for SharedList<T, MAX> {
    fn from(list: List<T, MAX>) -> Self {
        Self(list.into_vec().into())
    }
}

impl<T: WireType, const MAX: usize> TryFrom<Vec<T>> for SharedList<T, MAX> {
    type Error = OverLimit;

    fn try_from(elements: Vec<T>) -> Result<Self, OverLimit> {
        List::try_from(elements).map(Self::from)
    }
}

impl<T, const MAX: usize> Deref for SharedList<T, MAX> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'a, T, const MAX: usize> IntoIterator for &'a SharedList<T, MAX> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T: WireType, const MAX: usize> Sealed for SharedList<T, MAX> {}

impl<T: WireType, const MAX: usize> WireType for SharedList<T, MAX> {
    const MIN_LEN: usize = 1;
}

impl<T: WireType, const MAX: usize> Encode for SharedList<T, MAX> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        encode_elements(&self.0, encoder)
    }
}

impl<T: WireType, const MAX: usize> Decode<Source> for SharedList<T, MAX> {
    fn decode<D: Decoder<Context = Source>>(decoder: &mut D) -> Result<Self, DecodeError> {
        List::decode(decoder).map(Self::from)
    }
}
