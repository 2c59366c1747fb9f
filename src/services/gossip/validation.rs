//! Judging messages before they are passed on.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::timeout;

use crate::gossip::{Header, Message, Verdict};

/// Time for a verdict: a program that asks the network for what a message builds on has an answer, or a timeout, by
/// then.
const JUDGED_WITHIN: Duration = Duration::from_secs(10);

/// Judges the messages of a topic. Nothing is delivered, and no message of at most 16 KiB passed on, before it is
/// accepted; of a longer one nothing is passed on before its header is ([`admit`](Self::admit)).
///
/// A call runs in a task of its own; as many run at once as 64, 16 of them for messages that one neighbour
/// brought. Neighbours take turns: what waits for one of them, 256 messages at most and 2 048 of all,
/// delays nothing that another one brought. What finds no place is ignored and may come again. Long messages
/// all of which are here stand in line once more, with the neighbour that gave the last chunk. What
/// computes for more than about 100 µs belongs on another thread (`tokio::task::spawn_blocking`). One that
/// panics, or has no verdict after ten seconds, has ignored the message: its place is free for others, and what still runs
/// on another thread is the program's to bound.
///
/// [`Verdict::Reject`] is for what every honest node would reject: who passes it on loses trust. What may be valid for
/// others, or later, is ignored.
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

/// A verdict, or none in time.
pub(super) async fn in_time(verdict: impl Future<Output = Verdict>) -> Verdict {
    let verdict = timeout(JUDGED_WITHIN, verdict).await;
    verdict.unwrap_or(Verdict::Ignore)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_validator_that_never_answers_has_ignored_the_message_after_ten_seconds() {
        let begin = tokio::time::Instant::now();
        assert_eq!(in_time(std::future::pending()).await, Verdict::Ignore);
        assert_eq!(begin.elapsed(), JUDGED_WITHIN);
        for (after, expected) in [(9_999, Verdict::Reject), (10_001, Verdict::Ignore)] {
            let verdict = async {
                tokio::time::sleep(Duration::from_millis(after)).await;
                Verdict::Reject
            };
            assert_eq!(in_time(verdict).await, expected, "after {after} ms");
        }
    }
}
