//! Chunks of long messages (protocol 9): asked for one by one, each on a stream of its own.
//!
//! A bidirectional stream for each chunk: [`GET_CHUNK`] one way, [`CHUNK`] the other. What the asked end
//! does not have, or does not give, it refuses with the code REFUSED or BUSY. Who has which chunks is said
//! by [`HAVE`](super::gossip::HAVE).

use super::gossip::MessageId;
use crate::crypto::CHUNK_BYTES;
use crate::wire::codec::{Payload, wire_message};
use crate::wire::frame::{FrameRule, FrameRules};

/// Number of the protocol.
pub const PROTOCOL: u32 = super::protocol::CHUNKS;

/// Asks for a chunk.
pub const GET_CHUNK: u8 = 0x01;

/// The chunk.
pub const CHUNK: u8 = 0x02;

/// An id and an integer.
const GET_CHUNK_BODY: u32 = 32 + 3;

/// Bytes behind their number.
const CHUNK_BODY: u32 = 5 + CHUNK_BYTES as u32;

/// What the end that was asked reads.
pub const ACCEPTOR_READS: FrameRules = FrameRules {
    legal: &[FrameRule {
        kind: GET_CHUNK,
        max_body: GET_CHUNK_BODY,
    }],
    defined: &[GET_CHUNK, CHUNK],
};

/// What the end that asks reads.
pub const DIALLER_READS: FrameRules = FrameRules {
    legal: &[FrameRule {
        kind: CHUNK,
        max_body: CHUNK_BODY,
    }],
    defined: &[GET_CHUNK, CHUNK],
};

wire_message! {
    /// The body of [`GET_CHUNK`].
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct GetChunk {
        /// Of which message.
        pub message: MessageId,
        /// Which chunk, counted from 0.
        pub index: u16,
    }
}

wire_message! {
    /// The body of [`CHUNK`].
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Chunk {
        /// Its bytes.
        pub data: Payload<CHUNK_BYTES>,
    }
}
