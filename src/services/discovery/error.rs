//! Why something that the program asked of discovery did not come to be.

use thiserror::Error;

use super::RoleError;
use crate::crypto::ProviderFailure;
use crate::discovery::Rejection;
use crate::discovery::record::{DraftError, RecordFault};

/// Why a command of [`Discovery`](super::Discovery) has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DiscoveryError {
    /// The node runs without discovery.
    #[error("discovery is disabled")]
    Disabled,
    /// The node has stopped, or is stopping.
    #[error("the node has stopped")]
    Stopped,
    /// Nobody who was asked knows it, or nobody could be asked.
    #[error("not found")]
    NotFound,
    /// No bootstrap node, no remembered one and none of the table answered.
    #[error("no node answered: the network cannot be entered")]
    NoContacts,
    /// Nobody took the record. It stays published, and is offered again.
    #[error("no node took the record")]
    NotStored,
    /// The command cannot be carried out.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The record cannot be made.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// The name of a role is out of range.
    #[error(transparent)]
    Role(#[from] RoleError),
    /// A record was found whose value this version cannot read.
    #[error(transparent)]
    Unreadable(#[from] RecordFault),
    /// The cryptography of this machine failed.
    #[error(transparent)]
    Crypto(#[from] ProviderFailure),
}
