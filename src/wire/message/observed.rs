//! Observed address (protocol 3): a peer is told that its address, as seen from here, has changed.
//!
//! One unidirectional stream in each direction that needs it; every frame is an [`OBSERVED`].

use crate::wire::Address;
use crate::wire::codec::wire_message;
use crate::wire::frame::{FrameRule, FrameRules};

/// Number of the protocol.
pub const PROTOCOL: u32 = super::protocol::OBSERVED;

/// The receiver's address, as the sender sees it.
pub const OBSERVED: u8 = 0x01;

/// Largest body: a sequence number of nine bytes and an IPv6 address with port and peer id, 53 bytes
/// (an observed address is never a name and never behind a relay).
pub const MAX_BODY: u32 = 62;

/// What the receiver reads.
pub const RECEIVER_READS: FrameRules = FrameRules {
    legal: &[FrameRule {
        kind: OBSERVED,
        max_body: MAX_BODY,
    }],
    defined: &[OBSERVED],
};

wire_message! {
    /// The body of the frame.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Observed {
        /// Counts up from 0 on each connection: of two observations the higher one is newer.
        pub sequence: u64,
        /// The address, without a peer id. A name, or an address behind a relay, is no observation:
        /// the receiver ignores it.
        pub address: Address,
    }
}
