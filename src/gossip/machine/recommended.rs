//! Whom neighbours recommend when they send this node away.

use std::collections::{BTreeMap, BTreeSet};

use super::{Gossip, Link, Output, TopicHash};
use crate::gossip::GossipConfig;
use crate::policy::Micros;
use crate::wire::message::discovery::Contact;

/// Contacts of one neighbour that are dialled in the time of a back-off, whatever topics it names: those of two
/// lists. A mesh needs eight.
pub(super) const MAX_OF_TELLER: usize = 32;

/// Neighbours that are counted: more do not end a membership in the time of a back-off. Of others nothing is
/// heard.
pub(super) const MAX_TELLERS: usize = 1_024;

/// What neighbours recommended lately. It outlives their connections.
#[derive(Debug, Default)]
pub(super) struct Recommended(BTreeMap<Link, Told>);

#[derive(Debug)]
struct Told {
    /// On which topics contacts were heard.
    on: BTreeSet<TopicHash>,
    contacts: usize,
    until: Micros,
}

impl Recommended {
    /// How many contacts are heard of a neighbour that names so many on a topic: one list of each topic in the time
    /// of a back-off.
    fn hear(
        &mut self,
        now: Micros,
        (link, topic): (Link, TopicHash),
        count: usize,
        config: &GossipConfig,
    ) -> usize {
        self.0.retain(|_, told| now < told.until);
        if self.0.len() >= MAX_TELLERS && !self.0.contains_key(&link) {
            return 0;
        }
        let until = now + config.prune_backoff;
        let told = self.0.entry(link).or_insert_with(|| Told {
            on: BTreeSet::new(),
            contacts: 0,
            until,
        });
        let heard = count.min(MAX_OF_TELLER - told.contacts);
        if heard == 0 || !told.on.insert(topic) {
            return 0;
        }
        told.contacts += heard;
        heard
    }
}

impl Gossip {
    /// A neighbour with a good name ended a membership, and says who else is in the topic. The addresses may be a
    /// victim's: it is heard as far as a mesh needs it, however often it takes this node in and sends it away.
    pub(super) fn recommended_by(
        &mut self,
        link: Link,
        topic: TopicHash,
        contacts: impl ExactSizeIterator<Item = Contact>,
    ) {
        let (now, count) = (self.now.mono, contacts.len());
        let heard = self
            .recommended
            .hear(now, (link, topic), count, &self.config);
        let dials = contacts.take(heard);
        self.outputs
            .extend(dials.map(|contact| Output::Dial { link, contact }));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const START: Micros = Micros(1_000_000);

    fn topic(number: usize) -> TopicHash {
        TopicHash::of(&number.to_string())
    }

    #[test]
    fn one_list_of_a_topic_and_two_of_a_neighbour_are_heard_in_a_minute() {
        let (mut recommended, config) = (Recommended::default(), GossipConfig::default());
        let mut hear =
            |now, link, number| recommended.hear(now, (Link(link), topic(number)), 16, &config);
        assert_eq!(hear(START, 1, 1), 16);
        assert_eq!(hear(START, 1, 1), 0);
        assert_eq!(hear(START, 1, 2), 16);
        assert_eq!(hear(START, 1, 3), 0);
        assert_eq!(hear(START, 2, 3), 16, "another one");
        let end = START + config.prune_backoff;
        assert_eq!(hear(end - Duration::from_micros(1), 1, 4), 0);
        assert_eq!(hear(end, 1, 1), 16);
    }

    #[test]
    fn as_many_neighbours_are_heard_as_are_counted() {
        let (mut recommended, config) = (Recommended::default(), GossipConfig::default());
        for link in 0..=MAX_TELLERS {
            let heard = recommended.hear(START, (Link(link as u64), topic(1)), 1, &config);
            assert_eq!(heard, usize::from(link < MAX_TELLERS), "{link}");
        }
    }
}
