//! Identify (protocol 1): what two peers tell each other about themselves after they connected.
//!
//! The dialler opens a bidirectional stream, sends [`HELLO`] and ends its side; the acceptor answers
//! with [`HELLO_REPLY`] and ends the other. Both bodies are an [`Identify`].

use crate::wire::Address;
use crate::wire::codec::{List, Text, wire_message};
use crate::wire::frame::{FrameRule, FrameRules};

/// Number of the protocol.
pub const PROTOCOL: u32 = super::protocol::IDENTIFY;

/// The dialler introduces itself.
pub const HELLO: u8 = 0x01;

/// The acceptor introduces itself.
pub const HELLO_REPLY: u8 = 0x02;

/// Longest name and version of the software: enough for `name/version (platform)`, not for a
/// fingerprint.
pub const MAX_AGENT: usize = 64;

/// Most listen addresses: IPv4 and IPv6, direct and over relays, twice each.
pub const MAX_ADDRESSES: usize = 8;

/// Most protocols: what the one-byte protocol numbers allow.
pub const MAX_PROTOCOLS: usize = 64;

/// Largest body. The worst honest one has 64 bytes of agent, 9 addresses of 325 bytes (a DNS name of
/// 253 and two peer ids) and 64 protocols of 11 bytes: 3 702 bytes, rounded up.
pub const MAX_BODY: u32 = 4096;

const DEFINED: &[u8] = &[HELLO, HELLO_REPLY];

/// What the acceptor reads.
pub const ACCEPTOR_READS: FrameRules = FrameRules {
    legal: &[FrameRule {
        kind: HELLO,
        max_body: MAX_BODY,
    }],
    defined: DEFINED,
};

/// What the dialler reads.
pub const DIALLER_READS: FrameRules = FrameRules {
    legal: &[FrameRule {
        kind: HELLO_REPLY,
        max_body: MAX_BODY,
    }],
    defined: DEFINED,
};

wire_message! {
    /// The body of both frames.
    ///
    /// Nothing in it is proven: addresses are candidates, and the observed address is one opinion.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Identify {
        /// Name and version of the software, for people.
        pub agent: Text<MAX_AGENT>,
        /// Where the sender listens, best first.
        pub listen_addresses: List<Address, MAX_ADDRESSES>,
        /// The protocols that the sender accepts streams of.
        pub protocols: List<SupportedProtocol, MAX_PROTOCOLS>,
        /// What the sender does for others: bits of [`Roles`], unknown ones are ignored.
        pub roles: Roles,
        /// The address of the receiver as the sender sees it.
        pub observed_address: Option<Address>,
    }
}

wire_message! {
    /// A protocol and the versions of it that the sender speaks.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct SupportedProtocol {
        /// Number of the protocol.
        pub number: u32,
        /// Oldest version.
        pub min_version: u16,
        /// Newest version.
        pub max_version: u16,
    }
}

wire_message! {
    /// A set of roles, one bit each.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub struct Roles {
        /// The bits.
        pub bits: u32,
    }
}

impl Roles {
    /// Answers queries of others and may be put into their routing tables.
    pub const SERVER: Self = Self { bits: 1 };

    /// Grants relay reservations.
    pub const RELAY: Self = Self { bits: 1 << 1 };

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self {
            bits: self.bits | other.bits,
        }
    }

    /// Whether all roles of `other` are in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.bits & other.bits == other.bits
    }
}

impl SupportedProtocol {
    /// Whether a version is spoken.
    #[must_use]
    pub const fn speaks(self, version: u16) -> bool {
        self.min_version <= version && version <= self.max_version
    }
}
