//! What the neighbours owe that were asked to send messages at once.
//!
//! The rules are those of the [score](crate::gossip::score): a message is expected of whoever was
//! asked for its publisher's; it is kept by sending it within a window, and excused by being told of it
//! before. Some messages are audited: those who owe them are not told for a while, or one that is always
//! second would never be found out. Nothing is owed that honest forwarders may have to drop: what is almost too
//! old or too new, and what is said by somebody who says two things under one counter.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use foldhash::HashMap;

use super::outbox::Priority;
use super::parcel::{Class, Parcel};
use super::sources::{Learned, Sources};
use super::store::State;
use super::{Gossip, Link};
use crate::gossip::replay;
use crate::gossip::score::Expectation;
use crate::policy::Micros;
use crate::wire::message::gossip::MessageId;

/// One message in this many is audited: what it costs is that who owes it hears of it later.
const AUDITED: u64 = 16;

/// So much later, from the first sight of the message: whoever brings messages at all does so sooner, since it is
/// asked for being among the first, and what a link of 50 ms lost twice in a row is there by then. Who has nobody
/// else to hear from, as the ends of a chain, waits for so long.
pub(super) const AUDIT: Duration = Duration::from_millis(300);

/// Messages whose window is open, at most: of a thousand a second for four of them. Others are not
/// counted.
const MAX_OPEN: usize = 4_096;

/// Of these, messages of one publisher: sixteen who say as much as they can leave room for nobody else.
pub(super) const MAX_OPEN_OF_CLASS: usize = 256;

/// And of a publisher for whom no links are chosen yet: every member owes them, who may never have heard of it, and
/// messages of keys that nobody knows cost little.
const MAX_OPEN_OF_STRANGER: usize = 4;

/// A message that is expected of some neighbours.
#[derive(Debug, Default)]
pub(super) struct Owed {
    /// Of whom.
    links: Vec<Link>,
    /// Who sent it.
    kept: Vec<Link>,
    /// Who was told of it before sending it.
    excused: Vec<Link>,
    /// Who is not told of it for a while.
    audited: Vec<Link>,
    /// Whether that is over.
    is_released: bool,
}

/// Windows that are open.
#[derive(Debug)]
pub(super) struct Expectations {
    /// Draws the messages that are audited: neighbours do not know which.
    lot: u64,
    due: VecDeque<(Micros, MessageId, Class)>,
    /// When messages are told to those who were audited with them.
    releases: BTreeSet<(Micros, MessageId)>,
    /// Windows that are open, by class.
    of_class: HashMap<Class, usize>,
}

impl Expectations {
    pub(super) fn new(lot: u64) -> Self {
        Self {
            lot,
            due: VecDeque::new(),
            releases: BTreeSet::new(),
            of_class: HashMap::default(),
        }
    }

    /// When the next message is to be released.
    pub(super) fn next(&self) -> Option<Micros> {
        self.releases.first().map(|(at, _)| *at)
    }

    /// A message that is to be released.
    fn release(&mut self, now: Micros) -> Option<MessageId> {
        let first = *self.releases.first().filter(|(at, _)| *at <= now)?;
        self.releases.remove(&first);
        Some(first.1)
    }

    /// Windows that are open.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.due.len()
    }

    fn has_room(&self, class: &Class, most: usize) -> bool {
        let of_class = self.of_class.get(class).copied().unwrap_or(0);
        self.due.len() < MAX_OPEN && of_class < most
    }

    fn open(&mut self, until: Micros, id: MessageId, class: Class) {
        self.due.push_back((until, id, class));
        *self.of_class.entry(class).or_default() += 1;
    }

    /// A message whose window has ended.
    fn close(&mut self, now: Micros) -> Option<MessageId> {
        let (_, id, class) = self.due.pop_front_if(|(at, ..)| *at <= now)?;
        if let Some(count) = self.of_class.get_mut(&class) {
            *count -= 1;
            if *count == 0 {
                self.of_class.remove(&class);
            }
        }
        Some(id)
    }

    fn audits(&self, id: &MessageId) -> bool {
        let [a, b, c, d, e, f, g, h, ..] = *id;
        let drawn = u64::from_le_bytes([a, b, c, d, e, f, g, h]) ^ self.lot;
        drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32 & (AUDITED - 1) == 0
    }
}

impl Owed {
    pub(super) fn sent_by(&mut self, link: Link) {
        if self.links.contains(&link) && !self.kept.contains(&link) {
            self.kept.push(link);
        }
    }

    /// Who sent it.
    pub(super) fn into_kept(self) -> Vec<Link> {
        self.kept
    }

    /// To be told at the end of an audit excuses nobody.
    pub(super) fn told(&mut self, link: Link) {
        let is_late = self.is_released && self.audited.contains(&link);
        if self.links.contains(&link) && !self.kept.contains(&link) && !is_late {
            self.excused.push(link);
        }
    }

    /// Whether it counts that a neighbour sends it, though it is here.
    pub(super) fn is_audited(&self, link: Link) -> bool {
        self.audited.contains(&link) && !self.kept.contains(&link)
    }

    /// Whether a neighbour is not to be told yet.
    pub(super) fn is_withheld(&self, link: Link) -> bool {
        !self.is_released && self.is_audited(link)
    }
}

impl Gossip {
    /// A message is proven: whoever was asked for such ones owes it.
    pub(super) fn expect(&mut self, parcel: &Parcel, links: &[Link]) {
        let Some(class) = parcel.class().filter(|_| self.sources.is_some()) else {
            return;
        };
        let (now, sources) = (self.now.mono, self.sources.as_ref());
        let is_chosen = |sources: &Sources| sources.learned(&class).is_some_and(Learned::is_chosen);
        let most = if sources.is_some_and(is_chosen) {
            MAX_OPEN_OF_CLASS
        } else {
            MAX_OPEN_OF_STRANGER
        };
        if !self.expectations.has_room(&class, most) || self.may_be_dropped(parcel, &class) {
            return;
        }
        let awaited = self.awaited(&parcel.topic, Some(&class));
        let links = links.iter().copied();
        let links = links.filter(|link| awaited.is_owed_by(*link, now) && !self.is_explicit(*link));
        let tried = |link| sources.and_then(|one| one.tried(now, &class, link));
        // Who has not heard yet that it is asked owes nothing.
        let links: Vec<_> = links.filter(|link| tried(*link) != Some(false)).collect();
        if links.is_empty() {
            return;
        }
        let window = self
            .score
            .config()
            .topic(&parcel.topic)
            .mesh_deliveries
            .window;
        let is_audited = self.expectations.audits(&parcel.id);
        let audited = links.iter().copied();
        let audited: Vec<_> = audited
            .filter(|link| is_audited || tried(*link).is_some())
            .collect();
        let Some(entry) = self.store.get_mut(&parcel.id) else {
            return;
        };
        let kept = entry.brought.iter().copied();
        let kept = kept.filter(|link| links.contains(link)).collect();
        let first = entry.first.unwrap_or(now);
        if !audited.is_empty() {
            let release = first + AUDIT.min(window);
            self.expectations.releases.insert((release, parcel.id));
        }
        entry.owed = Some(Owed {
            kept,
            links,
            excused: Vec::new(),
            audited,
            is_released: false,
        });
        let until = (first + window).max(now);
        self.expectations.open(until, parcel.id, class);
    }

    /// Whether an honest neighbour may have had to drop a message that is accepted here: it has another one under its
    /// counter, or its clock says a little more or less.
    fn may_be_dropped(&self, parcel: &Parcel, class: &Class) -> bool {
        let listed = parcel.proof.as_ref().map(|proof| &proof.listed);
        listed.is_some_and(|listed| replay::is_near_limit(self.now, listed))
            || self.equivocations.contest(self.now.mono, class)
    }

    /// Those in a topic who may be told of a message now.
    pub(super) fn tellable(&self, parcel: &Parcel) -> Vec<Link> {
        let mut links = self.subscribers(&parcel.topic).to_vec();
        let entry = self.store.get(&parcel.id);
        if let Some(owed) = entry.and_then(|entry| entry.owed.as_ref()) {
            links.retain(|link| !owed.is_withheld(*link));
        }
        links
    }

    /// Tells those who were audited of what they did not send in time.
    pub(super) fn end_audits(&mut self) {
        let now = self.now.mono;
        while let Some(id) = self.expectations.release(now) {
            let Some(entry) = self.store.get_mut(&id) else {
                continue;
            };
            let Some(owed) = entry.owed.as_mut() else {
                continue;
            };
            let audited = owed.audited.iter().copied();
            let withheld: Vec<_> = audited.filter(|link| owed.is_withheld(*link)).collect();
            owed.is_released = true;
            // What is not accepted yet is passed on to all when it is.
            if let State::Held(parcel) = &entry.state {
                let parcel = parcel.clone();
                self.pass_on_to(&parcel, Priority::Forwarded, &withheld);
            }
        }
    }

    /// Settles what was owed until now.
    pub(super) fn settle_owed(&mut self) {
        let now = self.now.mono;
        while let Some(id) = self.expectations.close(now) {
            let Some(entry) = self.store.get_mut(&id) else {
                continue;
            };
            let (owed, topic, class) = match (&entry.state, entry.owed.take()) {
                (State::Held(parcel), Some(owed)) => (owed, parcel.topic, parcel.class()),
                _ => continue,
            };
            let is_contested = class.is_some_and(|class| self.equivocations.contest(now, &class));
            for link in &owed.links {
                if owed.kept.contains(link) {
                    self.score.expected(*link, topic, Expectation::Kept);
                } else if !is_contested && !owed.excused.contains(link) {
                    self.score.expected(*link, topic, Expectation::Broken);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gossip::TopicHash;
    use crate::identity::PeerId;

    fn class(number: usize) -> Class {
        let publisher = PeerId::from_bytes(*blake3::hash(&number.to_le_bytes()).as_bytes());
        (TopicHash::of("one"), publisher)
    }

    #[test]
    fn as_many_windows_are_open_as_may_be_of_one_publisher_and_in_all() {
        let (mut open, now) = (Expectations::new(1), Micros(1));
        for number in 0..MAX_OPEN {
            let class = class(number / MAX_OPEN_OF_CLASS);
            assert!(open.has_room(&class, MAX_OPEN_OF_CLASS), "{number}");
            open.open(now, [0; 32], class);
            if number + 1 == MAX_OPEN_OF_CLASS {
                assert!(!open.has_room(&class, MAX_OPEN_OF_CLASS));
            }
        }
        let another = class(usize::MAX);
        assert!(!open.has_room(&another, MAX_OPEN_OF_CLASS));
        assert_eq!(open.close(Micros(0)), None);
        assert!(open.close(now).is_some());
        assert!(
            open.has_room(&another, MAX_OPEN_OF_CLASS)
                && open.has_room(&class(0), MAX_OPEN_OF_CLASS)
        );
    }
}
