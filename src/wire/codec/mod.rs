//! The canonical codec of message bodies, and the only place that knows bincode.
//!
//! The format is bincode 2 in its standard configuration: integers of 16 bits and more as one byte
//! up to 250, above that a marker (251, 252, 253 for 2, 4, 8 bytes) and the value in little-endian
//! order; one byte as it is; arrays without a length; lists, texts and payloads behind their length;
//! enums behind the number of their variant, `Option` as an enum of two.
//!
//! To that the codec adds what a format for strangers needs: a closed list of types
//! ([`WireType`]), bounded collections that look at the bytes left before they allocate, one
//! encoding a value (what does not re-encode to itself is refused), and payloads without a copy.

mod converted;
mod list;
mod message;
mod payload;
mod shared_list;
mod text;
mod wire_type;

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use bincode::de::read::{Reader, SliceReader};
use bincode::de::{Decoder, DecoderImpl};
use bincode::enc::Encoder;
use bincode::enc::write::Writer;
use bincode::error::{DecodeError, EncodeError};
use bytes::{Bytes, BytesMut};

use super::Violation;

pub(crate) use bincode;
pub(crate) use converted::Converted;
pub use list::{List, OverLimit};
pub(crate) use message::{wire_converted, wire_impl, wire_message};
pub use payload::Payload;
pub use shared_list::SharedList;
pub use text::{Text, TextError};
pub use wire_type::WireType;
pub(crate) use wire_type::{Sealed, smallest};

/// bincode counts the memory of fixed-size fields against this limit. It is a net below the limits of
/// frames and lists: four times the largest list body (a seal of 1 024 leaves of 32 bytes takes
/// 32 KiB, a frame of addresses and ids less than 64 KiB), so that no honest message meets it.
const MEMORY_NET: usize = 256 * 1024;

type Config = Configuration<LittleEndian, Varint, Limit<MEMORY_NET>>;

const CONFIG: Config = bincode::config::standard().with_limit::<MEMORY_NET>();

/// What a type sees of the message while it is decoded: the buffer that payloads are slices of.
#[derive(Debug)]
pub struct Source {
    backing: Bytes,
    violation: Option<Violation>,
}

/// Encodes a message into a buffer of its own.
#[must_use]
pub fn encode<T: WireType>(message: &T) -> Bytes {
    let mut out = BytesMut::new();
    encode_into(message, &mut out);
    out.freeze()
}

/// Appends the encoding of a message.
pub fn encode_into<T: WireType>(message: &T, out: &mut BytesMut) {
    let result = bincode::encode_into_writer(message, Append(out), CONFIG);
    // Neither the types of the allow-list nor a growing buffer have a way to fail.
    debug_assert!(result.is_ok());
}

/// Decodes a message that fills `body` to the last byte.
///
/// Payloads in the result are slices of `body`: see [`keep`].
///
/// # Errors
/// [`Violation::Truncated`], [`Violation::TrailingBytes`], [`Violation::NonCanonical`],
/// [`Violation::OverLimit`], or what a field's own type refuses.
pub fn decode<T: WireType>(body: &Bytes) -> Result<T, Violation> {
    let source = Source {
        backing: body.clone(),
        violation: None,
    };
    let mut decoder = DecoderImpl::new(SliceReader::new(body), CONFIG, source);
    let message = match T::decode(&mut decoder) {
        Ok(message) => message,
        Err(error) => return Err(decoder.context().violation.unwrap_or(blame(&error))),
    };
    if decoder.reader().peek_read(1).is_some() {
        return Err(Violation::TrailingBytes);
    }
    match bincode::encode_into_writer(&message, Compare(body), CONFIG) {
        Ok(()) => Ok(message),
        Err(_) => Err(Violation::NonCanonical),
    }
}

/// Makes a slice fit to be kept beyond its handler: it is copied if it is shorter than half of the
/// `backing` bytes that it would keep alive (for a frame, [`Frame::backing`](super::Frame::backing)).
///
/// A budget that counts what it holds by the length of such slices is never wrong by more than two.
#[must_use]
pub fn keep(slice: Bytes, backing: usize) -> Bytes {
    if slice.len() < backing.div_ceil(2) {
        Bytes::copy_from_slice(&slice)
    } else {
        slice
    }
}

/// The violation behind an error that bincode found itself.
const fn blame(error: &DecodeError) -> Violation {
    match error {
        DecodeError::UnexpectedEnd { .. } => Violation::Truncated,
        _ => Violation::InvalidValue,
    }
}

/// Stops decoding with a violation of our own, which [`decode`] returns.
pub(crate) fn refuse<D: Decoder<Context = Source>>(
    decoder: &mut D,
    violation: Violation,
) -> DecodeError {
    decoder.context().violation = Some(violation);
    DecodeError::Other("refused")
}

/// Encodes one field; only a type of the allow-list has this.
pub(crate) fn encode_field<T: WireType, E: Encoder>(
    field: &T,
    encoder: &mut E,
) -> Result<(), EncodeError> {
    field.encode(encoder)
}

/// Decodes one field; only a type of the allow-list has this.
pub(crate) fn decode_field<T: WireType, D: Decoder<Context = Source>>(
    decoder: &mut D,
) -> Result<T, DecodeError> {
    T::decode(decoder)
}

/// Reads a length that must not exceed `max`.
fn decode_length<D: Decoder<Context = Source>>(
    decoder: &mut D,
    max: usize,
) -> Result<usize, DecodeError> {
    let length: u64 = bincode::Decode::decode(decoder)?;
    match usize::try_from(length) {
        Ok(size) if size <= max => Ok(size),
        _ => {
            let limit = u32::try_from(max).unwrap_or(u32::MAX);
            Err(refuse(decoder, Violation::OverLimit { length, limit }))
        }
    }
}

/// Checks that at least `count` bytes of the message are left.
fn require<D: Decoder<Context = Source>>(decoder: &mut D, count: usize) -> Result<(), DecodeError> {
    match decoder.reader().peek_read(count) {
        Some(_) => Ok(()),
        None => Err(refuse(decoder, Violation::Truncated)),
    }
}

/// Takes a length of at most `max` and that many bytes, as a slice of the message.
fn decode_bytes<D: Decoder<Context = Source>>(
    decoder: &mut D,
    max: usize,
) -> Result<Bytes, DecodeError> {
    let length = decode_length(decoder, max)?;
    let backing = decoder.context().backing.clone();
    let Some(slice) = decoder.reader().peek_read(length) else {
        return Err(refuse(decoder, Violation::Truncated));
    };
    let bytes = backing.slice_ref(slice);
    decoder.reader().consume(length);
    Ok(bytes)
}

/// Writes a length and the bytes.
fn encode_bytes<E: Encoder>(bytes: &[u8], encoder: &mut E) -> Result<(), EncodeError> {
    encode_length(bytes.len(), encoder)?;
    encoder.writer().write(bytes)
}

fn encode_length<E: Encoder>(length: usize, encoder: &mut E) -> Result<(), EncodeError> {
    let length = u64::try_from(length).unwrap_or(u64::MAX);
    bincode::Encode::encode(&length, encoder)
}

/// A writer that grows.
struct Append<'a>(&'a mut BytesMut);

impl Writer for Append<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// A writer that accepts only the bytes that it already has.
struct Compare<'a>(&'a [u8]);

impl Writer for Compare<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0 = self
            .0
            .strip_prefix(bytes)
            .ok_or(EncodeError::Other("differs"))?;
        Ok(())
    }
}
