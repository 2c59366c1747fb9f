use thiserror::Error;

use crate::p2p::dial_failure::DialFailure;
use crate::p2p::limits::RefuseReason;
use crate::transport::DialError;

/// Why a connection that a peer began was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum IncomingRefusal {
    /// A limit on connections or handshakes, before any work was done.
    #[error("limit: {0}")]
    Limit(RefuseReason),
    /// The handshake failed.
    #[error("handshake: {0}")]
    Handshake(DialError),
    /// The handshake was good and showed a peer that this node does not take.
    #[error("peer: {0}")]
    Peer(DialFailure),
}
