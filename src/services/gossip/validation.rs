//! Judging messages before they are passed on.

use std::future::Future;
use std::pin::Pin;

use crate::gossip::{Header, Message, Verdict};

/// Judges the messages of a topic. Nothing is passed on, or delivered, before it is accepted.
///
/// A call runs in a task of its own; as many run at once as 64, and what does not find a place
/// within 1 024 others is ignored: it may come again. What computes for more than about 100 µs belongs on
/// another thread (`tokio::task::spawn_blocking`).
pub trait MessageValidator: Send + Sync + 'static {
    /// Judges one message.
    ///
    /// Of a message above 16 KiB the chunks are passed on before all of it is here: it is judged at
    /// its end, and a [`Verdict::Reject`] counts against its publisher, whose long messages are not
    /// carried for ten minutes.
    fn validate(&self, message: &Message) -> Pin<Box<dyn Future<Output = Verdict> + Send>>;

    /// Judges the header of a message above 16 KiB, before any of it is fetched or passed on. Accepts
    /// all if it is not written anew.
    fn admit(&self, header: &Header) -> Pin<Box<dyn Future<Output = Verdict> + Send>> {
        let _ = header;
        Box::pin(std::future::ready(Verdict::Accept))
    }
}

/// Messages that are judged at once.
pub(super) const AT_ONCE: usize = 64;

/// Messages that wait to be judged.
pub(super) const WAITING: usize = 1_024;
