//! Why gossip did not do what it was asked.

use crate::gossip::{NotPublished, TopicHash};
use crate::wire::message::gossip::MAX_TOPICS;

use super::driver::MAX_OPINIONS;

/// Why gossip did not do what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GossipError {
    /// The node's configuration leaves gossip out.
    #[error("gossip is disabled")]
    Disabled,
    /// The node has stopped.
    #[error("the node has stopped")]
    Stopped,
    /// The node takes part in as many topics as a neighbour lets it.
    #[error("a node takes part in at most {MAX_TOPICS} topics")]
    TooManyTopics,
    /// The node takes part in this topic with another validator, or judges nothing there, or its messages are
    /// signed and these would not be, or the reverse.
    #[error(
        "topic {0:?} is subscribed to with other options: one validator judges it, if any does"
    )]
    OtherOptions(TopicHash),
    /// An opinion of a peer that is no number.
    #[error("a score is a number")]
    NotANumber,
    /// The program has opinions of as many peers as a node remembers.
    #[error("a program has opinions of at most {MAX_OPINIONS} peers")]
    TooManyOpinions,
    /// The message was not published.
    #[error(transparent)]
    NotPublished(#[from] NotPublished),
}
