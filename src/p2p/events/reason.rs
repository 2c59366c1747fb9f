use std::fmt;

use thiserror::Error;

use crate::identity::PeerId;
use crate::p2p::limits::RefuseReason;
use crate::wire::ErrorCode;

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
pub enum DisconnectReason {
    /// The application asked for it.
    #[error("requested")]
    Requested,
    /// This node is stopping.
    #[error("shutdown")]
    Shutdown,
    /// This node closed it, for what the code says.
    #[error("closed-here:{}", .0.name())]
    ClosedHere(ErrorCode),
    /// The peer closed it with this code.
    #[error("closed-by-peer:{}", .0.name())]
    ClosedByPeer(ErrorCode),
    /// Nothing was heard for the idle timeout.
    #[error("timed-out")]
    TimedOut,
    /// The peer knows nothing of the connection (any more): it restarted.
    #[error("reset")]
    Reset,
    /// QUIC itself failed; its transport error code (RFC 9000 §20.1).
    #[error("transport:{0:#x}")]
    Transport(u64),
}

/// Why a connection from outside was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IncomingRefusal {
    /// A limit on connections or handshakes.
    Limit(RefuseReason),
    /// The peer is banned; known only after its handshake.
    Banned(PeerId),
    /// The handshake failed: wrong network, key exchange, signature or identity.
    Handshake,
}

/// Why a dial failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DialFailure {
    /// No address is known, or all wait after a failure.
    NoAddress,
    /// Nobody answered in time.
    TimedOut,
    /// Somebody else answered there.
    WrongPeer,
    /// The node there belongs to another network.
    WrongNetwork,
    /// The node there takes no connection now.
    Refused,
    /// The handshake failed; the TLS alert (RFC 8446 §6).
    Handshake(u8),
    /// No socket of this node reaches the address, or its name does not resolve.
    Unreachable,
    /// The peer is this node.
    OwnIdentity,
    /// The peer is banned here.
    Banned,
    /// A limit of this node.
    Limit(RefuseReason),
    /// The node is stopping.
    Shutdown,
}

impl fmt::Display for IncomingRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit(reason) => write!(f, "limit:{}", limit_word(*reason)),
            Self::Banned(peer) => write!(f, "banned peer={peer}"),
            Self::Handshake => f.write_str("handshake"),
        }
    }
}

impl fmt::Display for DialFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoAddress => "no-address",
            Self::TimedOut => "timed-out",
            Self::WrongPeer => "wrong-peer",
            Self::WrongNetwork => "wrong-network",
            Self::Refused => "refused",
            Self::Handshake(alert) => return write!(f, "handshake:{alert}"),
            Self::Unreachable => "unreachable",
            Self::OwnIdentity => "own-identity",
            Self::Banned => "banned",
            Self::Limit(reason) => return write!(f, "limit:{}", limit_word(*reason)),
            Self::Shutdown => "shutdown",
        })
    }
}

impl std::error::Error for DialFailure {}

const fn limit_word(reason: RefuseReason) -> &'static str {
    match reason {
        RefuseReason::Full => "full",
        RefuseReason::PerIp => "per-ip",
        RefuseReason::PerGroup => "per-group",
        RefuseReason::PerPeer => "per-peer",
        RefuseReason::Rate => "rate",
        RefuseReason::Unconfirmed => "unconfirmed",
    }
}
