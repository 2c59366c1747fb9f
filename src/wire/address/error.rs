//! What is wrong with the text of an address.

use std::fmt;

use thiserror::Error;

/// Why a text is not an address. It names the part and never repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AddressError {
    /// The text is longer than any address.
    #[error("the address is longer than {limit} characters")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// The text ends too early.
    #[error("the address ends where {0} is expected")]
    Missing(Component),
    /// Something else stands in the place of a keyword.
    #[error("the address has something else where {0} is expected")]
    Unexpected(Component),
    /// The value after a keyword is malformed.
    #[error("the address has an invalid value: expected {0}")]
    Invalid(Component),
}

/// A part of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Component {
    /// The slash that every address begins with.
    Slash,
    /// The kind of host.
    HostKind,
    /// An IPv4 address.
    Ip4,
    /// An IPv6 address.
    Ip6,
    /// A DNS name.
    DnsName,
    /// The word `udp`.
    Udp,
    /// The port number.
    Port,
    /// The word `quic-v1`.
    Quic,
    /// The word `p2p`.
    P2p,
    /// A peer id.
    PeerId,
    /// The word `p2p-circuit`.
    Circuit,
    /// The end of the text.
    End,
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Slash => "a leading `/`",
            Self::HostKind => "`ip4`, `ip6`, `dns4` or `dns6`",
            Self::Ip4 => "an IPv4 address",
            Self::Ip6 => "an IPv6 address that is not IPv4-mapped",
            Self::DnsName => "a DNS name in lower case",
            Self::Udp => "`udp`",
            Self::Port => "a port number (0-65535)",
            Self::Quic => "`quic-v1`",
            Self::P2p => "`p2p`",
            Self::PeerId => "a peer id (52 characters of a-z and 2-7)",
            Self::Circuit => "`p2p-circuit`",
            Self::End => "the end",
        })
    }
}
