//! Where the messages of a topic come out.

use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::sync::{mpsc, oneshot};

use super::MessageValidator;
use crate::gossip::Message;

/// Messages that may wait for a reader: what the fastest publisher says in ten seconds.
const MAX_CAPACITY: usize = 1 << 20;

/// How a topic is subscribed to.
#[derive(Clone)]
pub struct SubscribeOptions {
    /// Messages carry no signature and name no publisher; default no.
    pub unsigned: bool,
    /// Messages that wait for the reader, 1 to 1 048 576, whatever their length; default 1 024. A number beyond these bounds is taken for
    /// the nearest within. What comes to a full subscription is lost to it, and counted: no reader holds
    /// up the node.
    pub capacity: usize,
    /// Judges each message of others before it is passed on; default none. See [`MessageValidator`] for long ones.
    pub validator: Option<Arc<dyn MessageValidator>>,
}

impl Default for SubscribeOptions {
    fn default() -> Self {
        Self {
            unsigned: false,
            capacity: 1_024,
            validator: None,
        }
    }
}

impl std::fmt::Debug for SubscribeOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SubscribeOptions")
            .field("unsigned", &self.unsigned)
            .field("capacity", &self.capacity)
            .field("validator", &self.validator.is_some())
            .finish()
    }
}

/// What a subscription yields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// A message.
    Message(Message),
    /// The reader was too slow: so many messages were lost to it, between the last one that it got and the next.
    Lost(u64),
}

/// The messages of one topic. Ends its part in the topic when it is dropped.
#[derive(Debug)]
pub struct Subscription {
    messages: mpsc::Receiver<Delivered>,
    /// Lost since the last message that found a place.
    lost: Arc<AtomicU64>,
    /// A message before which others were lost, while the reader is told of that.
    next: Option<Message>,
    /// Dropped after the channel: who is told of it finds that nobody reads.
    _reader: oneshot::Sender<Infallible>,
}

/// Ends when a subscription is dropped. It holds no end of the channel: the reader of a subscription that was ended
/// would wait for ever.
#[derive(Debug)]
pub(super) struct Unread(oneshot::Receiver<Infallible>);

/// A message, and how many before it found no place.
#[derive(Debug)]
struct Delivered {
    lost: u64,
    message: Message,
}

/// The driver's end of a subscription.
#[derive(Debug)]
pub(super) struct Subscriber {
    messages: mpsc::Sender<Delivered>,
    lost: Arc<AtomicU64>,
}

impl Subscription {
    /// The next message; waits for it. `None` when the subscription, or the node, has ended. Safe to
    /// cancel.
    pub async fn next(&mut self) -> Option<Received> {
        if let Some(message) = self.next.take() {
            return Some(Received::Message(message));
        }
        poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Received>> {
        let delivered = match self.messages.poll_recv(context) {
            Poll::Ready(None) => {
                let lost = self.lost.swap(0, Ordering::Relaxed);
                return Poll::Ready((lost > 0).then_some(Received::Lost(lost)));
            }
            Poll::Ready(Some(delivered)) => delivered,
            Poll::Pending => match self.lost.swap(0, Ordering::Relaxed) {
                0 => return Poll::Pending,
                lost => match self.messages.try_recv() {
                    // It came before what was lost: that is told later.
                    Ok(delivered) => {
                        self.lost.fetch_add(lost, Ordering::Relaxed);
                        delivered
                    }
                    Err(_) => return Poll::Ready(Some(Received::Lost(lost))),
                },
            },
        };
        let Delivered { lost, message } = delivered;
        if lost == 0 {
            return Poll::Ready(Some(Received::Message(message)));
        }
        self.next = Some(message);
        Poll::Ready(Some(Received::Lost(lost)))
    }
}

impl Subscriber {
    pub(super) fn pair(capacity: usize) -> (Self, Subscription, Unread) {
        let (sender, messages) = mpsc::channel(capacity.clamp(1, MAX_CAPACITY));
        let lost = Arc::new(AtomicU64::new(0));
        let subscriber = Self {
            messages: sender,
            lost: lost.clone(),
        };
        let (reader, unread) = oneshot::channel();
        let subscription = Subscription {
            messages,
            lost,
            next: None,
            _reader: reader,
        };
        (subscriber, subscription, Unread(unread))
    }

    /// Hands a message over; `false` if nobody reads any more.
    pub(super) fn deliver(&self, message: Message) -> bool {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        match self.messages.try_send(Delivered { lost, message }) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.lost.fetch_add(lost + 1, Ordering::Relaxed);
                true
            }
            Err(mpsc::error::TrySendError::Closed(_)) => false,
        }
    }

    pub(super) fn is_read(&self) -> bool {
        !self.messages.is_closed()
    }
}

impl Unread {
    /// Waits until nobody reads any more.
    pub(super) async fn wait(self) {
        // Nothing is ever sent: the other end is dropped.
        _ = self.0.await;
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::gossip::TopicHash;

    fn message(number: u8) -> Message {
        Message {
            id: [number; 32],
            topic: TopicHash::of("vertices"),
            source: None,
            data: Bytes::from(vec![number]),
        }
    }

    #[tokio::test]
    async fn a_reader_is_told_of_what_it_lost_where_it_would_have_come() {
        let (subscriber, mut subscription, _unread) = Subscriber::pair(2);
        (1..=5).for_each(|number| assert!(subscriber.deliver(message(number))));
        let mut heard = vec![subscription.next().await.unwrap()];
        // There is room for one more, and then for none.
        (6..=8).for_each(|number| assert!(subscriber.deliver(message(number))));
        // What was lost last is told, too, when the subscription has ended.
        drop(subscriber);
        for _ in 0..4 {
            heard.push(subscription.next().await.unwrap());
        }
        let expected = [
            Received::Message(message(1)),
            Received::Message(message(2)),
            Received::Lost(3),
            Received::Message(message(6)),
            Received::Lost(2),
        ];
        assert_eq!(heard, expected);
        assert_eq!(subscription.next().await, None);
    }

    /// A number that the channel does not take would end gossip for the whole node.
    #[tokio::test]
    async fn a_subscription_of_any_capacity_is_one_within_bounds() {
        for capacity in [0, 1, MAX_CAPACITY, usize::MAX] {
            let (subscriber, mut subscription, _unread) = Subscriber::pair(capacity);
            assert!(subscriber.deliver(message(1)));
            let first = subscription.next().await;
            assert_eq!(first, Some(Received::Message(message(1))));
        }
    }
}
