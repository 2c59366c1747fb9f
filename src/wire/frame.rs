//! Frames and the header of a stream.
//!
//! A frame is a varint length (of type and body, at least 1), one type byte and the body.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::Violation;
use super::varint::{Varint, VarintDecoder};

/// One frame type that is legal in a state, and the largest body it may have there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FrameRule {
    /// The type byte.
    pub kind: u8,
    /// Largest body in bytes, the type byte not counted.
    pub max_body: u32,
}

/// What a reader accepts next: the frame types legal in this state, and all that the protocol has.
///
/// The second list only tells an unknown frame type from one that is illegal in this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameRules {
    /// Frame types that may come now.
    pub legal: &'static [FrameRule],
    /// Every frame type that the protocol defines.
    pub defined: &'static [u8],
}

impl FrameRules {
    /// Largest body in bytes that a frame of this type may have in this state; `None` if the type is
    /// not legal.
    #[must_use]
    pub fn max_body(self, kind: u8) -> Option<u32> {
        let rule = self.legal.iter().find(|rule| rule.kind == kind)?;
        Some(rule.max_body)
    }

    /// The limit of a frame type in this state.
    fn limit(self, kind: u8) -> Result<u32, Violation> {
        match self.max_body(kind) {
            Some(limit) => Ok(limit),
            None if self.defined.contains(&kind) => Err(Violation::IllegalFrame { kind }),
            None => Err(Violation::UnknownFrame { kind }),
        }
    }
}

/// One whole frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The type byte.
    pub kind: u8,
    /// The body: a slice of the chunk that it came in, or a buffer of its own if it came in several.
    pub body: Bytes,
    /// Bytes of memory that `body` keeps alive: the whole chunk that it is a slice of. A budget counts
    /// these, and [`keep`](super::codec::keep) decides by them.
    pub backing: usize,
}

/// Reads frames from a stream that arrives in chunks.
///
/// Feed each chunk to [`decode`](Self::decode) until it returns `None`; the chunk is then used up.
/// The decoder never holds a chunk, only the part of one frame that has arrived, which is at most
/// the limit of that frame's type. After an error the stream is beyond repair.
#[derive(Debug, Default)]
pub struct FrameDecoder {
    state: State,
    /// Length of the chunk that is being read, when it was new.
    chunk: usize,
    /// What the last call left of it.
    left: usize,
}

#[derive(Debug)]
enum State {
    Length(VarintDecoder),
    Kind {
        length: Varint,
    },
    Body {
        kind: u8,
        length: usize,
        received: BytesMut,
    },
}

impl Default for State {
    fn default() -> Self {
        Self::Length(VarintDecoder::default())
    }
}

impl FrameDecoder {
    /// A decoder at the start of a frame.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes from the front of `input`; a frame once it is complete, `None` when more bytes
    /// are needed (`input` is then empty).
    ///
    /// The announced length is checked against the limit of the frame's type as soon as the type is
    /// known, before anything is allocated, and memory grows only with the bytes that arrived.
    ///
    /// # Errors
    /// The [`Violation`] that the first byte out of place amounts to.
    pub fn decode(
        &mut self,
        input: &mut Bytes,
        rules: FrameRules,
    ) -> Result<Option<Frame>, Violation> {
        if self.left == 0 {
            self.chunk = input.len();
        }
        let frame = self.advance(input, rules);
        self.left = input.len();
        frame
    }

    fn advance(
        &mut self,
        input: &mut Bytes,
        rules: FrameRules,
    ) -> Result<Option<Frame>, Violation> {
        loop {
            match &mut self.state {
                State::Length(decoder) => match decoder.decode(input)? {
                    None => return Ok(None),
                    Some(length) if length.get() == 0 => return Err(Violation::ZeroLengthFrame),
                    Some(length) => self.state = State::Kind { length },
                },
                State::Kind { length } => {
                    if !input.has_remaining() {
                        return Ok(None);
                    }
                    let kind = input.get_u8();
                    let length = body_length(*length, kind, rules)?;
                    self.state = State::Body {
                        kind,
                        length,
                        received: BytesMut::new(),
                    };
                }
                State::Body {
                    kind,
                    length,
                    received,
                } => {
                    let frame = take_body(*kind, *length, received, input, self.chunk);
                    if frame.is_some() {
                        self.state = State::default();
                    }
                    return Ok(frame);
                }
            }
        }
    }

    /// Whether the decoder stands between two frames: where a stream may end.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        matches!(&self.state, State::Length(decoder) if decoder.is_empty())
    }

    /// Says that the stream ended.
    ///
    /// # Errors
    /// [`Violation::UnfinishedFrame`] if it ended inside a frame.
    pub const fn finish(&self) -> Result<(), Violation> {
        if self.is_idle() {
            Ok(())
        } else {
            Err(Violation::UnfinishedFrame)
        }
    }

    /// Bytes of an unfinished body that the decoder holds.
    #[must_use]
    pub fn buffered(&self) -> usize {
        match &self.state {
            State::Body { received, .. } => received.len(),
            State::Length(_) | State::Kind { .. } => 0,
        }
    }
}

/// Length of the body, once it is known to be within the limit of its type.
fn body_length(length: Varint, kind: u8, rules: FrameRules) -> Result<usize, Violation> {
    let limit = rules.limit(kind)?;
    let length = length.get().saturating_sub(1);
    match usize::try_from(length) {
        Ok(size) if length <= u64::from(limit) => Ok(size),
        _ => Err(Violation::OversizeFrame {
            kind,
            length,
            limit,
        }),
    }
}

/// Completes the body from `input`, the rest of a chunk: without a copy if all of it is there.
fn take_body(
    kind: u8,
    length: usize,
    received: &mut BytesMut,
    input: &mut Bytes,
    chunk: usize,
) -> Option<Frame> {
    if received.is_empty() && input.len() >= length {
        return Some(Frame {
            kind,
            body: input.split_to(length),
            backing: chunk,
        });
    }
    let missing = length.saturating_sub(received.len());
    received.extend_from_slice(&input.split_to(missing.min(input.len())));
    if received.len() < length {
        return None;
    }
    let backing = received.capacity();
    Some(Frame {
        kind,
        body: std::mem::take(received).freeze(),
        backing,
    })
}

/// Appends a frame: its head and a copy of `body`.
pub fn encode_frame(kind: u8, body: &[u8], out: &mut BytesMut) {
    encode_frame_head(kind, body.len(), out);
    out.put_slice(body);
}

/// Appends the length and the type of a frame whose body of `body_len` bytes is sent apart, so that
/// a large payload is not copied.
pub fn encode_frame_head(kind: u8, body_len: usize, out: &mut BytesMut) {
    frame_length(body_len).encode(out);
    out.put_u8(kind);
}

/// Bytes that [`encode_frame_head`] appends.
#[must_use]
pub fn frame_head_len(body_len: usize) -> usize {
    frame_length(body_len).encoded_len() + 1
}

fn frame_length(body_len: usize) -> Varint {
    let length = u64::try_from(body_len)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    Varint::try_from(length).unwrap_or(Varint::MAX)
}

/// The first bytes of a stream, sent once by the side that opened it: which protocol it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StreamHeader {
    /// Number of the protocol, a varint on the wire.
    pub protocol: u32,
    /// Version of the protocol, a varint on the wire.
    pub version: u16,
}

impl StreamHeader {
    /// Appends the header.
    pub fn encode(self, out: &mut BytesMut) {
        Varint::from(self.protocol).encode(out);
        Varint::from(self.version).encode(out);
    }

    /// Bytes that [`encode`](Self::encode) appends.
    #[must_use]
    pub fn encoded_len(self) -> usize {
        Varint::from(self.protocol).encoded_len() + Varint::from(self.version).encoded_len()
    }
}

/// Reads a [`StreamHeader`] that arrives in chunks.
#[derive(Debug, Default)]
pub struct StreamHeaderDecoder {
    varint: VarintDecoder,
    protocol: Option<u32>,
}

impl StreamHeaderDecoder {
    /// A decoder at the start of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the header from the front of `input` and leaves the frames; `None` if more is needed.
    ///
    /// # Errors
    /// [`Violation::NonMinimalVarint`]; [`Violation::UnknownProtocol`] for a number above `u32::MAX`
    /// and [`Violation::UnknownVersion`] for a version above `u16::MAX`, which cannot be registered.
    pub fn decode(&mut self, input: &mut Bytes) -> Result<Option<StreamHeader>, Violation> {
        let protocol = match self.protocol {
            Some(protocol) => protocol,
            None => match self.varint.decode(input)?.map(Varint::get) {
                None => return Ok(None),
                Some(number) => {
                    u32::try_from(number).map_err(|_| Violation::UnknownProtocol { number })?
                }
            },
        };
        self.protocol = Some(protocol);
        let Some(version) = self.varint.decode(input)?.map(Varint::get) else {
            return Ok(None);
        };
        match u16::try_from(version) {
            Ok(version) => Ok(Some(StreamHeader { protocol, version })),
            Err(_) => Err(Violation::UnknownVersion { protocol, version }),
        }
    }
}
