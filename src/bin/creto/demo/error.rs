//! Why the demonstration did not come to its end.

use std::io;

use thiserror::Error;

#[derive(Debug, Error)]
pub(crate) enum DemoError {
    #[error("a process of the demonstration cannot be started: {0}")]
    Start(io::Error),
    #[error("node {node} ended unexpectedly")]
    Ended { node: usize },
    #[error("node {node} cannot be talked to: {error}")]
    Pipe { node: usize, error: io::Error },
    #[error("node {node} said something that is no reply: {error}")]
    Malformed {
        node: usize,
        error: serde_json::Error,
    },
    #[error("node {node} gave the reply to another command")]
    OtherReply { node: usize },
    #[error("node {node} did not reply within {seconds} s")]
    Silent { node: usize, seconds: u64 },
    #[error("node {node} failed: {message}")]
    Node { node: usize, message: String },
    #[error("{sent} messages were sent, {delivered} delivered in order and intact")]
    NotDelivered { sent: u64, delivered: u64 },
    #[error("{connected} of {expected} connections were made")]
    NotJoined { connected: usize, expected: usize },
    #[error("no vertex was withheld and fetched: the fetching was not exercised")]
    NothingFetched,
    #[error("a target was missed")]
    TargetMissed,
}
