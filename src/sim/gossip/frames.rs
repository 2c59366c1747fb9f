//! The frames of a batch.

use bytes::Bytes;

use crate::wire::Varint;
use crate::wire::message::gossip::{self as wire, RECEIVER_READS};

/// A frame of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) body: Bytes,
    /// All of its bytes.
    pub(super) bytes: usize,
}

/// Bytes that are no frames of gossip: an edge closes the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotFrames;

/// Takes the next frame off a batch, none if it is used up. Bodies are slices of the batch.
pub(super) fn next_frame(batch: &mut Bytes) -> Result<Option<Frame>, NotFrames> {
    if batch.is_empty() {
        return Ok(None);
    }
    let (length, head) = Varint::decode(batch)
        .map_err(|_| NotFrames)?
        .ok_or(NotFrames)?;
    let length = usize::try_from(length.get()).map_err(|_| NotFrames)?;
    let bytes = head.checked_add(length).ok_or(NotFrames)?;
    if length == 0 || bytes > batch.len() {
        return Err(NotFrames);
    }
    let frame = batch.split_to(bytes);
    let kind = frame.get(head).copied().ok_or(NotFrames)?;
    let most = RECEIVER_READS.max_body(kind).ok_or(NotFrames)?;
    if length - 1 > most as usize {
        return Err(NotFrames);
    }
    let body = frame.slice(head + 1..);
    Ok(Some(Frame { kind, body, bytes }))
}

/// Of what parts the body of a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Parts {
    /// Bytes that name its seal and its place there.
    pub(super) reference: usize,
    /// Bytes of what it says.
    pub(super) data: usize,
}

impl Parts {
    /// The parts of a body; none if the frame is no message.
    pub(super) fn of(kind: u8, body: &[u8]) -> Self {
        let (references, others) = match kind {
            // Seal and index; timestamp and length.
            wire::MESSAGE => (2, 2),
            // Topic and length.
            wire::UNSIGNED => (0, 2),
            _ => return Self::default(),
        };
        let mut rest = body;
        let before = rest.len();
        skip(&mut rest, references);
        let reference = before - rest.len();
        skip(&mut rest, others);
        let data = rest.len();
        Self { reference, data }
    }
}

/// Takes so many of the codec's integers off a body: a value, or a marker and two, four or eight bytes.
fn skip(body: &mut &[u8], integers: usize) {
    for _ in 0..integers {
        let length = match body.first() {
            None => 0,
            Some(0..=250) => 1,
            Some(251) => 3,
            Some(252) => 5,
            Some(_) => 9,
        };
        *body = body.get(length..).unwrap_or_default();
    }
}

/// Whether a frame serves nothing but to prove who said something.
pub(super) const fn is_proof(kind: u8) -> bool {
    matches!(kind, wire::KEY | wire::SEAL)
}
