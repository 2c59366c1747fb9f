//! Which neighbours want the messages of which topic.

use foldhash::HashMap;

use super::{Link, TopicHash};

/// What the neighbours subscribed to, by topic; those apart that read too slowly.
#[derive(Debug, Default)]
pub(super) struct Audience(HashMap<TopicHash, Vec<Link>>);

impl Audience {
    /// In the order of links.
    pub(super) fn of(&self, topic: &TopicHash) -> &[Link] {
        self.0.get(topic).map_or(&[], Vec::as_slice)
    }

    pub(super) fn join(&mut self, topic: TopicHash, link: Link) {
        let links = self.0.entry(topic).or_default();
        if let Err(at) = links.binary_search(&link) {
            links.insert(at, link);
        }
    }

    pub(super) fn leave(&mut self, topic: &TopicHash, link: Link) {
        let Some(links) = self.0.get_mut(topic) else {
            return;
        };
        if let Ok(at) = links.binary_search(&link) {
            links.remove(at);
        }
        if links.is_empty() {
            self.0.remove(topic);
        }
    }
}
