//! Walking through the whole region of a key.
//!
//! A lookup finds the k nodes nearest to its target. The region of a key holds more, and an attacker
//! may have filled the nearest places: so lookups for random targets in ever narrower parts of the
//! region find all that live there.

use std::collections::BTreeMap;

use super::Context;
use crate::discovery::config::K;
use crate::discovery::lookup::Found;
use crate::discovery::machine::search::{Aim, Question, SearchId};
use crate::discovery::region::{bits_of, share_of};
use crate::discovery::{Distance, Key};
use crate::wire::message::discovery::Contact;

/// Lookups in one region: a region has 30 nodes on average, found by 3 to 7 lookups.
const MAX_LOOKUPS: usize = 64;

/// Lookups in one region at once.
const AT_ONCE: usize = 4;

/// Known live nodes that each of them starts from, in the region and beside it.
const SEEDS: usize = 20;
const SEEDS_BESIDE: usize = 10;

/// A part of the region: all keys that share this many bits with that key.
#[derive(Debug, Clone, Copy)]
struct Part {
    prefix: Key,
    bits: u32,
}

#[derive(Debug, Clone)]
pub(super) struct Crawl {
    key: Key,
    question: Question,
    open: Vec<Part>,
    running: BTreeMap<SearchId, Part>,
    lookups: usize,
    /// Bits that the whole region shares, and the longest prefix that is worth a lookup.
    widest: u32,
    deepest: u32,
    /// Nodes that answered, by their distance to the key.
    live: BTreeMap<Distance, Contact>,
}

impl Crawl {
    /// Begins from the nodes that a lookup for the key has found.
    pub(super) fn start(
        context: &mut Context<'_>,
        key: Key,
        question: Question,
        live: &[Contact],
    ) -> Self {
        let size = context.core.network_size();
        let bits = bits_of(share_of(size));
        let mut crawl = Self {
            key,
            question,
            open: vec![Part { prefix: key, bits }],
            running: BTreeMap::new(),
            lookups: 0,
            widest: bits,
            deepest: bits_of(1.0 / size) + 1,
            live: BTreeMap::new(),
        };
        crawl.note(live);
        crawl.advance(context);
        crawl
    }

    /// One of its searches is over. Not another's: `false` then.
    pub(super) fn found(
        &mut self,
        context: &mut Context<'_>,
        search: SearchId,
        found: &Found,
    ) -> bool {
        let Some(part) = self.running.remove(&search) else {
            return false;
        };
        self.note(&found.answered);
        let is_inside =
            |one: &&Contact| Key::from(one.peer).common_prefix(&part.prefix) >= part.bits;
        let inside = found.closest.iter().filter(is_inside).count();
        if inside >= K && part.bits < self.deepest {
            let bits = part.bits + 1;
            let sibling = part.prefix.with_flipped_bit(part.bits);
            self.open.push(Part {
                prefix: sibling,
                bits,
            });
            self.open.push(Part {
                prefix: part.prefix,
                bits,
            });
        }
        self.advance(context);
        true
    }

    pub(super) fn is_over(&self) -> bool {
        self.running.is_empty()
    }

    /// Nodes that answered within the region of the key, nearest first.
    pub(super) fn region(&self, context: &Context<'_>) -> Vec<Contact> {
        let share = share_of(context.core.network_size());
        let live = self.live.iter();
        let inside = live.take_while(|(distance, _)| distance.fraction() <= share);
        inside.map(|(_, contact)| contact.clone()).collect()
    }

    /// All nodes that answered, nearest first.
    pub(super) fn live(&self) -> impl Iterator<Item = &Contact> {
        self.live.values()
    }

    fn note(&mut self, contacts: &[Contact]) {
        for contact in contacts {
            let distance = self.key.distance(&contact.peer.into());
            self.live.insert(distance, contact.clone());
        }
    }

    fn advance(&mut self, context: &mut Context<'_>) {
        while self.running.len() < AT_ONCE
            && self.lookups < MAX_LOOKUPS
            && let Some(part) = self.open.pop()
        {
            self.lookups += 1;
            let target = part
                .prefix
                .random_with_prefix(part.bits, &mut context.core.rng);
            let seeds = Some(self.seeds(&target));
            let aim = Aim {
                seeds,
                ..Aim::asking(target, self.question)
            };
            let search = context.core.search(context.id, aim);
            self.running.insert(search, part);
        }
    }

    /// The nearest known nodes, and some from beside the region: those in it may all be one's.
    fn seeds(&self, target: &Key) -> Vec<Contact> {
        let is_inside = |one: &&Contact| {
            let bits = self.key.common_prefix(&one.peer.into());
            bits >= self.widest
        };
        let mut near: Vec<_> = self.live.values().collect();
        near.sort_by_key(|one| target.distance(&one.peer.into()));
        let (inside, beside): (Vec<_>, Vec<_>) = near.into_iter().partition(is_inside);
        let seeds = inside.into_iter().take(SEEDS);
        let seeds = seeds.chain(beside.into_iter().take(SEEDS_BESIDE));
        seeds.cloned().collect()
    }
}
