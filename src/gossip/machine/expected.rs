//! What the neighbours owe that were asked to send messages at once.
//!
//! The rules are those of the [score](crate::gossip::score): a message is expected of whoever was
//! asked for its publisher's; it is kept by sending it within a window, and excused by being told of it
//! before. Some messages are audited: those who owe them are not told for a while, or one that is always
//! second would never be found out; how [those](super::audits) end is told elsewhere. Nothing is owed that honest
//! forwarders may have to drop: what is almost too old or too new, and what is said by somebody who says two things
//! under one counter.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use foldhash::HashMap;

use super::parcel::Parcel;
use super::sources::{Learned, Sources, mixed};
use super::store::State;
use super::{Gossip, Link};
use crate::gossip::score::{Expectation, MeshDeliveries};
use crate::gossip::{TopicHash, replay};
use crate::identity::PeerId;
use crate::policy::Micros;
use crate::wire::message::gossip::MessageId;

/// One message in this many is audited, with all who owe it or, where the mesh alone decides, with each
/// member apart: what it costs is that they hear of it later.
const AUDITED: u64 = 16;

/// So much later, from the first sight of the message, where links are chosen by source: whoever brings messages
/// at all does so sooner, since it is asked for being among the first, and what a link of 50 ms lost twice in a
/// row is there by then. Who has nobody else to hear from, as the ends of a chain, waits for so long. Where the
/// mesh alone decides it is the window of the score, from the moment at which the message is accepted.
pub(super) const AUDIT: Duration = Duration::from_millis(300);

/// Messages whose window is open, at most: of a thousand a second for four of them. Others are not
/// counted.
const MAX_OPEN: usize = 4_096;

/// Of these, messages of one publisher, or of one topic that nobody signs on: sixteen who say as much as they
/// can leave room for nobody else.
pub(super) const MAX_OPEN_OF_ACCOUNT: usize = 256;

/// And of a publisher for whom no links are chosen yet: every member owes them, who may never have heard of it, and
/// messages of keys that nobody knows cost little.
const MAX_OPEN_OF_STRANGER: usize = 4;

/// Whose messages share the room for open windows: all of a topic do where nobody signs them.
pub(super) type Account = (TopicHash, Option<PeerId>);

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
    /// Whether that settles it: what is sent afterwards may be an echo.
    is_over_when_told: bool,
}

/// Windows that are open.
#[derive(Debug)]
pub(super) struct Expectations {
    /// Draws the messages that are audited: neighbours do not know beforehand which.
    lot: u64,
    due: VecDeque<(Micros, MessageId, Account)>,
    /// When messages are told to those who were audited with them.
    releases: BTreeSet<(Micros, MessageId)>,
    /// Windows that are open, by whose room they take.
    of_account: HashMap<Account, usize>,
}

impl Expectations {
    pub(super) fn new(lot: u64) -> Self {
        Self {
            lot,
            due: VecDeque::new(),
            releases: BTreeSet::new(),
            of_account: HashMap::default(),
        }
    }

    /// When the next message is to be released.
    pub(super) fn next(&self) -> Option<Micros> {
        self.releases.first().map(|(at, _)| *at)
    }

    /// A message that is to be released, and since when.
    pub(super) fn release(&mut self, now: Micros) -> Option<(Micros, MessageId)> {
        let first = *self.releases.first().filter(|(at, _)| *at <= now)?;
        self.releases.remove(&first);
        Some(first)
    }

    /// Those who are audited with a message are told of it then.
    pub(super) fn release_at(&mut self, at: Micros, id: MessageId) {
        self.releases.insert((at, id));
    }

    /// Windows that are open.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.due.len()
    }

    pub(super) fn has_room(&self, account: &Account, most: usize) -> bool {
        let of_account = self.of_account.get(account).copied().unwrap_or(0);
        self.due.len() < MAX_OPEN && of_account < most
    }

    pub(super) fn open(&mut self, until: Micros, id: MessageId, account: Account) {
        self.due.push_back((until, id, account));
        *self.of_account.entry(account).or_default() += 1;
    }

    /// A message whose window has ended.
    fn close(&mut self, now: Micros) -> Option<MessageId> {
        let (_, id, account) = self.due.pop_front_if(|(at, ..)| *at <= now)?;
        if let Some(count) = self.of_account.get_mut(&account) {
            *count -= 1;
            if *count == 0 {
                self.of_account.remove(&account);
            }
        }
        Some(id)
    }

    /// Whether a message is audited with everybody who owes it.
    fn audits(&self, id: &MessageId) -> bool {
        self.drawn(id).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32 & (AUDITED - 1) == 0
    }

    /// Whether it is audited with one neighbour, which is drawn for each of them.
    pub(super) fn audits_with(&self, id: &MessageId, link: Link) -> bool {
        mixed(self.drawn(id), link).is_multiple_of(AUDITED)
    }

    fn drawn(&self, id: &MessageId) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = *id;
        u64::from_le_bytes([a, b, c, d, e, f, g, h]) ^ self.lot
    }
}

/// Whose room for open windows a message takes.
pub(super) fn account_of(parcel: &Parcel) -> Account {
    let class = parcel.class();
    (parcel.topic, class.map(|(_, publisher)| publisher))
}

impl Owed {
    /// What members of a mesh owe who are not told of it; what they send afterwards counts no more.
    pub(super) fn until_told(members: Vec<Link>) -> Self {
        Self {
            audited: members.clone(),
            links: members,
            is_over_when_told: true,
            ..Self::default()
        }
    }

    /// A neighbour sent it unasked.
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

    /// Whether it may count that a neighbour sends it, though it is here.
    pub(super) fn is_audited(&self, link: Link) -> bool {
        self.audited.contains(&link) && !self.kept.contains(&link)
    }

    /// Whether a neighbour is not to be told yet.
    pub(super) fn is_withheld(&self, link: Link) -> bool {
        !self.is_released && self.is_audited(link)
    }

    /// Whether it is not to hear of it in any way: what it sends afterwards would be taken for an echo.
    pub(super) fn is_hidden(&self, link: Link) -> bool {
        self.is_over_when_told && self.is_withheld(link)
    }

    /// Whether nothing counts any more that is sent when the audit has ended.
    pub(super) const fn is_over_when_told(&self) -> bool {
        self.is_over_when_told
    }

    /// The audit ends: says who did not send it and is told now. If nothing was read for a while, that may have
    /// come, and excuses them.
    pub(super) fn release(&mut self, was_held_up: bool) -> Vec<Link> {
        let audited = self.audited.iter().copied();
        let withheld: Vec<_> = audited.filter(|link| self.is_withheld(*link)).collect();
        self.is_released = true;
        if self.is_over_when_told && was_held_up {
            self.excused.extend(&withheld);
        }
        withheld
    }
}

impl Gossip {
    /// A message is proven for whose publisher links are chosen: whoever was asked for such ones owes it.
    pub(super) fn expect(&mut self, parcel: &Parcel, links: &[Link]) {
        let Some(class) = parcel.class().filter(|_| self.sources.is_some()) else {
            return;
        };
        let (now, sources) = (self.now.mono, self.sources.as_ref());
        let is_chosen = |sources: &Sources| sources.learned(&class).is_some_and(Learned::is_chosen);
        let most = if sources.is_some_and(is_chosen) {
            MAX_OPEN_OF_ACCOUNT
        } else {
            MAX_OPEN_OF_STRANGER
        };
        let account = account_of(parcel);
        if !self.expectations.has_room(&account, most) || self.may_be_dropped(parcel) {
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
        let is_audited = self.expectations.audits(&parcel.id);
        let audited = links.iter().copied();
        let audited = audited.filter(|link| is_audited || tried(*link).is_some());
        let mut owed = Owed {
            audited: audited.collect(),
            links,
            ..Owed::default()
        };
        let window = self.deliveries(&parcel.topic).window;
        let Some(entry) = self.store.get_mut(&parcel.id) else {
            return;
        };
        for link in &entry.brought {
            owed.sent_by(*link);
        }
        let first = entry.first.unwrap_or(now);
        if !owed.audited.is_empty() {
            let release = first + AUDIT.min(window);
            self.expectations.release_at(release, parcel.id);
        }
        entry.owed = Some(owed);
        let until = (first + window).max(now);
        self.expectations.open(until, parcel.id, account);
    }

    /// How what somebody owes is judged.
    pub(super) fn deliveries(&self, topic: &TopicHash) -> &MeshDeliveries {
        &self.score.config().topic(topic).mesh_deliveries
    }

    /// Whether an honest neighbour may have had to drop a message that is accepted here: it has another one under its
    /// counter, or its clock says a little more or less.
    pub(super) fn may_be_dropped(&self, parcel: &Parcel) -> bool {
        let listed = parcel.proof.as_ref().map(|proof| &proof.listed);
        let class = parcel.class();
        listed.is_some_and(|listed| replay::is_near_limit(self.now, listed))
            || class.is_some_and(|class| self.equivocations.contest(self.now.mono, &class))
    }

    /// Settles what was owed until now.
    pub(super) fn settle_owed(&mut self) {
        let now = self.now.mono;
        while let Some(id) = self.expectations.close(now) {
            let Some(entry) = self.store.get_mut(&id) else {
                continue;
            };
            let (State::Held(parcel), Some(owed)) = (&entry.state, entry.owed.take()) else {
                continue;
            };
            let parcel = parcel.clone();
            self.settle(&parcel, &owed);
        }
    }

    /// Says what became of a message.
    pub(super) fn settle(&mut self, parcel: &Parcel, owed: &Owed) {
        let (now, class) = (self.now.mono, parcel.class());
        let is_contested = class.is_some_and(|class| self.equivocations.contest(now, &class));
        for link in &owed.links {
            if owed.kept.contains(link) {
                self.score.expected(*link, parcel.topic, Expectation::Kept);
            } else if !is_contested && !owed.excused.contains(link) {
                self.score
                    .expected(*link, parcel.topic, Expectation::Broken);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(number: usize) -> Account {
        let publisher = PeerId::from_bytes(*blake3::hash(&number.to_le_bytes()).as_bytes());
        (TopicHash::of("one"), Some(publisher))
    }

    #[test]
    fn as_many_windows_are_open_as_may_be_of_one_publisher_and_in_all() {
        let (mut open, now) = (Expectations::new(1), Micros(1));
        for number in 0..MAX_OPEN {
            let account = account(number / MAX_OPEN_OF_ACCOUNT);
            assert!(open.has_room(&account, MAX_OPEN_OF_ACCOUNT), "{number}");
            open.open(now, [0; 32], account);
            if number + 1 == MAX_OPEN_OF_ACCOUNT {
                assert!(!open.has_room(&account, MAX_OPEN_OF_ACCOUNT));
            }
        }
        let another = account(usize::MAX);
        assert!(!open.has_room(&another, MAX_OPEN_OF_ACCOUNT));
        assert_eq!(open.close(Micros(0)), None);
        assert!(open.close(now).is_some());
        assert!(
            open.has_room(&another, MAX_OPEN_OF_ACCOUNT)
                && open.has_room(&account(0), MAX_OPEN_OF_ACCOUNT)
        );
    }

    #[test]
    fn who_did_not_send_what_it_was_not_told_of_fails_unless_the_node_was_held_up() {
        let (honest, silent) = (Link(1), Link(2));
        for was_held_up in [false, true] {
            let mut owed = Owed::until_told(vec![honest, silent]);
            assert!(owed.is_hidden(honest) && owed.is_hidden(silent));
            owed.sent_by(honest);
            assert!(!owed.is_hidden(honest), "it has it");
            assert_eq!(owed.release(was_held_up), [silent]);
            assert!(!owed.is_hidden(silent), "it is told");
            assert_eq!(owed.excused.contains(&silent), was_held_up);
            assert_eq!(owed.into_kept(), [honest]);
        }
    }
}
