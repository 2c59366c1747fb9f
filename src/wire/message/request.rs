//! The frames of application protocols (numbers from 0x40): bytes that only the application reads.
//!
//! A request opens a bidirectional stream, sends one [`REQUEST`] and ends its side; the answer is one
//! [`RESPONSE`] and the end of the other side, or a reset with a code. One-way messages are
//! [`MESSAGE`] frames on one unidirectional stream a direction and protocol, in the order they were
//! sent.

use crate::wire::frame::{FrameRule, FrameRules};

/// The question.
pub const REQUEST: u8 = 0x01;

/// The answer.
pub const RESPONSE: u8 = 0x02;

/// One message of a one-way stream. Its number is that of [`REQUEST`]: the two never share a stream.
pub const MESSAGE: u8 = 0x01;

/// Largest request, response or message: 1 MiB. Whole bodies are held in memory; what is larger is
/// sent in parts, or over a raw stream.
pub const MAX_BODY: u32 = 1 << 20;

const REQUEST_DEFINED: &[u8] = &[REQUEST, RESPONSE];

/// What the answering side reads.
pub const ACCEPTOR_READS: FrameRules = FrameRules {
    legal: &[FrameRule {
        kind: REQUEST,
        max_body: MAX_BODY,
    }],
    defined: REQUEST_DEFINED,
};

/// What the asking side reads.
pub const DIALLER_READS: FrameRules = FrameRules {
    legal: &[FrameRule {
        kind: RESPONSE,
        max_body: MAX_BODY,
    }],
    defined: REQUEST_DEFINED,
};

/// What the receiver of one-way messages reads.
pub const RECEIVER_READS: FrameRules = FrameRules {
    legal: &[FrameRule {
        kind: MESSAGE,
        max_body: MAX_BODY,
    }],
    defined: &[MESSAGE],
};
