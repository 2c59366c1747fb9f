//! Storing many records again, cheaply.
//!
//! Keys that are neighbours have the same nodes around them. A sweep walks through the key space once,
//! learns the nodes of each stretch that holds keys, and then sends each node all of its records
//! together.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::batch::{Batch, SweepItem, parts};
use super::known::{KnownNodes, Presence};
use super::{Context, Progress};
use crate::discovery::Key;
use crate::discovery::config::K;
use crate::discovery::machine::answer;
use crate::discovery::machine::calls::Purpose;
use crate::discovery::machine::io::{Event, Outcome};
use crate::discovery::machine::search::{Question, find_node};
use crate::discovery::machine::signal::{Absence, Signal};
use crate::discovery::region::{bits_of, share_of};
use crate::identity::PeerId;
use crate::wire::codec::{List, encode};
use crate::wire::message::discovery::{self as wire, Contact, MAX_CONTACTS, Store, StoreOutcome};

/// Nodes that a stretch of the key space holds on average.
const NODES_A_STRETCH: f64 = 8.0;

/// The nearest known nodes of a stretch that must have answered before it counts as known: two, so
/// that one hostile node hides nothing.
const WITNESSES: usize = 2;

/// Rounds in which others take the place of those that did not take their records: enough for three dead of
/// four, and an end where somebody names ever more.
const MAX_MENDS: usize = 8;

/// Questions about one stretch: enough to step over a dozen dead nodes.
const MAX_QUESTIONS: usize = 32;

/// Stores at once.
const AT_ONCE: usize = 16;

/// What a teller names is noted if it shares all but this many bits of the stretch that it was asked for:
/// the nearest 40 nodes of an honest answer do.
const NEARBY_BITS: u32 = 4;

/// A stretch of the key space that is being explored.
#[derive(Debug, Clone)]
struct Stretch {
    target: Key,
    asked: BTreeSet<Key>,
    /// How often somebody was asked.
    questions: usize,
    under_way: usize,
    /// Nodes that had no time for the question.
    busy: usize,
}

#[derive(Debug, Clone)]
pub(in crate::discovery::machine) struct Sweep {
    /// In the order of their keys.
    items: Vec<SweepItem>,
    replicas: Vec<usize>,
    /// How many hold a later version of an item, and how many have no room for it.
    superseded: Vec<usize>,
    full: Vec<usize>,
    /// Records that its command named and that are not in it.
    rejected: usize,
    known: KnownNodes,
    /// Bits of a stretch's prefix.
    bits: u32,
    /// The first item of the stretches that are not explored.
    next_item: usize,
    stretch: Option<Stretch>,
    batches: VecDeque<Batch>,
    /// Those whose node had no time, for when all others are sent.
    again: Vec<Batch>,
    /// By tag of the call.
    sent: BTreeMap<u64, Batch>,
    next_tag: u64,
    /// Whether the batches are made.
    is_explored: bool,
    /// Rounds in which others took the place of those that did not.
    mends: usize,
    /// Who was asked to take an item that fewer than k nodes took.
    mended: BTreeMap<usize, BTreeSet<Key>>,
}

impl Sweep {
    pub(in crate::discovery::machine) fn new(mut items: Vec<SweepItem>, rejected: usize) -> Self {
        items.sort_by_key(|item| item.key);
        Self {
            replicas: vec![0; items.len()],
            superseded: vec![0; items.len()],
            full: vec![0; items.len()],
            rejected,
            items,
            known: KnownNodes::default(),
            bits: 0,
            next_item: 0,
            stretch: None,
            batches: VecDeque::new(),
            again: Vec::new(),
            sent: BTreeMap::new(),
            next_tag: 0,
            is_explored: false,
            mends: 0,
            mended: BTreeMap::new(),
        }
    }

    pub(super) fn on(&mut self, context: &mut Context<'_>, signal: Signal) -> Progress {
        match signal {
            Signal::Start => {
                for entry in context.core.table.iter() {
                    self.known.note(entry.contact, None);
                }
                let size = context.core.network_size();
                self.bits = bits_of((NODES_A_STRETCH / size).min(1.0));
            }
            Signal::Answered {
                tag,
                contact,
                scope,
                frame,
            } => match self.sent.remove(&tag) {
                Some(batch) => self.stored(context, &contact, &batch.items, &frame.1),
                None => self.explored(context, &contact, scope, &frame),
            },
            Signal::Unanswered { tag, contact, why } => {
                self.unanswered(tag, &contact, why);
            }
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
        loop {
            self.send(context);
            if !self.sent.is_empty() {
                return Progress::Going;
            }
            if !self.again.is_empty() {
                self.batches.extend(self.again.drain(..));
            } else if !self.mend(context) {
                break;
            }
        }
        self.report(context);
        Progress::Over
    }

    fn unanswered(&mut self, tag: u64, asked: &Contact, why: Absence) {
        let is_busy = why == Absence::Busy;
        // No other place is its.
        let is_there = is_busy || why == Absence::Unwilling;
        match self.sent.remove(&tag) {
            Some(batch) if is_busy && !batch.is_again => self.send_again(batch),
            Some(_) if is_there => self.known.useless(&asked.peer, Presence::Silent),
            Some(batch) => {
                if let Some(contact) = self.known.lost(asked, Presence::Silent) {
                    self.send_again(Batch { contact, ..batch });
                }
            }
            None if is_there => {
                if !is_busy {
                    self.known.useless(&asked.peer, Presence::Gone);
                }
                self.question_ended(is_busy);
            }
            None => {
                if self.known.lost(asked, Presence::Gone).is_some() {
                    self.ask_anew(&asked.peer);
                }
                self.question_ended(false);
            }
        }
    }

    /// A node that was asked is looked for elsewhere.
    fn ask_anew(&mut self, peer: &PeerId) {
        if let Some(stretch) = &mut self.stretch {
            stretch.asked.remove(&Key::from(*peer));
        }
    }

    /// Once all others are sent.
    fn send_again(&mut self, batch: Batch) {
        let is_again = true;
        self.again.push(Batch { is_again, ..batch });
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
            questions: 0,
            under_way: 0,
            busy: 0,
        });
        true
    }

    /// Asks the nearest known nodes until two of them have answered; `false` once they have.
    fn explore(&mut self, context: &mut Context<'_>) -> bool {
        let Some(stretch) = &mut self.stretch else {
            return false;
        };
        let witnesses = WITNESSES + stretch.busy;
        let nearest = self.known.nearest(&stretch.target, self.bits, witnesses);
        for contact in nearest {
            let key = Key::from(contact.peer);
            if stretch.questions < MAX_QUESTIONS && stretch.asked.insert(key) {
                stretch.questions += 1;
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
        self.question_ended(false);
        match answer::read(Question::Nodes, *kind, body, scope) {
            Ok(answer) => {
                let local = context.core.local;
                let target = self.stretch.as_ref().map(|stretch| stretch.target);
                let bits = self.bits.saturating_sub(NEARBY_BITS);
                let is_nearby = |one: &Contact| {
                    target.is_some_and(|target| target.common_prefix(&one.peer.into()) >= bits)
                };
                for named in answer.contacts {
                    let is_of_use = named.peer != local && !named.addresses.is_empty();
                    let peer = named.peer;
                    if is_of_use && is_nearby(&named) && self.known.note(named, Some(contact.peer))
                    {
                        self.ask_anew(&peer);
                    }
                }
                if let Some(fault) = answer.fault {
                    context.core.blame(contact.peer, fault);
                }
            }
            Err(fault) => {
                self.known.useless(&contact.peer, Presence::Gone);
                context.core.blame(contact.peer, fault);
            }
        }
    }

    fn question_ended(&mut self, is_busy: bool) {
        if let Some(stretch) = &mut self.stretch {
            stretch.under_way = stretch.under_way.saturating_sub(1);
            stretch.busy += usize::from(is_busy);
        }
    }

    // Storing.

    /// Gives each node the items in whose region it is; an item with fewer than k such nodes goes to
    /// the k nearest.
    fn make_batches(&mut self, context: &Context<'_>) {
        self.is_explored = true;
        let mut batches: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
        for (index, item) in self.items.iter().enumerate() {
            for holder in self.holders(context, item, (K, Presence::There)) {
                batches.entry(holder).or_default().push(index);
            }
        }
        self.line_up(batches);
    }

    /// Items that fewer than k nodes took go to others, as long as there are any: some of those that were
    /// thought to be there were not, or were invented and stood before others in the quota. Where a later
    /// version is held nobody else is to take this one, and where many have no room others are asked once.
    fn mend(&mut self, context: &Context<'_>) -> bool {
        if self.mends >= MAX_MENDS {
            return false;
        }
        self.mends += 1;
        let mut mended = std::mem::take(&mut self.mended);
        let mut batches: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
        for (index, item) in self.items.iter().enumerate() {
            let settled = self.settled(index);
            if settled >= K {
                continue;
            }
            let asked = mended.entry(index).or_insert_with(|| {
                let holders = self.holders(context, item, (K, Presence::Silent));
                holders.into_iter().collect()
            });
            let others = self.holders(context, item, (K + asked.len(), Presence::There));
            let others = others.into_iter().filter(|one| !asked.contains(one));
            let others: Vec<_> = others.take(K - settled).collect();
            for holder in others {
                asked.insert(holder);
                batches.entry(holder).or_default().push(index);
            }
        }
        self.mended = mended;
        self.line_up(batches);
        !self.batches.is_empty()
    }

    /// How many nodes have an item or need not have it.
    fn settled(&self, index: usize) -> usize {
        let of = |counts: &[usize]| counts.get(index).copied().unwrap_or(0);
        let full = if self.mends > 1 { of(&self.full) } else { 0 };
        of(&self.replicas) + of(&self.superseded) + full
    }

    /// The nodes that should hold an item, nearest first: so many, and all of its region. With
    /// [`Presence::Silent`] those that did not take records are among them, as they were at first.
    fn holders(
        &self,
        context: &Context<'_>,
        item: &SweepItem,
        (count, with): (usize, Presence),
    ) -> Vec<Key> {
        let share = share_of(context.core.network_size());
        let near = self.known.near(&item.key, bits_of(share), count, with);
        let contacts: Vec<_> = near.into_iter().cloned().collect();
        let density = context.core.density();
        let passed = crate::discovery::lookup::within_quota(&item.key, &contacts, density);
        let is_in_region = |one: &Contact| item.key.distance(&one.peer.into()).fraction() <= share;
        let holders = passed.iter().enumerate();
        let holders = holders.take_while(|(rank, one)| *rank < count || is_in_region(one));
        holders.map(|(_, one)| Key::from(one.peer)).collect()
    }

    fn line_up(&mut self, batches: BTreeMap<Key, Vec<usize>>) {
        let mut rounds: Vec<(usize, Batch)> = Vec::new();
        for (key, items) in batches {
            let Some(contact) = self.known.contact(&key) else {
                continue;
            };
            for (round, items) in parts(&self.items, items).into_iter().enumerate() {
                let contact = contact.clone();
                let is_again = false;
                let batch = Batch {
                    contact,
                    items,
                    is_again,
                };
                rounds.push((round, batch));
            }
        }
        // First the first message of every node: none gets all of its own at once.
        rounds.sort_by_key(|(round, _)| *round);
        self.batches = rounds.into_iter().map(|(_, batch)| batch).collect();
    }

    fn send(&mut self, context: &mut Context<'_>) {
        while self.is_explored
            && self.sent.len() < AT_ONCE
            && let Some(batch) = self.batches.pop_front()
        {
            let records = batch
                .items
                .iter()
                .filter_map(|index| self.items.get(*index));
            let records = List::truncated(records.map(|item| item.record.clone()));
            let tag = self.next_tag;
            self.next_tag += 1;
            // Where it was found meanwhile.
            let known = self.known.contact(&Key::from(batch.contact.peer));
            let contact = known.unwrap_or(&batch.contact).clone();
            self.sent.insert(tag, batch);
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
                    let counts = match outcome {
                        StoreOutcome::Stored => &mut self.replicas,
                        StoreOutcome::Superseded => &mut self.superseded,
                        StoreOutcome::Full => &mut self.full,
                        StoreOutcome::Unsupported | StoreOutcome::Invalid => continue,
                    };
                    if let Some(count) = counts.get_mut(*index) {
                        *count += 1;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::record::immutable;

    #[test]
    fn who_has_a_later_version_counts_at_once_and_who_has_no_room_from_the_second_round_on() {
        let (key, record) = immutable("value".into()).unwrap();
        let item = SweepItem {
            key,
            record,
            is_own: false,
        };
        let mut sweep = Sweep::new(vec![item], 0);
        (sweep.replicas[0], sweep.superseded[0], sweep.full[0]) = (2, 3, 4);
        for (round, expected) in [(0, 5), (1, 5), (2, 9)] {
            sweep.mends = round;
            assert_eq!(sweep.settled(0), expected, "round {round}");
        }
    }
}
