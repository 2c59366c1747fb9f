//! What this node said when nobody was there.

use std::collections::VecDeque;

use super::outbox::Priority;
use super::{Gossip, Link, TopicHash};
use crate::wire::message::gossip::MessageId;

/// Messages that wait for somebody: what is said in four seconds, for which messages are held, at 250 a second. The
/// oldest give way.
pub(super) const MAX_UNHEARD: usize = 1_024;

/// Messages of this node that went to nobody: those of a node that has just started, or has lost all others.
#[derive(Debug, Default)]
pub(super) struct Unheard {
    messages: VecDeque<(TopicHash, MessageId)>,
}

impl Unheard {
    /// A message went to nobody.
    pub(super) fn add(&mut self, topic: TopicHash, id: MessageId) {
        if self.messages.len() >= MAX_UNHEARD {
            self.messages.pop_front();
        }
        self.messages.push_back((topic, id));
    }

    /// What was said on a topic, the oldest first.
    fn of<'a>(&'a self, topic: &'a TopicHash) -> impl Iterator<Item = MessageId> + 'a {
        let said = self.messages.iter().filter(move |(of, _)| of == topic);
        said.map(|(_, id)| *id)
    }
}

impl Gossip {
    /// Somebody subscribed to a topic: what was said there when nobody had, and is still held, goes to each newcomer.
    /// Members of a mesh are told of nothing at heartbeats, and so would never hear of it.
    pub(super) fn tell_unheard(&mut self, link: Link, topic: &TopicHash) {
        let held = |id| self.store.held(&id).cloned();
        let unheard: Vec<_> = self.unheard.of(topic).filter_map(held).collect();
        for parcel in unheard {
            self.pass_on_to(&parcel, Priority::Own, &[link]);
        }
    }

    /// A heartbeat: what is not held any more does not wait.
    pub(super) fn forget_unheard(&mut self) {
        let (messages, store) = (&mut self.unheard.messages, &self.store);
        messages.retain(|(_, id)| store.held(id).is_some());
    }

    /// Messages that wait for somebody.
    #[cfg(test)]
    pub(super) fn unheard(&self) -> usize {
        self.unheard.messages.len()
    }
}
