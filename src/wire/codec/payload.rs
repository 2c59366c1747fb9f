//! Bytes that nobody on the way looks into.

use bincode::de::Decoder;
use bincode::enc::Encoder;
use bincode::error::{DecodeError, EncodeError};
use bincode::{Decode, Encode};
use bytes::Bytes;

use super::{OverLimit, Sealed, Source, WireType, decode_bytes, encode_bytes};

/// At most `MAX` bytes. When it is decoded, it is a slice of the message and not a copy: before it
/// outlives its handler, give it to [`keep`](super::keep).
///
/// On the wire: the length, then the bytes. `Debug` prints the length alone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Payload<const MAX: usize>(Bytes);

impl<const MAX: usize> Payload<MAX> {
    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &Bytes {
        &self.0
    }

    /// The bytes, moved out.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

impl<const MAX: usize> std::fmt::Debug for Payload<MAX> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Payload({} bytes)", self.0.len())
    }
}

impl<const MAX: usize> TryFrom<Bytes> for Payload<MAX> {
    type Error = OverLimit;

    fn try_from(bytes: Bytes) -> Result<Self, OverLimit> {
        if bytes.len() <= MAX {
            Ok(Self(bytes))
        } else {
            Err(OverLimit { limit: MAX })
        }
    }
}

impl<const MAX: usize> Sealed for Payload<MAX> {}

impl<const MAX: usize> WireType for Payload<MAX> {
    const MIN_LEN: usize = 1;
}

impl<const MAX: usize> Encode for Payload<MAX> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        encode_bytes(&self.0, encoder)
    }
}

impl<const MAX: usize> Decode<Source> for Payload<MAX> {
    fn decode<D: Decoder<Context = Source>>(decoder: &mut D) -> Result<Self, DecodeError> {
        decode_bytes(decoder, MAX).map(Self)
    }
}
