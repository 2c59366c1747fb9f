//! Why gossip did not do what it was asked.

use crate::gossip::NotPublished;

/// Why gossip did not do what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GossipError {
    /// The node's configuration leaves gossip out.
    #[error("gossip is disabled")]
    Disabled,
    /// The node has stopped.
    #[error("the node has stopped")]
    Stopped,
    /// The message was not published.
    #[error(transparent)]
    NotPublished(#[from] NotPublished),
}
