//! Judging messages before they are passed on.

use std::future::Future;
use std::pin::Pin;

use crate::gossip::{Header, Message, Verdict};

/// Judges the messages of a topic. Nothing is passed on, or delivered, before it is accepted.
///
/// A call runs in a task of its own; as many run at once as 64, 16 of them for messages that one neighbour
/// brought. Neighbours take turns: what waits for one of them, 256 messages at most and 2 048 of all,
/// delays nothing that another one brought. What finds no place is ignored and may come again. Long messages
/// all of which are here stand in line once more, with the neighbour that gave the last chunk. What
/// computes for more than about 100 µs belongs on another thread (`tokio::task::spawn_blocking`). One that
/// panics has ignored the message.
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
