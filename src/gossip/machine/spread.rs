//! Passing messages on.

use std::collections::BTreeSet;
use std::sync::Arc;

use rand_core::Rng;

use super::learning::Awaited;
use super::neighbour::Neighbour;
use super::outbox::Priority;
use super::parcel::Parcel;
use super::sources::{cold, mixed};
use super::store::Entry;
use super::topic::Topic;
use super::wishes::Wanted;
use super::{Gossip, Link, TopicHash};
use crate::gossip::config::{BySourceConfig, Spreading};
use crate::policy::Micros;
use crate::wire::message::gossip::{self as wire, MessageId, Mode};

/// A silent link announces one message in this many all the same: so that it is seen when it becomes
/// the better one.
const SILENT_ANNOUNCES: u64 = 32;

/// What a neighbour gets of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Share {
    All,
    /// The same, for it asked to be sent what others have by the mesh.
    Asked,
    Announcement,
    /// It would send the message, too: it is told that it is here.
    Refusal,
}

/// What decides who gets what of one message.
struct Sharing<'a> {
    /// Draws the silent links that hear of it.
    lot: u64,
    id: MessageId,
    /// None where the mesh alone decides.
    wanted: Option<Wanted<'a>>,
    entry: Option<&'a Entry>,
    topic: Option<&'a Topic>,
    awaited: Awaited<'a>,
    is_flooded: bool,
    is_refused: bool,
    now: Micros,
}

impl Sharing<'_> {
    fn is_with(&self, link: Link) -> bool {
        self.entry.is_some_and(|entry| entry.is_with(link))
    }

    /// `trust` says whether it is sent anything, and whether it is told what it may ask for: to announce
    /// to somebody whose question is not answered is a promise that is broken.
    fn share(
        &self,
        link: Link,
        neighbour: &Neighbour,
        (is_trusted, is_answered): (bool, bool),
    ) -> Option<Share> {
        let is_explicit = neighbour.is_explicit;
        let share = match is_trusted && !neighbour.refuses(&self.id) {
            true if self.is_flooded || is_explicit => Some(Share::All),
            true => self.wish(link, neighbour),
            false => None,
        };
        let share = share.filter(|share| is_answered || *share != Share::Announcement);
        let would_send = || is_explicit || self.awaited.of(link);
        share.or_else(|| (self.is_refused && would_send()).then_some(Share::Refusal))
    }

    /// What it asked for, or what its place in the mesh says.
    fn wish(&self, link: Link, neighbour: &Neighbour) -> Option<Share> {
        let in_mesh = self.topic.is_some_and(|topic| {
            topic.mesh.contains(&link) || (!topic.is_subscribed() && topic.fanout.contains(&link))
        });
        let Some(wanted) = &self.wanted else {
            return in_mesh.then_some(Share::All);
        };
        let asked = wanted.by(link);
        let asked = asked.map(|asked| neighbour.means(asked, self.now));
        let is_drawn = || mixed(self.lot, link).is_multiple_of(SILENT_ANNOUNCES);
        match asked.unwrap_or_else(|| cold(in_mesh)) {
            Mode::Eager if in_mesh => Some(Share::All),
            Mode::Eager => Some(Share::Asked),
            Mode::Lazy => Some(Share::Announcement),
            Mode::Silent => is_drawn().then_some(Share::Announcement),
        }
    }
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
        let mut heard = Vec::with_capacity(links.len());
        let mut reached = 0;
        for (link, share) in self.shares(parcel, priority, links) {
            let is_heard = match share {
                Share::All | Share::Asked => self.send(link, parcel, priority),
                Share::Announcement => self.announce(link, parcel),
                Share::Refusal => self.refuse(link, parcel.id),
            };
            reached += usize::from(is_heard && share != Share::Refusal);
            if is_heard {
                heard.push(link);
            }
        }
        self.excuse(parcel, &heard);
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

    pub(super) fn announce(&mut self, link: Link, parcel: &Parcel) -> bool {
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

    fn refuse(&mut self, link: Link, id: MessageId) -> bool {
        let neighbour = self.touch(link);
        neighbour.map(|one| one.outbox.refuse(id)).is_some()
    }

    /// Who is told of a message does not owe it any more.
    fn excuse(&mut self, parcel: &Parcel, told: &[Link]) {
        let entry = self.store.get_mut(&parcel.id);
        if let Some(owed) = entry.and_then(|entry| entry.owed.as_mut()) {
            for link in told {
                owed.told(*link);
            }
        }
    }

    /// What each neighbour in the topic gets: nothing if it has the message or does not want it.
    fn shares(
        &mut self,
        parcel: &Parcel,
        priority: Priority,
        links: &[Link],
    ) -> Vec<(Link, Share)> {
        let (bytes, thresholds) = (parcel.content.bytes(), self.score.thresholds());
        let (is_own, is_others) = (priority == Priority::Own, priority == Priority::Forwarded);
        let class = parcel.class().filter(|_| self.sources.is_some());
        let least = if is_others {
            thresholds.graylist
        } else {
            thresholds.publish
        };
        if let Some(class) = &class {
            self.wishes.write_down(class, &self.neighbours);
        }
        let lot = self.rng.next_u64();
        let sharing = Sharing {
            lot,
            id: parcel.id,
            entry: self.store.get(&parcel.id),
            topic: self.topics.get(&parcel.topic),
            awaited: self.awaited(&parcel.topic, class.as_ref()),
            wanted: class.as_ref().map(|class| self.wishes.of(class)),
            is_flooded: is_own && self.config.flood_publish && !self.is_large(bytes),
            is_refused: is_others && bytes >= self.config.idontwant_threshold,
            now: self.now.mono,
        };
        let mut shares = Vec::with_capacity(links.len());
        for link in links.iter().filter(|link| !sharing.is_with(**link)) {
            let Some(neighbour) = self.neighbours.get(link) else {
                continue;
            };
            let score = self.score.score(*link);
            let reaches = |least| neighbour.is_explicit || score >= least;
            let trust = (reaches(least), reaches(thresholds.gossip));
            let share = sharing.share(*link, neighbour, trust);
            shares.extend(share.map(|share| (*link, share)));
        }
        self.limit_asked(&parcel.topic, &mut shares);
        shares
    }

    /// Of those that ask to be sent messages and are not in the mesh, as many are as a mesh has at most: those that
    /// this node dialled come first, and then those that bring messages. Others are told what there is: anybody may
    /// ask, and twenty identities for each honest one would have all of the uplink.
    fn limit_asked(&self, topic: &TopicHash, shares: &mut Vec<(Link, Share)>) {
        let asked = shares.iter().filter(|(_, share)| *share == Share::Asked);
        let mut asked: Vec<_> = asked.map(|(link, _)| *link).collect();
        if asked.len() <= self.config.mesh_n_high {
            return;
        }
        asked.sort_by_key(|link| (!self.is_outbound(*link), !self.brings(*link, topic), *link));
        let served: BTreeSet<_> = asked.into_iter().take(self.config.mesh_n_high).collect();
        let gossip = self.score.thresholds().gossip;
        shares.retain_mut(|(link, share)| {
            if *share != Share::Asked || served.contains(link) {
                return true;
            }
            *share = Share::Announcement;
            self.is_trusted(*link, gossip)
        });
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
            let asked = class.and_then(|class| self.neighbours.get(&link)?.asked(&class));
            !is_with && asked.is_some_and(|asked| asked != Mode::Eager)
        });
        let unheard: Vec<_> = unheard.cloned().collect();
        for parcel in unheard {
            self.announce(link, &parcel);
        }
    }

    /// Neighbours that want the messages of a topic.
    pub(super) fn subscribers(&self, topic: &TopicHash) -> &[Link] {
        self.audience.of(topic)
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
