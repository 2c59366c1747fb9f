//! What messages teach of the links that bring them, and the choice of links.

use std::collections::BTreeSet;

use super::parcel::{Class, Parcel};
use super::sources::{Learned, Subscriber, cold};
use super::store::{Sighting, State};
use super::{Gossip, Link, TopicHash};
use crate::policy::Micros;
use crate::wire::message::gossip::{MessageId, Mode};

/// Which neighbours were asked to send messages of one kind at once.
pub(super) struct Awaited<'a> {
    mesh: Option<&'a BTreeSet<Link>>,
    learned: Option<&'a Learned>,
    /// Whether links are chosen by source; else the mesh alone decides.
    is_by_source: bool,
    /// Whether links were chosen once, and that is forgotten.
    is_forgotten: bool,
}

impl Awaited<'_> {
    pub(super) fn of(&self, link: Link) -> bool {
        let in_mesh = self.mesh.is_some_and(|mesh| mesh.contains(&link));
        if !self.is_by_source {
            return in_mesh;
        }
        let asked = self.learned.and_then(|learned| learned.mode(link));
        asked.unwrap_or_else(|| cold(in_mesh)) == Mode::Eager
    }

    /// The same, if it has had the time to hear of it.
    pub(super) fn is_owed_by(&self, link: Link, now: Micros) -> bool {
        let in_mesh = self.mesh.is_some_and(|mesh| mesh.contains(&link));
        match self.learned.filter(|_| self.is_by_source) {
            Some(learned) => learned.owes(link, in_mesh, now),
            None => in_mesh && !self.is_forgotten,
        }
    }
}

impl Gossip {
    /// Which neighbours were asked to send messages like this one.
    pub(super) fn awaited(&self, topic: &TopicHash, class: Option<&Class>) -> Awaited<'_> {
        let known = self.sources.as_ref().zip(class);
        Awaited {
            mesh: self.topics.get(topic).map(|topic| &topic.mesh),
            learned: known.and_then(|(sources, class)| sources.learned(class)),
            is_by_source: known.is_some(),
            is_forgotten: known.is_some_and(|(sources, class)| sources.is_forgotten(class)),
        }
    }

    /// A neighbour has a message: it sent or announced it. `false` if that was known.
    pub(super) fn sighted(
        &mut self,
        link: Link,
        topic: &TopicHash,
        id: &MessageId,
        is_sent: bool,
    ) -> bool {
        let now = self.now.mono;
        let is_bad = self.is_bad(link);
        let Some(entry) = self.store.hear(*id, link) else {
            return false;
        };
        if entry.is_with(link) {
            return false;
        }
        let sighting = Sighting {
            link,
            at: now,
            is_sent,
        };
        entry.sightings.add(sighting);
        if is_bad {
            // It does not set the clock for others.
            return true;
        }
        if let Some(topic) = self.topics.get_mut(topic) {
            topic.contributions.saw(link, now);
        }
        let late = now.since(*entry.first.get_or_insert(now));
        let parcel = match &entry.state {
            State::Waiting(parcel, _) | State::Held(parcel) => Some(parcel),
            State::Missing | State::Unproven(_) | State::Dropped | State::Rejected(_) => None,
        };
        if let (Some(class), Some(sources)) =
            (parcel.and_then(|parcel| parcel.class()), &mut self.sources)
        {
            sources.sighted(&class, [(link, late, is_sent)]);
        }
        true
    }

    /// The class of a message is known now: what was seen of it counts.
    pub(super) fn learn(&mut self, parcel: &Parcel, links: &[Link]) {
        let now = self.now.mono;
        let (Some(class), Some(sources)) = (parcel.class(), &mut self.sources) else {
            return;
        };
        sources.heard(now, class, links, &mut self.rng);
        if let Some(entry) = self.store.get(&parcel.id) {
            let first = entry.first.unwrap_or(now);
            let seen = entry.sightings.iter();
            let seen = seen.map(|one| (one.link, one.at.since(first), one.is_sent));
            sources.sighted(&class, seen);
        }
    }

    /// Chooses the links of all classes that are due, and tells those concerned.
    pub(super) fn choose_links(&mut self) {
        let now = self.now.mono;
        while let Some(class) = self.sources.as_mut().and_then(|one| one.pop_due(now)) {
            let links: Vec<_> = {
                let mesh = self.topics.get(&class.0).map(|topic| &topic.mesh);
                let in_mesh = |link: &Link| mesh.is_some_and(|mesh| mesh.contains(link));
                let subscribers = self.subscribers(&class.0).iter().copied();
                // With some there is nothing to choose.
                let subscribers = subscribers.filter(|link| !self.is_explicit(*link));
                let subscriber = |link| Subscriber {
                    link,
                    in_mesh: in_mesh(&link),
                    is_outbound: self.is_outbound(link),
                };
                subscribers.map(subscriber).collect()
            };
            let size = self.topics.get(&class.0).map_or(0.0, |topic| topic.size);
            let is_large = self.is_large_on_average(size);
            let Some(sources) = &mut self.sources else {
                return;
            };
            for (link, mode) in sources.choose(now, &class, &links, is_large) {
                if let Some(neighbour) = self.touch(link) {
                    neighbour.outbox.mode(class.0, class.1, mode);
                }
            }
        }
    }

    pub(super) fn is_bad(&self, link: Link) -> bool {
        let sources = self.sources.as_ref();
        sources.is_some_and(|sources| sources.is_bad(self.now.mono, link))
    }
}
