//! Storing many records again, cheaply.
//!
//! Keys that are neighbours have the same nodes around them. A sweep walks through the key space once,
//! learns the nodes of each stretch that holds keys, and then sends each node all of its records
//! together.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;

use super::{Context, Progress};
use crate::discovery::Key;
use crate::discovery::config::K;
use crate::discovery::machine::answer;
use crate::discovery::machine::calls::Purpose;
use crate::discovery::machine::io::{Event, Outcome};
use crate::discovery::machine::search::{Question, find_node};
use crate::discovery::machine::signal::Signal;
use crate::discovery::region::{bits_of, share_of};
use crate::identity::PeerId;
use crate::wire::codec::{List, encode};
use crate::wire::message::discovery::{
    self as wire, Contact, MAX_CONTACTS, MAX_RECORDS, Record, Store, StoreOutcome,
};

/// Nodes that a stretch of the key space holds on average.
const NODES_A_STRETCH: f64 = 8.0;

/// The nearest known nodes of a stretch that must have answered before it counts as known: two, so
/// that one hostile node hides nothing.
const WITNESSES: usize = 2;

/// Questions about one stretch: enough to step over a dozen dead nodes.
const MAX_QUESTIONS: usize = 32;

/// Stores at once.
const AT_ONCE: usize = 16;

/// Bytes of records in one STORE; the frame holds 512 KiB.
const MAX_BATCH_BYTES: usize = 500 << 10;

/// A record to be stored, and what became of it.
#[derive(Debug, Clone)]
pub(in crate::discovery::machine) struct SweepItem {
    pub(in crate::discovery::machine) key: Key,
    pub(in crate::discovery::machine) record: Record,
    /// Whether this node published it, rather than holds it for others.
    pub(in crate::discovery::machine) is_own: bool,
}

#[derive(Debug, Clone)]
struct Known {
    contact: Contact,
    is_gone: bool,
}

/// A stretch of the key space that is being explored.
#[derive(Debug, Clone)]
struct Stretch {
    target: Key,
    asked: BTreeSet<Key>,
    under_way: usize,
}

#[derive(Debug, Clone)]
pub(in crate::discovery::machine) struct Sweep {
    /// In the order of their keys.
    items: Vec<SweepItem>,
    replicas: Vec<usize>,
    /// Records that its command named and that are not in it.
    rejected: usize,
    known: BTreeMap<Key, Known>,
    /// Bits of a stretch's prefix.
    bits: u32,
    /// The first item of the stretches that are not explored.
    next_item: usize,
    stretch: Option<Stretch>,
    batches: VecDeque<(Contact, Vec<usize>)>,
    /// By tag of the call.
    sent: BTreeMap<u64, Vec<usize>>,
    next_tag: u64,
    /// Whether the batches are made.
    is_explored: bool,
    /// Batches that may be sent once more because their node had no time.
    patience: usize,
}

impl Sweep {
    pub(in crate::discovery::machine) fn new(mut items: Vec<SweepItem>, rejected: usize) -> Self {
        items.sort_by_key(|item| item.key);
        Self {
            replicas: vec![0; items.len()],
            rejected,
            items,
            known: BTreeMap::new(),
            bits: 0,
            next_item: 0,
            stretch: None,
            batches: VecDeque::new(),
            sent: BTreeMap::new(),
            next_tag: 0,
            is_explored: false,
            patience: 0,
        }
    }

    pub(super) fn on(&mut self, context: &mut Context<'_>, signal: Signal) -> Progress {
        match signal {
            Signal::Start => {
                let contacts = context.core.table.iter().map(|entry| entry.contact);
                self.note(contacts.collect());
                let size = context.core.network_size();
                self.bits = bits_of((NODES_A_STRETCH / size).min(1.0));
            }
            Signal::Answered {
                tag,
                contact,
                scope,
                frame,
            } => match self.sent.remove(&tag) {
                Some(items) => self.stored(context, &contact, &items, &frame.1),
                None => self.explored(context, &contact, scope, &frame),
            },
            Signal::Unanswered {
                tag,
                contact,
                is_busy,
            } => match self.sent.remove(&tag) {
                Some(items) if is_busy && self.patience > 0 => {
                    self.patience -= 1;
                    self.batches.push_back((contact, items));
                }
                Some(_) => self.gone(&contact.peer),
                None => {
                    self.gone(&contact.peer);
                    self.question_ended();
                }
            },
            _ => {}
        }
        self.advance(context)
    }

    fn advance(&mut self, context: &mut Context<'_>) -> Progress {
        while !self.is_explored {
            if self.stretch.is_none() && !self.enter_next(context) {
                self.make_batches(context);
                break;
            }
            if self.explore(context) {
                return Progress::Going;
            }
            self.stretch = None;
        }
        self.send(context);
        if !self.sent.is_empty() || !self.batches.is_empty() {
            return Progress::Going;
        }
        self.report(context);
        Progress::Over
    }

    // Exploring.

    /// Enters the next stretch that holds an item.
    fn enter_next(&mut self, context: &mut Context<'_>) -> bool {
        let Some(item) = self.items.get(self.next_item) else {
            return false;
        };
        let (first, bits) = (item.key, self.bits);
        let rest = self.items.iter().skip(self.next_item);
        let inside = rest.take_while(|item| item.key.common_prefix(&first) >= bits);
        self.next_item += inside.count();
        self.stretch = Some(Stretch {
            target: first.random_with_prefix(bits, &mut context.core.rng),
            asked: BTreeSet::new(),
            under_way: 0,
        });
        true
    }

    /// Asks the nearest known nodes until two of them have answered; `false` once they have.
    fn explore(&mut self, context: &mut Context<'_>) -> bool {
        let Some(stretch) = &mut self.stretch else {
            return false;
        };
        let nearest = nearest(&self.known, &stretch.target, self.bits, WITNESSES);
        let is_spent = stretch.asked.len() >= MAX_QUESTIONS;
        for contact in nearest {
            let key = Key::from(contact.peer);
            if !is_spent && stretch.asked.insert(key) {
                stretch.under_way += 1;
                let body = encode(&find_node(*stretch.target.as_bytes(), MAX_CONTACTS));
                let tag = self.next_tag;
                self.next_tag += 1;
                let purpose = Purpose::Operation(context.id, tag);
                context.core.call(purpose, contact, wire::FIND_NODE, body);
            }
        }
        stretch.under_way > 0
    }

    fn explored(
        &mut self,
        context: &mut Context<'_>,
        contact: &Contact,
        scope: crate::discovery::Scope,
        (kind, body): &(u8, bytes::Bytes),
    ) {
        self.question_ended();
        match answer::read(Question::Nodes, *kind, body, scope) {
            Ok(answer) => {
                let local = context.core.local;
                let named = answer.contacts.into_iter().filter(|one| one.peer != local);
                self.note(named.collect());
                if let Some(fault) = answer.fault {
                    context.core.blame(contact.peer, fault);
                }
            }
            Err(fault) => {
                self.gone(&contact.peer);
                context.core.blame(contact.peer, fault);
            }
        }
    }

    fn question_ended(&mut self) {
        if let Some(stretch) = &mut self.stretch {
            stretch.under_way = stretch.under_way.saturating_sub(1);
        }
    }

    fn note(&mut self, contacts: Vec<Contact>) {
        for contact in contacts {
            let known = self.known.entry(contact.peer.into());
            known.or_insert(Known {
                contact,
                is_gone: false,
            });
        }
    }

    fn gone(&mut self, peer: &PeerId) {
        if let Some(known) = self.known.get_mut(&Key::from(*peer)) {
            known.is_gone = true;
        }
    }

    // Storing.

    /// Gives each node the items in whose region it is; an item with fewer than k such nodes goes to
    /// the k nearest.
    fn make_batches(&mut self, context: &Context<'_>) {
        self.is_explored = true;
        let share = share_of(context.core.network_size());
        let bits = bits_of(share);
        let density = context.core.density();
        let mut batches: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
        for (index, item) in self.items.iter().enumerate() {
            let near = near(&self.known, &item.key, bits, K);
            let contacts: Vec<_> = near.into_iter().cloned().collect();
            let passed = crate::discovery::lookup::within_quota(&item.key, &contacts, density);
            let is_in_region =
                |one: &Contact| item.key.distance(&one.peer.into()).fraction() <= share;
            let holders = passed.iter().enumerate();
            let holders = holders.take_while(|(rank, one)| *rank < K || is_in_region(one));
            for (_, holder) in holders {
                batches.entry(holder.peer.into()).or_default().push(index);
            }
        }
        let mut rounds: Vec<(usize, Contact, Vec<usize>)> = Vec::new();
        for (key, items) in batches {
            let Some(known) = self.known.get(&key) else {
                continue;
            };
            for (round, part) in self.parts(items).into_iter().enumerate() {
                rounds.push((round, known.contact.clone(), part));
            }
        }
        // First the first message of every node: none gets all of its own at once.
        rounds.sort_by_key(|(round, _, _)| *round);
        self.patience = rounds.len();
        let batches = rounds.into_iter();
        self.batches = batches.map(|(_, contact, part)| (contact, part)).collect();
    }

    /// Splits what one node gets into messages.
    fn parts(&self, items: Vec<usize>) -> Vec<Vec<usize>> {
        let mut parts = vec![Vec::new()];
        let mut bytes = 0;
        for index in items {
            let size = self
                .items
                .get(index)
                .map_or(0, |item| item.record.body.as_bytes().len());
            let is_full = parts.last().is_none_or(|part| part.len() >= MAX_RECORDS);
            if is_full || bytes + size > MAX_BATCH_BYTES {
                parts.push(Vec::new());
                bytes = 0;
            }
            bytes += size;
            if let Some(part) = parts.last_mut() {
                part.push(index);
            }
        }
        parts.retain(|part| !part.is_empty());
        parts
    }

    fn send(&mut self, context: &mut Context<'_>) {
        while self.is_explored
            && self.sent.len() < AT_ONCE
            && let Some((contact, items)) = self.batches.pop_front()
        {
            let records = items.iter().filter_map(|index| self.items.get(*index));
            let records = List::truncated(records.map(|item| item.record.clone()));
            let tag = self.next_tag;
            self.next_tag += 1;
            self.sent.insert(tag, items);
            let purpose = Purpose::Operation(context.id, tag);
            let body = encode(&Store { records });
            context.core.call(purpose, contact, wire::STORE, body);
        }
    }

    fn stored(
        &mut self,
        context: &mut Context<'_>,
        contact: &Contact,
        items: &[usize],
        body: &bytes::Bytes,
    ) {
        match answer::outcomes(body, items.len()) {
            Ok(outcomes) => {
                for (index, outcome) in items.iter().zip(&outcomes) {
                    if let Some(replicas) = self.replicas.get_mut(*index) {
                        *replicas += usize::from(*outcome == StoreOutcome::Stored);
                    }
                }
            }
            Err(fault) => context.core.blame(contact.peer, fault),
        }
    }

    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "small"
    )]
    fn report(&self, context: &mut Context<'_>) {
        let all = context.core.network_size() as usize;
        let enough = K.min(all.saturating_sub(1));
        let complete = self
            .replicas
            .iter()
            .filter(|count| **count >= enough)
            .count();
        context.done(Outcome::Published {
            complete,
            incomplete: self.items.len() - complete,
            rejected: self.rejected,
        });
        for (item, replicas) in self.items.iter().zip(&self.replicas) {
            if item.is_own {
                context.core.emit(Event::Replicated {
                    kind: item.record.kind,
                    key: item.key,
                    replicas: *replicas,
                });
            }
        }
    }
}

/// The `count` nearest known nodes that are there.
fn nearest(known: &BTreeMap<Key, Known>, target: &Key, bits: u32, count: usize) -> Vec<Contact> {
    let near = near(known, target, bits, count).into_iter();
    near.take(count).cloned().collect()
}

/// Known nodes that are there and share at least `bits` bits with `key`, nearest first; fewer bits, if
/// there are not `count` of them.
fn near<'a>(
    known: &'a BTreeMap<Key, Known>,
    key: &Key,
    bits: u32,
    count: usize,
) -> Vec<&'a Contact> {
    let mut bits = bits;
    loop {
        let (first, last) = key.prefix_range(bits);
        let range = known.range((Bound::Included(first), Bound::Included(last)));
        let there = range.filter(|(_, one)| !one.is_gone);
        let mut near: Vec<_> = there
            .map(|(at, one)| (key.distance(at), &one.contact))
            .collect();
        if near.len() >= count || bits == 0 {
            near.sort_unstable_by_key(|(distance, _)| *distance);
            return near.into_iter().map(|(_, contact)| contact).collect();
        }
        bits -= 1;
    }
}
