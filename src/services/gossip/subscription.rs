//! Where the messages of a topic come out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

use super::MessageValidator;
use crate::gossip::Message;

/// How a topic is subscribed to.
#[derive(Clone)]
pub struct SubscribeOptions {
    /// Messages carry no signature and name no publisher; default no.
    pub unsigned: bool,
    /// Messages that wait for the reader; default 1 024. What comes to a full subscription is lost to it,
    /// and counted: no reader holds up the node.
    pub capacity: usize,
    /// Judges each message before it is passed on; default none.
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
    /// The reader was too slow: so many messages were lost to it before the next one.
    Lost(u64),
}

/// The messages of one topic. Ends its part in the topic when it is dropped.
#[derive(Debug)]
pub struct Subscription {
    messages: mpsc::Receiver<Message>,
    lost: Arc<AtomicU64>,
}

/// The driver's end of a subscription.
#[derive(Debug)]
pub(super) struct Subscriber {
    messages: mpsc::Sender<Message>,
    lost: Arc<AtomicU64>,
}

impl Subscription {
    /// The next message; waits for it. `None` when the subscription, or the node, has ended. Safe to
    /// cancel.
    pub async fn next(&mut self) -> Option<Received> {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            return Some(Received::Lost(lost));
        }
        self.messages.recv().await.map(Received::Message)
    }
}

impl Subscriber {
    pub(super) fn pair(capacity: usize) -> (Self, Subscription) {
        let (sender, messages) = mpsc::channel(capacity.max(1));
        let lost = Arc::new(AtomicU64::new(0));
        let subscriber = Self {
            messages: sender,
            lost: lost.clone(),
        };
        (subscriber, Subscription { messages, lost })
    }

    /// Hands a message over; `false` if nobody reads any more.
    pub(super) fn deliver(&self, message: Message) -> bool {
        match self.messages.try_send(message) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.lost.fetch_add(1, Ordering::Relaxed);
                true
            }
            Err(mpsc::error::TrySendError::Closed(_)) => false,
        }
    }

    pub(super) fn is_read(&self) -> bool {
        !self.messages.is_closed()
    }

    /// Waits until nobody reads any more.
    pub(super) fn closed(&self) -> impl Future<Output = ()> + Send + 'static {
        let messages = self.messages.clone();
        async move { messages.closed().await }
    }
}
