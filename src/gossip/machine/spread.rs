//! Passing messages on, and choosing the links that bring them.

use std::sync::Arc;

use rand_core::Rng;

use super::outbox::Priority;
use super::parcel::{Class, Parcel};
use super::sources::cold;
use super::store::State;
use super::{Gossip, Link, TopicHash};
use crate::gossip::config::{BySourceConfig, Spreading};
use crate::wire::message::gossip::{self as wire, MessageId, Mode};

/// A silent link announces one message in this many all the same: so that it is seen when it becomes
/// the better one.
const SILENT_ANNOUNCES: u64 = 32;

/// What a neighbour gets of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Share {
    All,
    Announcement,
    Nothing,
}

impl Gossip {
    /// Passes an accepted message on; to how many neighbours it went, or was announced.
    pub(super) fn pass_on(&mut self, parcel: &Arc<Parcel>, priority: Priority) -> usize {
        let links = self.tellable(parcel);
        self.pass_on_to(parcel, priority, &links)
    }

    /// The same, to some.
    pub(super) fn pass_on_to(
        &mut self,
        parcel: &Arc<Parcel>,
        priority: Priority,
        links: &[Link],
    ) -> usize {
        let shares = self.shares(parcel, priority, links);
        let mut reached = 0;
        for (link, share) in &shares {
            let is_told = match share {
                Share::All => self.send(*link, parcel, priority),
                Share::Announcement => self.announce(*link, parcel),
                Share::Nothing => false,
            };
            reached += usize::from(is_told);
            if is_told {
                self.excuse(*link, parcel);
            }
        }
        if parcel.content.bytes() >= self.config.idontwant_threshold
            && priority == Priority::Forwarded
        {
            let told = |link: Link| {
                let share = shares.iter().find(|(one, _)| *one == link);
                share.is_some_and(|(_, share)| *share != Share::Nothing)
            };
            self.refuse_from_others(parcel, links, told);
        }
        reached
    }

    fn send(&mut self, link: Link, parcel: &Arc<Parcel>, priority: Priority) -> bool {
        let (now, config) = (self.now.mono, self.config.queue);
        let Some(neighbour) = self.touch(link) else {
            return false;
        };
        if neighbour.outbox.put(parcel.clone(), now, priority, &config) {
            return true;
        }
        // What this node says too fast is not the neighbour's fault.
        if priority == Priority::Forwarded {
            self.score.slow(link, 1);
        }
        self.announce(link, parcel)
    }

    fn announce(&mut self, link: Link, parcel: &Parcel) -> bool {
        let config = self.config.queue;
        let Some(neighbour) = self.touch(link) else {
            return false;
        };
        let (topic, id) = (parcel.topic, parcel.id);
        if !neighbour.outbox.announce(topic, id, &config) {
            neighbour.outbox.miss(parcel);
        }
        true
    }

    /// A neighbour wants to hear of everything for a while. What it should have heard of before it
    /// noticed is announced at once: those who were to send it may have fallen silent.
    pub(super) fn woken_by(&mut self, link: Link) {
        let now = self.now.mono;
        let Some(neighbour) = self.neighbours.get_mut(&link) else {
            return;
        };
        let was_awake = now < neighbour.awake_until;
        neighbour.awake_until = now + wire::AWAKE;
        if was_awake || !self.is_trusted(link, self.score.thresholds().gossip) {
            return;
        }
        let recent = self.store.recent(self.config.history_gossip);
        let unheard = recent.filter(|parcel| {
            let entry = self.store.get(&parcel.id);
            let is_with = entry.is_some_and(|entry| entry.is_with(link) || entry.is_withheld(link));
            let class = parcel.class();
            let asked = class.and_then(|class| self.neighbours.get(&link)?.asked(&class, now));
            !is_with && asked == Some(Mode::Lazy)
        });
        let unheard: Vec<_> = unheard.cloned().collect();
        for parcel in unheard {
            self.announce(link, &parcel);
        }
    }

    /// What each neighbour in the topic gets: nothing if it has the message or does not want it.
    fn shares(
        &mut self,
        parcel: &Parcel,
        priority: Priority,
        links: &[Link],
    ) -> Vec<(Link, Share)> {
        let class = parcel.class();
        let is_large = self.is_large(parcel.content.bytes());
        let floods = priority == Priority::Own && self.config.flood_publish && !is_large;
        let thresholds = self.score.thresholds();
        let least = match priority {
            Priority::Asked | Priority::Own => thresholds.publish,
            Priority::Forwarded => thresholds.graylist,
        };
        let mut shares = Vec::new();
        for link in links.iter().copied() {
            let has = self
                .store
                .get(&parcel.id)
                .is_some_and(|one| one.is_with(link));
            let refuses = self
                .neighbours
                .get(&link)
                .is_some_and(|one| one.refuses(&parcel.id));
            if has || refuses || !self.is_trusted(link, least) {
                continue;
            }
            let share = if floods || self.is_explicit(link) {
                Share::All
            } else {
                self.share(link, &parcel.topic, class.as_ref())
            };
            shares.push((link, share));
        }
        shares
    }

    fn share(&mut self, link: Link, topic: &TopicHash, class: Option<&Class>) -> Share {
        let topic = self.topics.get(topic);
        let in_mesh = topic.is_some_and(|topic| {
            topic.mesh.contains(&link) || (!topic.is_subscribed() && topic.fanout.contains(&link))
        });
        let by_source = class.filter(|_| self.sources.is_some());
        let Some(class) = by_source else {
            return if in_mesh { Share::All } else { Share::Nothing };
        };
        let neighbour = self.neighbours.get(&link);
        let asked = neighbour.and_then(|one| one.asked(class, self.now.mono));
        match asked.unwrap_or_else(|| cold(in_mesh)) {
            Mode::Eager => Share::All,
            Mode::Lazy => Share::Announcement,
            Mode::Silent if self.rng.next_u64().is_multiple_of(SILENT_ANNOUNCES) => {
                Share::Announcement
            }
            Mode::Silent => Share::Nothing,
        }
    }

    /// Tells those that would send the message, too, that it is here.
    fn refuse_from_others(
        &mut self,
        parcel: &Parcel,
        links: &[Link],
        was_told: impl Fn(Link) -> bool,
    ) {
        let class = parcel.class();
        for link in links.iter().copied() {
            let has = self
                .store
                .get(&parcel.id)
                .is_some_and(|one| one.is_with(link));
            let is_awaited =
                self.is_explicit(link) || self.is_awaited(link, &parcel.topic, class.as_ref());
            if has || was_told(link) || !is_awaited {
                continue;
            }
            if let Some(neighbour) = self.touch(link) {
                neighbour.outbox.refuse(parcel.id);
                self.excuse(link, parcel);
            }
        }
    }

    /// Who is told of a message does not owe it any more.
    fn excuse(&mut self, link: Link, parcel: &Parcel) {
        let entry = self.store.get_mut(&parcel.id);
        if let Some(owed) = entry.and_then(|entry| entry.owed.as_mut()) {
            owed.told(link);
        }
    }

    /// Whether a neighbour was asked to send messages like this one.
    pub(super) fn is_awaited(&self, link: Link, topic: &TopicHash, class: Option<&Class>) -> bool {
        let in_mesh = self
            .topics
            .get(topic)
            .is_some_and(|topic| topic.mesh.contains(&link));
        let (Some(sources), Some(class)) = (&self.sources, class) else {
            return in_mesh;
        };
        sources.asked(class, link).unwrap_or_else(|| cold(in_mesh)) == Mode::Eager
    }

    /// A neighbour has a message: it sent or announced it. `false` if that was known.
    pub(super) fn sighted(&mut self, link: Link, id: &MessageId) -> bool {
        let now = self.now.mono;
        let is_bad = self.is_bad(link);
        let Some(entry) = self.store.hear(*id) else {
            return false;
        };
        if entry.is_with(link) {
            return false;
        }
        entry.sightings.push((link, now));
        if is_bad {
            // It does not set the clock for others.
            return true;
        }
        let late = now.since(*entry.first.get_or_insert(now));
        let parcel = match &entry.state {
            State::Waiting(parcel, _) | State::Held(parcel) => Some(parcel),
            State::Missing | State::Unproven(_) | State::Dropped => None,
        };
        if let (Some(class), Some(sources)) =
            (parcel.and_then(|parcel| parcel.class()), &mut self.sources)
        {
            sources.sighted(&class, link, late);
        }
        true
    }

    /// The class of a message is known now: what was seen of it counts.
    pub(super) fn learn(&mut self, parcel: &Parcel) {
        let now = self.now.mono;
        let links = self.subscribers(&parcel.topic);
        let (Some(class), Some(sources)) = (parcel.class(), &mut self.sources) else {
            return;
        };
        sources.heard(now, class, &links, &mut self.rng);
        if let Some(entry) = self.store.get(&parcel.id) {
            let first = entry.first.unwrap_or(now);
            for (link, at) in &entry.sightings {
                sources.sighted(&class, *link, at.since(first));
            }
        }
    }

    /// Chooses the links of all classes that are due, and tells those concerned.
    pub(super) fn choose_links(&mut self) {
        let now = self.now.mono;
        while let Some(class) = self.sources.as_mut().and_then(|one| one.pop_due(now)) {
            let links: Vec<_> = {
                let mesh = self.topics.get(&class.0).map(|topic| &topic.mesh);
                let in_mesh = |link: &Link| mesh.is_some_and(|mesh| mesh.contains(link));
                let subscribers = self.subscribers(&class.0).into_iter();
                // With some there is nothing to choose.
                let subscribers = subscribers.filter(|link| !self.is_explicit(*link));
                subscribers.map(|link| (link, in_mesh(&link))).collect()
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

    /// Neighbours that want the messages of a topic.
    pub(super) fn subscribers(&self, topic: &TopicHash) -> Vec<Link> {
        let neighbours = self.neighbours.iter();
        let subscribed = neighbours.filter(|(_, one)| one.theirs.contains(topic) && !one.is_slow);
        subscribed.map(|(link, _)| *link).collect()
    }

    pub(super) fn is_bad(&self, link: Link) -> bool {
        let sources = self.sources.as_ref();
        sources.is_some_and(|sources| sources.is_bad(self.now.mono, link))
    }

    /// Whether nothing that a neighbour says counts.
    pub(super) fn is_graylisted(&self, link: Link) -> bool {
        !self.is_trusted(link, self.score.thresholds().graylist)
    }

    /// Whether a neighbour's score reaches a threshold, or need not.
    pub(super) fn is_trusted(&self, link: Link, least: f64) -> bool {
        self.is_explicit(link) || self.score.score(link) >= least
    }

    /// Whether messages are always exchanged with a neighbour.
    pub(super) fn is_explicit(&self, link: Link) -> bool {
        let neighbour = self.neighbours.get(&link);
        neighbour.is_some_and(|neighbour| neighbour.is_explicit)
    }

    pub(super) fn by_source(&self) -> Option<&BySourceConfig> {
        match &self.config.spreading {
            Spreading::Mesh => None,
            Spreading::BySource(by_source) => Some(by_source),
        }
    }

    fn is_large(&self, bytes: usize) -> bool {
        self.by_source().is_some_and(|one| bytes >= one.large)
    }

    #[allow(clippy::cast_precision_loss, reason = "some kibibytes")]
    pub(super) fn is_large_on_average(&self, bytes: f64) -> bool {
        self.by_source()
            .is_some_and(|one| bytes >= one.large as f64)
    }
}
