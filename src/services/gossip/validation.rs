//! Judging messages before they are passed on.

use std::future::Future;
use std::pin::Pin;

use crate::gossip::{Message, Verdict};

/// Judges the messages of a topic. Nothing is passed on, or delivered, before it is accepted.
///
/// A call runs in a task of its own; as many run at once as 64, and what does not find a place
/// within 1 024 others is ignored: it may come again. What computes for more than about 100 µs belongs on
/// another thread (`tokio::task::spawn_blocking`).
pub trait MessageValidator: Send + Sync + 'static {
    /// Judges one message.
    fn validate(&self, message: &Message) -> Pin<Box<dyn Future<Output = Verdict> + Send>>;
}

/// Messages that are judged at once.
pub(super) const AT_ONCE: usize = 64;

/// Messages that wait to be judged.
pub(super) const WAITING: usize = 1_024;
