//! What this node said when nobody was there.

use std::collections::VecDeque;

use super::outbox::Priority;
use super::{Gossip, Link, TopicHash};
use crate::wire::message::gossip::MessageId;

/// Messages that wait for somebody: what is said in four seconds, for which messages are held, at 250 a second. The
/// oldest give way.
pub(super) const MAX_UNHEARD: usize = 1_024;

#[derive(Debug)]
struct Waiting {
    topic: TopicHash,
    id: MessageId,
    /// Who came since and was told, once however often it comes.
    told: Vec<Link>,
}

/// Messages of this node that went to nobody: those of a node that has just started, or has lost all others.
#[derive(Debug, Default)]
pub(super) struct Unheard {
    messages: VecDeque<Waiting>,
}

impl Unheard {
    /// A message went to nobody.
    pub(super) fn add(&mut self, topic: TopicHash, id: MessageId) {
        if self.messages.len() >= MAX_UNHEARD {
            self.messages.pop_front();
        }
        let told = Vec::new();
        self.messages.push_back(Waiting { topic, id, told });
    }

    /// What was said on a topic, the oldest first, and a newcomer was not told.
    fn tell(&mut self, link: Link, topic: &TopicHash) -> Vec<MessageId> {
        let said = self.messages.iter_mut();
        let unknown = said.filter(|one| one.topic == *topic && !one.told.contains(&link));
        let told = unknown.map(|one| {
            one.told.push(link);
            one.id
        });
        told.collect()
    }
}

impl Gossip {
    /// Somebody subscribed to a topic: what was said there when nobody had, and is still held, goes to each newcomer.
    /// Members of a mesh are told of nothing at heartbeats, and so would never hear of it.
    pub(super) fn tell_unheard(&mut self, link: Link, topic: &TopicHash) {
        for id in self.unheard.tell(link, topic) {
            if let Some(parcel) = self.store.held(&id).cloned() {
                self.pass_on_to(&parcel, Priority::Own, &[link]);
            }
        }
    }

    /// A heartbeat: what is not held any more does not wait.
    pub(super) fn forget_unheard(&mut self) {
        let (messages, store) = (&mut self.unheard.messages, &self.store);
        messages.retain(|one| store.held(&one.id).is_some());
    }

    /// Messages that wait for somebody.
    #[cfg(test)]
    pub(super) fn unheard(&self) -> usize {
        self.unheard.messages.len()
    }
}
