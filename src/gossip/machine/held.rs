//! Whose messages are held for those who ask, and how many bytes of each.

use std::cmp::Reverse;
use std::collections::{BTreeSet, VecDeque};

use foldhash::HashMap;

use super::parcel::Parcel;
use crate::gossip::TopicHash;
use crate::identity::PeerId;
use crate::wire::message::gossip::MessageId;

/// Publishers are compared by their bytes in steps of this: a thousandth of what is held.
const STEP: usize = 64 << 10;

/// Whose a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Holder {
    Publisher(PeerId),
    /// On an unsigned topic nobody knows.
    Topic(TopicHash),
}

impl Holder {
    fn of(parcel: &Parcel) -> Self {
        let publisher = parcel.proof.as_ref().map(|proof| proof.seal().publisher());
        publisher.map_or(Self::Topic(parcel.topic), Self::Publisher)
    }
}

/// What is held of one of them.
#[derive(Debug, Default)]
struct Line {
    bytes: usize,
    /// The oldest first, numbered; of some that are not held any more the ids are still here.
    ids: VecDeque<(u64, MessageId)>,
    /// Those of them that are.
    held: usize,
}

/// How many steps of bytes somebody has, and the number of the oldest message: of equals the one with the oldest is
/// the last.
type Rank = (usize, Reverse<u64>);

#[derive(Debug, Default)]
pub(super) struct Held {
    bytes: usize,
    next: u64,
    of: HashMap<Holder, Line>,
    ranks: BTreeSet<(Rank, Holder)>,
}

impl Line {
    /// None of who has nothing.
    fn rank(&self) -> Option<Rank> {
        let (oldest, _) = self.ids.front()?;
        Some((self.bytes / STEP, Reverse(*oldest)))
    }
}

impl Held {
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn add(&mut self, parcel: &Parcel) {
        let (holder, cost) = (Holder::of(parcel), parcel.cost());
        self.bytes += cost;
        let line = self.of.entry(holder).or_default();
        let before = line.rank();
        line.bytes += cost;
        line.held += 1;
        line.ids.push_back((self.next, parcel.id));
        self.next += 1;
        let after = line.rank();
        self.moved(holder, before, after);
    }

    /// A message is held no more; `is_held` says of others whether they are.
    pub(super) fn remove(&mut self, parcel: &Parcel, is_held: impl Fn(&MessageId) -> bool) {
        let (holder, cost) = (Holder::of(parcel), parcel.cost());
        let Some(line) = self.of.get_mut(&holder) else {
            return;
        };
        self.bytes = self.bytes.saturating_sub(cost);
        let before = line.rank();
        line.bytes = line.bytes.saturating_sub(cost);
        line.held = line.held.saturating_sub(1);
        while line.ids.pop_front_if(|(_, id)| !is_held(id)).is_some() {}
        let after = line.rank().filter(|_| line.held > 0);
        if after.is_none() {
            self.of.remove(&holder);
        }
        self.moved(holder, before, after);
    }

    /// The oldest message of whoever has the most.
    pub(super) fn oldest_of_largest(&self) -> Option<MessageId> {
        let (_, holder) = self.ranks.last()?;
        let (_, id) = self.of.get(holder)?.ids.front()?;
        Some(*id)
    }

    fn moved(&mut self, holder: Holder, before: Option<Rank>, after: Option<Rank>) {
        if before != after {
            before.map(|rank| self.ranks.remove(&(rank, holder)));
            after.map(|rank| self.ranks.insert((rank, holder)));
        }
    }
}
