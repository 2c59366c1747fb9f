//! The program's subscriptions.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tokio::sync::oneshot;

use super::super::subscription::Subscriber;
use super::super::validation::{AT_ONCE, WAITING};
use super::super::{GossipError, MessageValidator, SubscribeOptions, Subscription};
use super::{Driver, Work};
use crate::gossip::{Input, Message, TopicHash, TopicOptions, Verdict};
use crate::wire::message::gossip::{MAX_TOPICS, MessageId};

/// What the program wants of each topic.
#[derive(Default)]
pub(super) struct Topics {
    subscribed: BTreeMap<TopicHash, Subscribed>,
    /// Messages that wait for a place among those that are judged.
    unjudged: VecDeque<Message>,
    judging: usize,
}

impl Topics {
    /// Who judges the messages of a topic.
    pub(super) fn validator(&self, topic: &TopicHash) -> Option<Arc<dyn MessageValidator>> {
        self.subscribed.get(topic)?.validator.clone()
    }
}

struct Subscribed {
    readers: Vec<Subscriber>,
    validator: Option<Arc<dyn MessageValidator>>,
}

impl Driver {
    pub(super) fn subscribe(
        &mut self,
        topic: TopicHash,
        options: SubscribeOptions,
        done: oneshot::Sender<Result<Subscription, GossipError>>,
    ) {
        let is_full = self.topics.subscribed.len() >= MAX_TOPICS;
        if is_full && !self.topics.subscribed.contains_key(&topic) {
            // Who asked may be gone.
            _ = done.send(Err(GossipError::TooManyTopics));
            return;
        }
        let (subscriber, subscription) = Subscriber::pair(options.capacity);
        let closed = subscriber.closed();
        let subscribed = self.topics.subscribed.entry(topic);
        let mut is_new = false;
        let subscribed = subscribed.or_insert_with(|| {
            is_new = true;
            Subscribed {
                readers: Vec::new(),
                validator: options.validator.clone(),
            }
        });
        subscribed.readers.push(subscriber);
        let is_judged = subscribed.validator.is_some();
        self.work.spawn(async move {
            closed.await;
            Work::Unread
        });
        if is_new {
            let options = TopicOptions {
                is_unsigned: options.unsigned,
                is_judged,
            };
            self.feed(Input::Subscribe { topic, options });
        }
        // Who asked may be gone: then nobody reads, and the subscription ends.
        _ = done.send(Ok(subscription));
    }

    pub(super) fn unsubscribe(&mut self, topic: TopicHash) {
        if self.topics.subscribed.remove(&topic).is_some() {
            self.feed(Input::Unsubscribe(topic));
        }
    }

    /// Ends the subscriptions that nobody reads.
    pub(super) fn end_unread(&mut self) {
        for subscribed in self.topics.subscribed.values_mut() {
            subscribed.readers.retain(Subscriber::is_read);
        }
        let unread = self.topics.subscribed.iter();
        let unread = unread.filter(|(_, subscribed)| subscribed.readers.is_empty());
        let unread: Vec<_> = unread.map(|(topic, _)| *topic).collect();
        for topic in unread {
            self.unsubscribe(topic);
        }
    }

    pub(super) fn deliver(&mut self, message: &Message) {
        if let Some(subscribed) = self.topics.subscribed.get(&message.topic) {
            for reader in &subscribed.readers {
                // One that is not read ends when its reader's end is noticed.
                _ = reader.deliver(message.clone());
            }
        }
    }

    /// Has a message judged, or puts it in line. What finds no place there is ignored, and may come again.
    pub(super) fn judge(&mut self, message: Message) {
        if self.topics.unjudged.len() >= WAITING {
            let (id, verdict) = (message.id, Verdict::Ignore);
            return self
                .parts
                .machine
                .handle(self.parts.clock.now(), Input::Judged { id, verdict });
        }
        self.topics.unjudged.push_back(message);
        self.begin_judging();
    }

    /// A judgement ended.
    pub(super) fn judged(&mut self, id: MessageId, verdict: Verdict) {
        self.topics.judging = self.topics.judging.saturating_sub(1);
        self.feed(Input::Judged { id, verdict });
        self.begin_judging();
    }

    fn begin_judging(&mut self) {
        while self.topics.judging < AT_ONCE
            && let Some(message) = self.topics.unjudged.pop_front()
        {
            let subscribed = self.topics.subscribed.get(&message.topic);
            let validator = subscribed.and_then(|one| one.validator.clone());
            let id = message.id;
            self.topics.judging += 1;
            self.work.spawn(async move {
                let verdict = match validator {
                    Some(validator) => validator.validate(&message).await,
                    // Nobody wants the topic any more.
                    None => Verdict::Ignore,
                };
                Work::Judged(id, verdict)
            });
        }
    }
}
