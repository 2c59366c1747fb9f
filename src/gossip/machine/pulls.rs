//! Asking for messages that were announced.

mod alarm;
mod promises;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use self::alarm::{ASKED_IN_VAIN, Alarm};
use super::outbox::Priority;
use super::store::Entry;
use super::{Gossip, Link, TopicHash};
use crate::policy::Micros;
use crate::wire::codec::List;
use crate::wire::message::gossip::{self as wire, MAX_TOPICS, MessageId, Topics};

/// Announcers of which one may be bad, and still the message is asked for at once: more than this.
const CREDIBLE: usize = 3;

/// How long a message is waited for that only bad neighbours announced: then they are asked, for there
/// may be nobody else.
const DOUBT: Duration = Duration::from_millis(200);

/// Messages that are waited for so: what bad neighbours announce in that time at some thousand a second.
/// Others of them are not asked for.
pub(super) const MAX_DOUBTFUL: usize = 4_096;

/// The first guess of how long an answer takes, until there was one.
const FIRST_RESPONSE: Duration = Duration::from_millis(50);

/// Bounds of the time after which somebody else is asked.
const RETRY: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// Time after which a pulled message is looked at again: who was to send it at once and did not even
/// announce it by then has failed. Who announced it has too much to do, and is late.
const REVIEW_AFTER: Duration = Duration::from_millis(700);

/// Messages that wait for this: what is pulled in it at a thousand a second.
pub(super) const MAX_REVIEWS: usize = 1_024;

#[derive(Debug, Default)]
pub(super) struct Pulls {
    due: BTreeSet<(Micros, MessageId)>,
    /// What neighbours were asked for: when each is to have sent it.
    promises: BTreeSet<(Micros, MessageId, Link)>,
    /// What did not come by then, and when that is a broken promise.
    overdue: BTreeSet<(Micros, MessageId, Link)>,
    /// When each neighbour was first asked for what it has not sent yet: one promise, however often it
    /// announces the message again.
    promised: BTreeMap<(MessageId, Link), Micros>,
    /// When they were looked at last.
    looked: Micros,
    reviews: VecDeque<(Micros, MessageId)>,
    /// Messages that only bad neighbours announced.
    doubtful: VecDeque<(Micros, MessageId)>,
    alarm: Alarm,
    /// How long an answer takes, on average.
    response: Option<Duration>,
}

impl Pulls {
    pub(super) fn next(&self) -> Option<Micros> {
        let due = self.due.first().map(|(at, _)| *at);
        let promise = self.promises.first().map(|(at, ..)| *at);
        let overdue = self.overdue.first().map(|(at, ..)| *at);
        let doubtful = self.doubtful.front().map(|(at, _)| *at);
        due.into_iter()
            .chain(promise)
            .chain(overdue)
            .chain(doubtful)
            .min()
    }

    /// Messages that are looked at again later.
    #[cfg(test)]
    pub(super) fn reviews(&self) -> usize {
        self.reviews.len()
    }

    /// Messages that only bad neighbours announced and that are waited for.
    #[cfg(test)]
    pub(super) fn doubtful(&self) -> usize {
        self.doubtful.len()
    }

    /// A message is asked for a little later, if nobody else brings or announces it.
    pub(super) fn doubt(&mut self, now: Micros, id: MessageId) {
        if self.doubtful.len() < MAX_DOUBTFUL {
            self.doubtful.push_back((now + DOUBT, id));
        }
    }

    pub(super) fn panics(&self, now: Micros) -> bool {
        self.alarm.lasts(now)
    }

    /// A neighbour sent what it was asked for; after which time it did. A late answer counts for a quarter of
    /// an early one, and for twice the average at most: one neighbour alone does not decide how long all the
    /// others are waited for.
    fn answered(&mut self, after: Duration) {
        let response = self.response.get_or_insert(FIRST_RESPONSE);
        if after < *response {
            *response -= (*response - after) / 8;
        } else {
            *response += (after - *response).min(*response) / 32;
        }
    }

    fn retry_after(&self) -> Duration {
        let (least, most) = RETRY;
        let usual = self.response.unwrap_or(FIRST_RESPONSE);
        (usual * 13 / 10).clamp(least, most)
    }
}

impl Gossip {
    /// A neighbour announced messages.
    pub(super) fn announced_by(
        &mut self,
        link: Link,
        topic: TopicHash,
        ids: &List<MessageId, { wire::MAX_IDS }>,
    ) {
        let is_trusted = self.is_trusted(link, self.score.thresholds().gossip);
        let (frames, most) = (self.config.max_ihave_messages, self.config.max_ihave_length);
        let Some(neighbour) = self.neighbours.get_mut(&link).filter(|_| is_trusted) else {
            return;
        };
        neighbour.announced.0 += 1;
        let room = most.saturating_sub(neighbour.announced.1);
        neighbour.announced.1 += ids.len();
        if neighbour.announced.0 > frames {
            return;
        }
        for id in ids.iter().take(room) {
            self.sighted(link, &topic, id, false);
            self.consider_pull(link, &topic, *id);
        }
    }

    /// Plans to ask for a message that does not come by itself.
    fn consider_pull(&mut self, link: Link, topic: &TopicHash, id: MessageId) {
        let is_bad = self.is_bad(link);
        let Some(entry) = self.store.get_mut(&id).filter(|entry| entry.is_missing()) else {
            return;
        };
        let pull = entry.pull.get_or_insert_default();
        if pull.asked.contains(&link) && !pull.again.contains(&link) {
            // It may be asked again, after the others.
            pull.again.push(link);
        }
        if pull.is_open {
            return;
        }
        if is_bad && entry.sightings.len() <= CREDIBLE {
            return self.pulls.doubt(self.now.mono, id);
        }
        pull.is_open = true;
        let due = self.now.mono + self.pull_delay(topic);
        self.pulls.due.insert((due, id));
    }

    /// A message that was thought to be here is not: others that announced it are asked.
    pub(super) fn pull_soon(&mut self, id: MessageId) {
        let entry = self.store.get_mut(&id).filter(|entry| entry.is_missing());
        if let Some(entry) = entry {
            entry.pull.get_or_insert_default().is_open = true;
            self.pulls.due.insert((self.now.mono, id));
        }
    }

    /// Whoever announces a message next is asked for it. Who was asked is remembered: what it sends later, it
    /// does not send of its own accord.
    pub(super) fn close_pull(&mut self, id: &MessageId) {
        let entry = self.store.get_mut(id);
        if let Some(pull) = entry.and_then(|entry| entry.pull.as_mut()) {
            pull.is_open = false;
            pull.tries = 0;
        }
    }

    /// How long a message of this topic is waited for.
    fn pull_delay(&mut self, topic: &TopicHash) -> Duration {
        let size = self.topics.get(topic).map_or(0.0, |topic| topic.size);
        match self.by_source().copied() {
            Some(by_source) if self.is_large_on_average(size) => by_source.pull_delay_large,
            Some(by_source) if self.misses_some() => by_source.pull_delay_silent,
            Some(by_source) => by_source.pull_delay,
            None => Duration::ZERO,
        }
    }

    /// Asks for what is due, and looks at what was promised.
    pub(super) fn look_at_pulls(&mut self) {
        let now = self.now.mono;
        while let Some((_, id)) = self.pulls.doubtful.pop_front_if(|(at, _)| *at <= now) {
            let entry = self.store.get(&id);
            let is_open = |entry: &Entry| entry.pull.as_ref().is_some_and(|pull| pull.is_open);
            if entry.is_some_and(|entry| !is_open(entry)) {
                self.pull_soon(id);
            }
        }
        while let Some((at, id)) = self.pulls.due.first().copied().filter(|(at, _)| *at <= now) {
            self.pulls.due.remove(&(at, id));
            self.pull(id);
        }
        self.look_at_promises();
    }

    /// Asks the next announcers of a message, the earliest first and bad ones last.
    fn pull(&mut self, id: MessageId) {
        let (now, config) = (self.now.mono, self.config.queue);
        let Some(entry) = self.store.get(&id).filter(|entry| entry.is_missing()) else {
            return;
        };
        let Some(pull) = entry.pull.as_ref().filter(|pull| pull.is_open) else {
            return;
        };
        let announcers = entry.sightings.iter().map(|one| one.link);
        let new = announcers.filter(|link| !pull.asked.contains(link));
        let all = new.chain(pull.again.iter().copied());
        let present = all.filter(|link| self.neighbours.contains_key(link));
        let mut candidates: Vec<_> = present.collect();
        candidates.sort_by_key(|link| (pull.asked.contains(link), self.is_bad(*link)));
        candidates.truncate(if pull.tries == 0 { 1 } else { 2 });
        let retry_at = now + self.pulls.retry_after();
        candidates.retain(|link| {
            let neighbour = self.touch(*link);
            neighbour.is_some_and(|one| one.outbox.want(id, &config))
        });
        let brings: Vec<_> = candidates
            .iter()
            .map(|link| self.brings_messages(*link))
            .collect();
        let Some(pull) = self
            .store
            .get_mut(&id)
            .and_then(|entry| entry.pull.as_mut())
        else {
            return;
        };
        let asked = candidates.iter().zip(brings);
        let believed = asked.filter(|(link, brings)| *brings && !pull.asked.contains(link));
        let (before, after) = (pull.believed, pull.believed + believed.count());
        pull.believed = after;
        pull.ask(&candidates);
        self.pulls.due.insert((retry_at, id));
        if before == 0 && after > 0 {
            self.pulls.alarm.asked(now);
        }
        if before < ASKED_IN_VAIN && after >= ASKED_IN_VAIN {
            self.pulls.alarm.asked_in_vain(now);
        }
        if self.pulls.alarm.is_due(now) {
            self.panic();
        }
        if candidates.is_empty() {
            // Whoever announces it next is asked.
            self.pulls.due.remove(&(retry_at, id));
            self.close_pull(&id);
        }
    }

    /// Whether a neighbour was the first to bring a message lately. What others announce and do not send may not be
    /// there at all, and alarms nobody.
    fn brings_messages(&self, link: Link) -> bool {
        let neighbour = self.neighbours.get(&link);
        neighbour.is_some_and(|one| one.brings(self.now.mono))
    }

    /// All neighbours announce what they have for a while: the chosen ones may have fallen silent.
    fn panic(&mut self) {
        let now = self.now.mono;
        let Some(span) = self.by_source().map(|by_source| by_source.panic) else {
            return;
        };
        if self.pulls.panics(now) {
            return;
        }
        self.pulls.alarm.sound(now + span);
        let links: Vec<_> = self.neighbours.keys().copied().collect();
        for link in links {
            if let Some(neighbour) = self.touch(link) {
                let theirs = &neighbour.theirs;
                let topics = theirs.topics().filter_map(|topic| theirs.ordinal(&topic));
                let topics = List::<_, MAX_TOPICS>::truncated(topics);
                neighbour.outbox.control(wire::WAKE, &Topics { topics });
            }
        }
    }

    /// A message came from a neighbour; whether because it was asked for.
    pub(super) fn fulfilled(&mut self, link: Link, id: &MessageId) -> bool {
        let (now, times) = (self.now.mono, self.promise_times());
        let had_promised = self.pulls.keep(now, times, *id, link);
        let entry = self.store.get(id);
        had_promised || entry.is_some_and(|entry| entry.was_asked_of(link))
    }

    /// The first copy of a message came. If it had to be asked for, those who were to send it at once
    /// are looked at later; if not, who sent it did well.
    pub(super) fn came_first(&mut self, link: Link, id: &MessageId) {
        let now = self.now.mono;
        self.pulls.alarm.came(now);
        let entry = self.store.get(id);
        let was_pulled = entry.is_some_and(|entry| entry.was_asked_of(link));
        if was_pulled {
            if self.pulls.reviews.len() < MAX_REVIEWS {
                self.pulls.reviews.push_back((now + REVIEW_AFTER, *id));
            }
        } else if let Some(sources) = &mut self.sources {
            sources.eager_result(now, link, true);
        }
    }

    /// Looks at the messages that had to be asked for a while ago.
    pub(super) fn review_pulls(&mut self) {
        let now = self.now.mono;
        while let Some((_, id)) = self.pulls.reviews.pop_front_if(|(at, _)| *at <= now) {
            let Some(entry) = self.store.get(&id) else {
                continue;
            };
            let Some(parcel) = self.store.held(&id) else {
                continue;
            };
            let (class, topic) = (parcel.class(), parcel.topic);
            let links = self.subscribers(&topic).iter().copied();
            let links = links.filter(|link| !self.is_explicit(*link));
            let awaited = self.awaited(&topic, class.as_ref());
            // Of a publisher that is new nobody can be blamed: it may have told this node alone.
            let brings = |link: &Link| {
                let known = self.sources.as_ref().zip(class.as_ref());
                known.is_some_and(|(sources, class)| sources.has_brought(class, *link))
            };
            let links = links.filter(brings);
            let failed = links.filter(|link| !entry.is_with(*link) && awaited.of(*link));
            let failed: Vec<_> = failed.collect();
            for link in failed {
                if let Some(sources) = &mut self.sources {
                    sources.eager_result(now, link, false);
                }
            }
        }
    }

    /// A neighbour asks for messages.
    pub(super) fn wanted_by(&mut self, link: Link, ids: &List<MessageId, { wire::MAX_IDS }>) {
        if !self.is_trusted(link, self.score.thresholds().gossip) {
            return;
        }
        let (now, config) = (self.now.mono, self.config.queue);
        let most = self.config.gossip_retransmission;
        for id in ids {
            // It was told of nothing, and has no promise.
            let entry = self.store.get(id);
            let is_hidden = entry.is_some_and(|entry| entry.is_hidden(link));
            let Some(parcel) = self.store.held(id).filter(|_| !is_hidden).cloned() else {
                continue;
            };
            let Some(neighbour) = self.touch(link) else {
                return;
            };
            let given = neighbour.given.entry(*id).or_default();
            if *given < most && neighbour.outbox.put(parcel, now, Priority::Asked, &config) {
                *given += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_one_slow_neighbour_does_not_decide_how_long_the_others_are_waited_for() {
        let usual = Duration::from_millis(50);
        let mut pulls = Pulls::default();
        // Every other answer takes as long as a promise lasts.
        for _ in 0..1_000 {
            pulls.answered(usual);
            pulls.answered(Duration::from_millis(999));
        }
        assert!(pulls.retry_after() < 2 * usual, "{:?}", pulls.retry_after());
        // When all are slow, that is so.
        for _ in 0..200 {
            pulls.answered(Duration::from_millis(700));
        }
        assert!(pulls.retry_after() > Duration::from_millis(800));
        for _ in 0..100 {
            pulls.answered(usual);
        }
        assert!(pulls.retry_after() < 2 * usual);
    }
}
