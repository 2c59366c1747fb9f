//! Messages that were announced and are not here, by who announced each of them first.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::HashMap;

use super::io::Link;
use crate::wire::message::gossip::MessageId;

/// Messages that were announced and are not here, at most: what thirty neighbours announce between
/// two heartbeats of a node that receives a thousand messages a second. When there are as many, who announces more
/// takes the place of the oldest one of whoever has the most.
pub(super) const MAX_MISSING: usize = 32_768;

/// Of these, messages that one neighbour announced first: as many as it may announce in a heartbeat.
pub(super) const MAX_MISSING_OF_LINK: usize = 5_000;

/// Where a message stands in line: whose it is, and its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    link: Link,
    number: u64,
}

#[derive(Debug, Default)]
pub(super) struct Missing {
    all: usize,
    /// Of each neighbour, in the order in which they were announced; none is empty.
    of: HashMap<Link, BTreeMap<u64, MessageId>>,
    /// How many each neighbour has.
    sizes: BTreeSet<(usize, Link)>,
    next: u64,
}

impl Missing {
    /// A message that a neighbour announced first; the one that loses its place to it, if all are taken. None if
    /// the neighbour has its share, or if all are taken and nobody has more than it.
    pub(super) fn put(&mut self, link: Link, id: MessageId) -> Option<(Place, Option<MessageId>)> {
        let own = self.of.get(&link).map_or(0, BTreeMap::len);
        if own >= MAX_MISSING_OF_LINK {
            return None;
        }
        let mut displaced = None;
        if self.all >= MAX_MISSING {
            let (most, largest) = *self.sizes.last()?;
            if most <= own + 1 {
                return None;
            }
            displaced = self.take_oldest(largest);
        }
        let number = self.next;
        self.next += 1;
        self.all += 1;
        self.of.entry(link).or_default().insert(number, id);
        self.resized(link, own);
        Some((Place { link, number }, displaced))
    }

    /// A message is here, or forgotten.
    pub(super) fn remove(&mut self, place: Place) {
        let Some(line) = self.of.get_mut(&place.link) else {
            return;
        };
        let before = line.len();
        if line.remove(&place.number).is_some() {
            self.all -= 1;
            self.resized(place.link, before);
        }
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) const fn len(&self) -> usize {
        self.all
    }

    /// How many of them one neighbour announced first.
    #[cfg(test)]
    pub(super) fn of(&self, link: Link) -> usize {
        self.of.get(&link).map_or(0, BTreeMap::len)
    }

    fn take_oldest(&mut self, link: Link) -> Option<MessageId> {
        let line = self.of.get_mut(&link)?;
        let before = line.len();
        let (_, id) = line.pop_first()?;
        self.all -= 1;
        self.resized(link, before);
        Some(id)
    }

    fn resized(&mut self, link: Link, before: usize) {
        self.sizes.remove(&(before, link));
        match self.of.get(&link).map_or(0, BTreeMap::len) {
            0 => _ = self.of.remove(&link),
            len => _ = self.sizes.insert((len, link)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> MessageId {
        *blake3::hash(&number.to_le_bytes()).as_bytes()
    }

    #[test]
    fn the_oldest_of_whoever_has_the_most_gives_way_until_all_have_the_same() {
        let mut missing = Missing::default();
        for number in 0..MAX_MISSING {
            let link = Link((number / MAX_MISSING_OF_LINK) as u64);
            let (_, displaced) = missing.put(link, id(number)).unwrap();
            assert_eq!(displaced, None, "{number}");
        }
        let full = MAX_MISSING / MAX_MISSING_OF_LINK;
        assert_eq!(missing.put(Link(0), id(MAX_MISSING)), None, "its share");
        let newcomer = Link(1_000);
        let mut displaced = Vec::new();
        while let Some((_, one)) = missing.put(newcomer, id(MAX_MISSING + displaced.len())) {
            displaced.push(one.unwrap());
            assert_eq!(missing.len(), MAX_MISSING);
        }
        // The first ones that each of the others announced.
        let first = displaced.iter().take(full);
        let first: BTreeSet<_> = first.copied().collect();
        let expected = (0..full).map(|link| id(link * MAX_MISSING_OF_LINK));
        assert_eq!(first, expected.collect());
        let of: Vec<_> = (0..full as u64)
            .map(|link| missing.of(Link(link)))
            .collect();
        let most = *of.iter().max().unwrap();
        assert!(most - missing.of(newcomer) <= 1, "{of:?}");
        assert_eq!(most - of.iter().min().unwrap(), 1);
    }

    #[test]
    fn what_is_here_leaves_its_place_once() {
        let mut missing = Missing::default();
        let (first, _) = missing.put(Link(1), id(1)).unwrap();
        let (second, _) = missing.put(Link(1), id(2)).unwrap();
        for _ in 0..2 {
            missing.remove(first);
            assert_eq!((missing.len(), missing.of(Link(1))), (1, 1));
        }
        missing.remove(second);
        assert!(missing.of.is_empty() && missing.sizes.is_empty());
    }
}
