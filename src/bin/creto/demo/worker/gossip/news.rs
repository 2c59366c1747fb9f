//! Messages one after the other, and how long each is on its way.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use cretoai_network::gossip::Message;
use cretoai_network::identity::PeerId;
use cretoai_network::node::P2PNode;
use cretoai_network::services::gossip::{GossipError, Received, SubscribeOptions, Subscription};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};

use super::{Reply, Trouble, message, number_at, to_micros};

/// Topic of the messages.
pub(super) const TOPIC: &str = "news";

/// Time between two messages of a node: five nodes say a thousand a second.
const PACE: Duration = Duration::from_millis(5);

pub(in super::super) struct News {
    node: P2PNode,
    heard: Arc<Heard>,
}

/// What came, each message once.
#[derive(Debug, Default)]
struct Heard {
    messages: Mutex<Messages>,
    grown: Notify,
}

/// As many as the demonstration has the nodes spread.
#[derive(Debug, Default)]
struct Messages {
    numbers: BTreeSet<(PeerId, u64)>,
    micros: Vec<u64>,
}

impl News {
    pub(super) async fn listen(node: &P2PNode) -> Result<Self, GossipError> {
        let options = SubscribeOptions::default();
        let subscription = node.gossip().subscribe(TOPIC, options).await?;
        let heard = Arc::new(Heard::default());
        tokio::spawn(Arc::clone(&heard).hear(subscription));
        let node = node.clone();
        Ok(Self { node, heard })
    }

    /// Publishes messages, each with its number and the time.
    pub(in super::super) async fn spread(&self, count: u32) -> Result<Reply, Trouble> {
        let mut pace = interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut publishing = JoinSet::new();
        for number in 0..count {
            pace.tick().await;
            let node = self.node.clone();
            publishing.spawn(async move {
                let message = message(&[number.into(), now_micros()]);
                node.gossip().publish(TOPIC, message.into()).await
            });
        }
        let mut published = 0;
        while let Some(outcome) = publishing.join_next().await {
            outcome??;
            published += 1;
        }
        Ok(Reply::Spread { published })
    }

    /// What has come, once it is so much or after so long.
    pub(in super::super) async fn hear(&self, messages: usize, patience: Duration) -> Reply {
        let complete = self.heard.wait_for(messages);
        // What is missing then is told by the number.
        _ = timeout_at(Instant::now() + patience, complete).await;
        let micros = self.heard.messages().micros.clone();
        Reply::Hear { micros }
    }
}

impl Heard {
    async fn hear(self: Arc<Self>, mut subscription: Subscription) {
        while let Some(received) = subscription.next().await {
            // What is lost is not counted, and so told by the number.
            if let Received::Message(message) = received {
                self.add(&message);
            }
        }
    }

    fn add(&self, message: &Message) {
        let now = now_micros();
        let publisher = message.source.map(|source| source.publisher);
        let (number, sent) = (number_at(&message.data, 0), number_at(&message.data, 1));
        if let (Some(publisher), Some(number), Some(sent)) = (publisher, number, sent) {
            let mut messages = self.messages();
            if messages.numbers.insert((publisher, number)) {
                messages.micros.push(now.saturating_sub(sent));
            }
        }
        self.grown.notify_waiters();
    }

    async fn wait_for(&self, messages: usize) {
        loop {
            let grown = self.grown.notified();
            if self.messages().micros.len() >= messages {
                return;
            }
            grown.await;
        }
    }

    fn messages(&self) -> MutexGuard<'_, Messages> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Microseconds since 1970: the processes have no other clock in common.
fn now_micros() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, to_micros)
}
