//! What the neighbours owe that were asked to send messages at once.
//!
//! The rules are those of the [score](crate::gossip::score): a message is expected of whoever was
//! asked for its publisher's; it is kept by sending it within a window, and excused by being told of it
//! before, unless it had to be asked for. Some messages are audited: those who owe them are not told
//! before the window ends, or one that is always second would never be found out.

use std::collections::VecDeque;
use std::sync::Arc;

use foldhash::HashMap;

use super::outbox::Priority;
use super::parcel::{Class, Parcel};
use super::store::State;
use super::{Gossip, Link};
use crate::gossip::score::Expectation;
use crate::policy::Micros;
use crate::wire::message::gossip::MessageId;

/// One message in this many is audited: what it costs is that who owes it hears of it later.
const AUDITED: u64 = 16;

/// Messages whose window is open, at most: of a thousand a second for four of them. Others are not
/// counted.
const MAX_OPEN: usize = 4_096;

/// Of these, messages of one publisher: sixteen who say as much as they can leave room for nobody else.
pub(super) const MAX_OPEN_OF_CLASS: usize = 256;

/// A message that is expected of some neighbours.
#[derive(Debug, Default)]
pub(super) struct Owed {
    /// Of whom.
    links: Vec<Link>,
    /// Who sent it.
    kept: Vec<Link>,
    /// Who was told of it before sending it.
    excused: Vec<Link>,
    /// Who is not told of it before the window ends.
    audited: Vec<Link>,
}

/// Windows that are open.
#[derive(Debug)]
pub(super) struct Expectations {
    /// Draws the messages that are audited: neighbours do not know which.
    lot: u64,
    due: VecDeque<(Micros, MessageId, Class)>,
    /// Windows that are open, by class.
    of_class: HashMap<Class, usize>,
}

impl Expectations {
    pub(super) fn new(lot: u64) -> Self {
        Self {
            lot,
            due: VecDeque::new(),
            of_class: HashMap::default(),
        }
    }

    /// Windows that are open.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.due.len()
    }

    fn has_room(&self, class: &Class) -> bool {
        let of_class = self.of_class.get(class).copied().unwrap_or(0);
        self.due.len() < MAX_OPEN && of_class < MAX_OPEN_OF_CLASS
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

    pub(super) fn told(&mut self, link: Link) {
        if self.links.contains(&link) && !self.kept.contains(&link) {
            self.excused.push(link);
        }
    }

    /// Whether a neighbour is not to be told yet.
    pub(super) fn is_withheld(&self, link: Link) -> bool {
        self.audited.contains(&link) && !self.kept.contains(&link)
    }
}

impl Gossip {
    /// A message is proven: whoever was asked for such ones owes it.
    pub(super) fn expect(&mut self, parcel: &Parcel, links: &[Link]) {
        let Some(class) = parcel.class().filter(|_| self.sources.is_some()) else {
            return;
        };
        if !self.expectations.has_room(&class) {
            return;
        }
        let (now, sources) = (self.now.mono, self.sources.as_ref());
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
        let audited = audited
            .filter(|link| is_audited || tried(*link).is_some())
            .collect();
        let Some(entry) = self.store.get_mut(&parcel.id) else {
            return;
        };
        let kept = entry.brought.iter().copied();
        let kept = kept.filter(|link| links.contains(link)).collect();
        entry.owed = Some(Owed {
            kept,
            links,
            excused: Vec::new(),
            audited,
        });
        let until = entry.first.unwrap_or(now) + window;
        self.expectations.open(until.max(now), parcel.id, class);
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

    /// Settles what was owed until now.
    pub(super) fn settle_owed(&mut self) {
        let now = self.now.mono;
        while let Some(id) = self.expectations.close(now) {
            let Some(entry) = self.store.get_mut(&id) else {
                continue;
            };
            let was_pulled = entry.pull.as_ref().is_some_and(|pull| pull.is_open);
            let (owed, parcel) = match (&entry.state, entry.owed.take()) {
                (State::Held(parcel), Some(owed)) => (owed, parcel.clone()),
                _ => continue,
            };
            self.settle(&owed, &parcel, was_pulled);
        }
    }

    fn settle(&mut self, owed: &Owed, parcel: &Arc<Parcel>, was_pulled: bool) {
        let mut withheld = Vec::new();
        for link in &owed.links {
            if owed.kept.contains(link) {
                self.score.expected(*link, parcel.topic, Expectation::Kept);
            } else if was_pulled || !owed.excused.contains(link) {
                self.score
                    .expected(*link, parcel.topic, Expectation::Broken);
            }
            if owed.is_withheld(*link) {
                withheld.push(*link);
            }
        }
        if !withheld.is_empty() {
            self.pass_on_to(parcel, Priority::Forwarded, &withheld);
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
            assert!(open.has_room(&class), "{number}");
            open.open(now, [0; 32], class);
            if number + 1 == MAX_OPEN_OF_CLASS {
                assert!(!open.has_room(&class));
            }
        }
        let another = class(usize::MAX);
        assert!(!open.has_room(&another));
        assert_eq!(open.close(Micros(0)), None);
        assert!(open.close(now).is_some());
        assert!(open.has_room(&another) && open.has_room(&class(0)));
    }
}
