//! The program's subscriptions.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::task::{self, JoinError};

use super::super::subscription::Subscriber;
use super::super::{GossipError, MessageValidator, SubscribeOptions, Subscription};
use super::{Driver, Work};
use crate::gossip::{Input, Message, TopicHash, TopicOptions, Verdict};
use crate::wire::message::gossip::{MAX_TOPICS, MessageId};

/// What the program wants of each topic.
#[derive(Default)]
pub(super) struct Topics {
    subscribed: BTreeMap<TopicHash, Subscribed>,
    /// Messages that are being judged, by task. Only looked up, never iterated.
    judging: HashMap<task::Id, MessageId>,
}

impl Topics {
    /// Who judges the messages of a topic.
    pub(super) fn validator(&self, topic: &TopicHash) -> Option<Arc<dyn MessageValidator>> {
        self.subscribed.get(topic)?.validator.clone()
    }

    /// A task judges a message.
    pub(super) fn judge(&mut self, task: task::Id, id: MessageId) {
        self.judging.insert(task, id);
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

    /// Has a message judged. The machine says when: as many are judged at once as it lets.
    pub(super) fn judge(&mut self, message: Message) {
        let validator = self.topics.validator(&message.topic);
        let id = message.id;
        let task = self.work.spawn(async move {
            let verdict = match validator {
                Some(validator) => validator.validate(&message).await,
                // Nobody wants the topic any more.
                None => Verdict::Ignore,
            };
            Work::Made(Input::Judged { id, verdict })
        });
        self.topics.judge(task.id(), id);
    }

    /// A task ended. A validator that panicked has no opinion.
    pub(super) fn worked(&mut self, worked: Result<(task::Id, Work), JoinError>) {
        let task = match &worked {
            Ok((task, _)) => *task,
            Err(error) => error.id(),
        };
        let judged = self.topics.judging.remove(&task);
        match (worked, judged) {
            (Ok((_, Work::Made(input))), _) => self.feed(input),
            (Ok((_, Work::Settled(peer))), _) => self.begin(peer),
            (Ok((_, Work::Unread)), _) => self.end_unread(),
            (Err(_), Some(id)) => {
                let verdict = Verdict::Ignore;
                self.feed(Input::Judged { id, verdict });
            }
            (Ok((_, Work::Over)) | Err(_), _) => {}
        }
    }
}
