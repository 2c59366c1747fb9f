//! Whose messages are held for those who ask, and how many bytes of each.

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
    /// The oldest first; of some that are not held any more the ids are still here.
    ids: VecDeque<MessageId>,
    /// Those of them that are.
    held: usize,
}

#[derive(Debug, Default)]
pub(super) struct Held {
    bytes: usize,
    of: HashMap<Holder, Line>,
    /// How many steps of bytes each has.
    sizes: BTreeSet<(usize, Holder)>,
}

impl Held {
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn add(&mut self, parcel: &Parcel) {
        let (holder, cost) = (Holder::of(parcel), parcel.cost());
        self.bytes += cost;
        let line = self.of.entry(holder).or_default();
        let before = line.bytes;
        line.bytes += cost;
        line.held += 1;
        line.ids.push_back(parcel.id);
        let after = line.bytes;
        self.resized(holder, before, after);
    }

    /// A message is held no more; `is_held` says of others whether they are.
    pub(super) fn remove(&mut self, parcel: &Parcel, is_held: impl Fn(&MessageId) -> bool) {
        let (holder, cost) = (Holder::of(parcel), parcel.cost());
        let Some(line) = self.of.get_mut(&holder) else {
            return;
        };
        self.bytes = self.bytes.saturating_sub(cost);
        let before = line.bytes;
        line.bytes = line.bytes.saturating_sub(cost);
        line.held = line.held.saturating_sub(1);
        while line.ids.pop_front_if(|id| !is_held(id)).is_some() {}
        let (after, held) = (line.bytes, line.held);
        self.resized(holder, before, after);
        if held == 0 {
            self.of.remove(&holder);
            self.sizes.remove(&(after / STEP, holder));
        }
    }

    /// The oldest message of whoever has the most.
    pub(super) fn oldest_of_largest(&self) -> Option<MessageId> {
        let (_, holder) = self.sizes.last()?;
        self.of.get(holder)?.ids.front().copied()
    }

    fn resized(&mut self, holder: Holder, before: usize, after: usize) {
        if before == 0 || before / STEP != after / STEP {
            self.sizes.remove(&(before / STEP, holder));
            self.sizes.insert((after / STEP, holder));
        }
    }
}
