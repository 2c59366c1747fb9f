//! Ping (protocol 2): is the peer there, and how far away?
//!
//! Whoever opens the bidirectional stream sends one [`PING`] and ends its side; the other answers
//! with one [`PONG`] that repeats the nonce.

use crate::wire::codec::wire_message;
use crate::wire::frame::{FrameRule, FrameRules};

/// Number of the protocol.
pub const PROTOCOL: u32 = super::protocol::PING;

/// The question.
pub const PING: u8 = 0x01;

/// The answer.
pub const PONG: u8 = 0x02;

/// Largest body: a `u64` takes at most nine bytes.
pub const MAX_BODY: u32 = 9;

const DEFINED: &[u8] = &[PING, PONG];

/// What the answering side reads.
pub const ACCEPTOR_READS: FrameRules = FrameRules {
    legal: &[FrameRule {
        kind: PING,
        max_body: MAX_BODY,
    }],
    defined: DEFINED,
};

/// What the asking side reads.
pub const DIALLER_READS: FrameRules = FrameRules {
    legal: &[FrameRule {
        kind: PONG,
        max_body: MAX_BODY,
    }],
    defined: DEFINED,
};

wire_message! {
    /// The body of both frames.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Ping {
        /// Chosen at random by the asking side, repeated by the other: an answer that was not
        /// asked for cannot shorten the measured time.
        pub nonce: u64,
    }
}
