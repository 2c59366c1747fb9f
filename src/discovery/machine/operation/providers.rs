//! Finding who provides a key.

use std::collections::{BTreeSet, VecDeque};

use super::crawl::Crawl;
use super::{Context, Progress};
use crate::discovery::Key;
use crate::discovery::lookup::Found;
use crate::discovery::machine::calls::Purpose;
use crate::discovery::machine::io::{Event, Outcome};
use crate::discovery::machine::search::{Aim, Question, find_node};
use crate::discovery::machine::signal::Signal;
use crate::identity::PeerId;
use crate::wire::codec::encode;
use crate::wire::message::discovery::{self as wire, Contact};

/// Providers that are asked for a sign of life at once.
const PROBES_AT_ONCE: usize = 16;

/// Providers looked at: as many as one key has.
const MAX_PROVIDERS: usize = 256;

/// A lookup that carries the question; where too few are found and the nodes around the key look
/// suspicious, a walk through its region.
#[derive(Debug, Clone)]
pub(in crate::discovery::machine) struct FindProviders {
    key: Key,
    limit: usize,
    only_live: bool,
    seen: BTreeSet<PeerId>,
    /// To be asked for a sign of life.
    queue: VecDeque<Contact>,
    probes: usize,
    providers: Vec<Contact>,
    looked_up: Option<Found>,
    crawl: Option<Crawl>,
}

impl FindProviders {
    pub(in crate::discovery::machine) fn new(key: Key, limit: usize, only_live: bool) -> Self {
        Self {
            key,
            limit: limit.clamp(1, MAX_PROVIDERS),
            only_live,
            seen: BTreeSet::new(),
            queue: VecDeque::new(),
            probes: 0,
            providers: Vec::new(),
            looked_up: None,
            crawl: None,
        }
    }

    pub(super) fn on(&mut self, context: &mut Context<'_>, signal: Signal) -> Progress {
        match signal {
            Signal::Start => {
                let now = context.core.now;
                let held = context
                    .holding
                    .providers(now, &self.key, &mut context.core.rng);
                self.take(context, held);
                let question = Question::Providers { key: self.key };
                context
                    .core
                    .search(context.id, Aim::asking(self.key, question));
            }
            Signal::Providers(named) => self.take(context, named),
            Signal::Found(search, found) => match &mut self.crawl {
                Some(crawl) => _ = crawl.found(context, search, &found),
                None => self.looked_up = Some(found),
            },
            Signal::Answered { contact, .. } => {
                self.probes -= 1;
                self.providers.push(contact);
            }
            Signal::Unanswered { .. } => self.probes -= 1,
            _ => {}
        }
        self.conclude(context)
    }

    fn take(&mut self, context: &Context<'_>, named: Vec<Contact>) {
        for provider in named {
            let is_self = provider.peer == context.core.local;
            if is_self || self.seen.len() >= MAX_PROVIDERS || !self.seen.insert(provider.peer) {
                continue;
            }
            if self.only_live {
                self.queue.push_back(provider);
            } else {
                self.providers.push(provider);
            }
        }
    }

    fn probe(&mut self, context: &mut Context<'_>) {
        while self.probes < PROBES_AT_ONCE
            && let Some(provider) = self.queue.pop_front()
        {
            self.probes += 1;
            let body = encode(&find_node(*self.key.as_bytes(), 0));
            let purpose = Purpose::Operation(context.id, 0);
            context.core.call(purpose, provider, wire::FIND_NODE, body);
        }
    }

    fn is_searched(&self) -> bool {
        match &self.crawl {
            Some(crawl) => crawl.is_over(),
            None => self.looked_up.is_some(),
        }
    }

    /// Walks through the region if nobody was found where there should be somebody.
    fn walk(&mut self, context: &mut Context<'_>) -> bool {
        let Some(found) = &self.looked_up else {
            return false;
        };
        let is_called_for = found.is_suspicious && context.core.config.region;
        if self.crawl.is_some() || !self.providers.is_empty() || !is_called_for {
            return false;
        }
        if context.core.density().is_bounded() {
            context.core.emit(Event::Suspicious { target: self.key });
        }
        let question = Question::Providers { key: self.key };
        let crawl = Crawl::start(context, self.key, question, &found.answered);
        let is_over = crawl.is_over();
        self.crawl = Some(crawl);
        !is_over
    }

    fn conclude(&mut self, context: &mut Context<'_>) -> Progress {
        self.probe(context);
        if self.providers.len() < self.limit {
            let is_waiting = !self.is_searched() || self.probes > 0;
            if is_waiting || self.walk(context) {
                return Progress::Going;
            }
        }
        let mut providers = std::mem::take(&mut self.providers);
        providers.truncate(self.limit);
        context.done(Outcome::Providers(providers));
        Progress::Over
    }
}
