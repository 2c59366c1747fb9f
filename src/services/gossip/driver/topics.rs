//! The program's subscriptions.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::task::{self, JoinError};

use super::super::subscription::Subscriber;
use super::super::validation::in_time;
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
    is_unsigned: bool,
    validator: Option<Arc<dyn MessageValidator>>,
}

impl Subscribed {
    /// Whether a further subscription wants the same of the topic.
    fn is_like(&self, options: &SubscribeOptions) -> bool {
        let is_judged_alike = match (&self.validator, &options.validator) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        };
        is_judged_alike && self.is_unsigned == options.unsigned
    }
}

impl Driver {
    pub(super) fn subscribe(
        &mut self,
        topic: TopicHash,
        options: SubscribeOptions,
        done: oneshot::Sender<Result<Subscription, GossipError>>,
    ) {
        // Whose reader is gone is over, noticed or not: what it wanted is not what counts now.
        self.end_unread();
        let live = self.topics.subscribed.get(&topic);
        let refused = match live {
            Some(live) if !live.is_like(&options) => Some(GossipError::OtherOptions(topic)),
            None if self.topics.subscribed.len() >= MAX_TOPICS => Some(GossipError::TooManyTopics),
            Some(_) | None => None,
        };
        if let Some(refused) = refused {
            // Who asked may be gone.
            _ = done.send(Err(refused));
            return;
        }
        let is_new = live.is_none();
        let (subscriber, subscription, unread) = Subscriber::pair(options.capacity);
        self.work.spawn(async move {
            unread.wait().await;
            Work::Unread
        });
        let is_unsigned = options.unsigned;
        let is_judged = options.validator.is_some();
        let subscribed = self.topics.subscribed.entry(topic);
        let subscribed = subscribed.or_insert_with(|| Subscribed {
            readers: Vec::new(),
            is_unsigned,
            validator: options.validator,
        });
        subscribed.readers.push(subscriber);
        if is_new {
            let options = TopicOptions {
                is_unsigned,
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
                Some(validator) => in_time(validator.validate(&message)).await,
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
            (Ok((_, Work::Settled(peer))), _) => self.settle(peer),
            (Ok((_, Work::Unread)), _) => self.end_unread(),
            (Err(_), Some(id)) => {
                let verdict = Verdict::Ignore;
                self.feed(Input::Judged { id, verdict });
            }
            (Ok((_, Work::Over)) | Err(_), _) => {}
        }
    }
}
