//! Storing a record in the region of its key.

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;

use super::crawl::Crawl;
use super::{Context, Progress};
use crate::discovery::Key;
use crate::discovery::config::K;
use crate::discovery::lookup::Found;
use crate::discovery::machine::answer;
use crate::discovery::machine::calls::Purpose;
use crate::discovery::machine::io::{Event, Outcome};
use crate::discovery::machine::search::{Aim, Question};
use crate::discovery::machine::signal::Signal;
use crate::wire::codec::{List, encode};
use crate::wire::message::discovery::{self as wire, Contact, Record, Store, StoreOutcome};

/// Replicas after which the program is told that its record is safe: if each holder dies within the
/// repair interval with a probability of one half, all ten do once in a thousand times.
const SAFE: usize = K / 2;

/// Stores of one record at once: a region.
const AT_ONCE: usize = 32;

/// A lookup, stores at the k nearest nodes, and, while they work, a walk through the region and
/// stores at all the rest of it.
#[derive(Debug, Clone)]
pub(in crate::discovery::machine) struct Put {
    kind: u16,
    key: Key,
    body: Bytes,
    /// Nodes to store at, in order.
    queue: VecDeque<Contact>,
    asked: BTreeSet<crate::identity::PeerId>,
    under_way: usize,
    replicas: usize,
    /// Nodes that hold a later version.
    superseded: usize,
    /// Nodes outside the region, nearest first, for when too few inside it took the record.
    outside: VecDeque<Contact>,
    crawl: Option<Crawl>,
    /// All nodes of the region are known.
    is_explored: bool,
    is_handed_back: bool,
}

impl Put {
    pub(in crate::discovery::machine) fn new(key: Key, record: Record) -> Self {
        let kind = record.kind;
        let records = List::truncated([record]);
        Self {
            kind,
            key,
            body: encode(&Store { records }),
            queue: VecDeque::new(),
            asked: BTreeSet::new(),
            under_way: 0,
            replicas: 0,
            superseded: 0,
            outside: VecDeque::new(),
            crawl: None,
            is_explored: false,
            is_handed_back: false,
        }
    }

    pub(super) fn on(&mut self, context: &mut Context<'_>, signal: Signal) -> Progress {
        match signal {
            Signal::Start => _ = context.core.search(context.id, Aim::nodes(self.key)),
            Signal::Found(search, found) => match &mut self.crawl {
                None => self.looked_up(context, &found),
                Some(crawl) => {
                    crawl.found(context, search, &found);
                    self.look_at_region(context);
                }
            },
            Signal::Answered { contact, frame, .. } => {
                self.under_way -= 1;
                match answer::outcomes(&frame.1, 1).as_deref() {
                    Ok([StoreOutcome::Stored]) => self.replicas += 1,
                    Ok([StoreOutcome::Superseded]) => self.superseded += 1,
                    Ok(_) => {}
                    Err(fault) => context.core.blame(contact.peer, *fault),
                }
            }
            Signal::Unanswered { .. } => self.under_way -= 1,
            _ => {}
        }
        self.advance(context)
    }

    fn looked_up(&mut self, context: &mut Context<'_>, found: &Found) {
        self.queue.extend(found.closest.iter().cloned());
        self.outside.extend(found.answered.iter().cloned());
        if context.core.config.region {
            let crawl = Crawl::start(context, self.key, Question::Nodes, &found.answered);
            self.crawl = Some(crawl);
            self.look_at_region(context);
        } else {
            self.is_explored = true;
        }
    }

    /// Takes the nodes of the region once the walk through it is over.
    fn look_at_region(&mut self, context: &Context<'_>) {
        let Some(crawl) = self.crawl.as_ref().filter(|crawl| crawl.is_over()) else {
            return;
        };
        self.is_explored = true;
        self.queue.extend(crawl.region(context));
        self.outside = crawl.live().cloned().collect();
    }

    fn advance(&mut self, context: &mut Context<'_>) -> Progress {
        self.send(context);
        let is_idle = self.under_way == 0 && self.queue.is_empty();
        let settled = self.replicas + self.superseded;
        if self.is_explored && is_idle && settled < K {
            let missing = K - settled;
            let asked = &self.asked;
            self.outside.retain(|one| !asked.contains(&one.peer));
            let more = self.outside.len().min(missing);
            self.queue.extend(self.outside.drain(..more));
            self.send(context);
        }
        let is_over = self.is_explored && self.under_way == 0 && self.queue.is_empty();
        if !self.is_handed_back && (self.replicas >= SAFE || is_over) {
            self.is_handed_back = true;
            let replicas = self.replicas;
            context.done(Outcome::Stored { replicas });
        }
        if !is_over {
            return Progress::Going;
        }
        let (kind, key, replicas) = (self.kind, self.key, self.replicas);
        context.core.emit(Event::Replicated {
            kind,
            key,
            replicas,
        });
        Progress::Over
    }

    fn send(&mut self, context: &mut Context<'_>) {
        while self.under_way < AT_ONCE
            && let Some(contact) = self.queue.pop_front()
        {
            if self.asked.insert(contact.peer) {
                self.under_way += 1;
                let purpose = Purpose::Operation(context.id, 0);
                let body = self.body.clone();
                context.core.call(purpose, contact, wire::STORE, body);
            }
        }
    }
}
