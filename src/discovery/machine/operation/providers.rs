//! Finding who provides a key.

use std::collections::BTreeMap;

use super::crawl::Crawl;
use super::named::Named;
use super::{Context, Progress};
use crate::discovery::Key;
use crate::discovery::config::HARDENED_PATHS;
use crate::discovery::lookup::Found;
use crate::discovery::machine::calls::Purpose;
use crate::discovery::machine::io::{Event, Outcome};
use crate::discovery::machine::search::{Aim, Question, find_node};
use crate::discovery::machine::signal::{Absence, Signal};
use crate::identity::PeerId;
use crate::wire::codec::encode;
use crate::wire::message::discovery::{self as wire, Contact};

/// Providers that are asked for a sign of life at once.
const PROBES_AT_ONCE: usize = 16;

/// Providers that are returned, and that are asked for a sign of life: as many as one key has at one
/// holder.
const MAX_PROVIDERS: usize = 256;

/// Of these, places to which nothing could be sent and which do not count: all that a lookup remembers, once each.
const MAX_NOT_DIALLED: usize = 1_024;

/// A lookup that carries the question; where too few are found and the nodes around the key look
/// suspicious, a walk through its region.
#[derive(Debug, Clone)]
pub(in crate::discovery::machine) struct FindProviders {
    key: Key,
    limit: usize,
    only_live: bool,
    named: Named,
    /// How many were asked for a sign of life, and how many are being asked.
    probed: usize,
    probes: usize,
    /// How many could not be asked for want of an address or a budget: liars name such ones before others.
    not_dialled: usize,
    looked_up: Option<Found>,
    crawl: Option<Crawl>,
}

impl FindProviders {
    pub(in crate::discovery::machine) fn new(key: Key, limit: usize, only_live: bool) -> Self {
        Self {
            key,
            limit: limit.clamp(1, MAX_PROVIDERS),
            only_live,
            named: Named::new(key),
            probed: 0,
            probes: 0,
            not_dialled: 0,
            looked_up: None,
            crawl: None,
        }
    }

    pub(super) fn on(&mut self, context: &mut Context<'_>, signal: Signal) -> Progress {
        match signal {
            Signal::Start => self.start(context),
            Signal::Providers { teller, providers } => self.take(context, teller, providers),
            Signal::Found(search, found) => match &mut self.crawl {
                Some(crawl) => _ = crawl.found(context, search, &found),
                None => {
                    self.looked_up = Some(found);
                    self.named.complete();
                }
            },
            Signal::Answered { contact, .. } => {
                self.probes -= 1;
                self.named.answered(&contact.peer);
            }
            Signal::Unanswered {
                contact,
                why: Absence::Busy | Absence::Unwilling,
                ..
            } => {
                // Who has no time is there, and so is a client, which serves no questions.
                self.probes -= 1;
                self.named.answered(&contact.peer);
            }
            Signal::Unanswered { contact, why, .. } => {
                self.probes -= 1;
                let was_dialled = why != Absence::NotDialled;
                if !was_dialled && self.not_dialled < MAX_NOT_DIALLED {
                    self.not_dialled += 1;
                    self.probed -= 1;
                }
                let teller = self.named.silent(&contact.peer, was_dialled);
                let teller = teller.filter(|teller| *teller != context.core.local);
                if let (Absence::SomebodyElse(group), Some(teller)) = (why, teller) {
                    context.core.caught(teller, group);
                }
            }
            _ => {}
        }
        self.conclude(context)
    }

    /// Whoever wants live providers asks on several paths: a role is what others meet by.
    fn start(&mut self, context: &mut Context<'_>) {
        let now = context.core.now;
        let held = context
            .holding
            .providers(now, &self.key, &mut context.core.rng);
        let local = context.core.local;
        self.take(context, local, held);
        let question = Question::Providers { key: self.key };
        let aim = Aim::asking(self.key, question);
        let paths = if self.only_live { HARDENED_PATHS } else { 1 };
        context.core.search(context.id, Aim { paths, ..aim });
    }

    fn take(&mut self, context: &Context<'_>, teller: PeerId, named: Vec<Contact>) {
        let local = context.core.local;
        for provider in named.into_iter().filter(|one| one.peer != local) {
            let own = context.core.known_contact(&provider.peer);
            let is_reachable = |peer| context.core.links.is_connected(peer);
            let has_place = !provider.addresses.is_empty() || is_reachable(&provider.peer);
            match own {
                // Its addresses are hidden from this node, which knows better.
                Some(own) if !has_place => self.named.hear(teller, Some(own), own.clone()),
                _ if has_place => self.named.hear(teller, own, provider),
                _ => {}
            }
        }
    }

    fn probe(&mut self, context: &mut Context<'_>) {
        while self.only_live
            && self.probes < PROBES_AT_ONCE
            && self.probed < MAX_PROVIDERS
            && let Some(provider) = self.named.next()
        {
            self.probes += 1;
            self.probed += 1;
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
        let is_called_for = found.is_dense && context.core.config.region;
        // In a network of a few nodes every lookup finds fewer than k.
        let is_found = !self.found().is_empty() && !context.core.density().is_bounded();
        if self.crawl.is_some() || is_found || !is_called_for {
            return false;
        }
        if found.is_suspicious && context.core.density().is_bounded() {
            context.core.emit(Event::Suspicious { target: self.key });
        }
        let question = Question::Providers { key: self.key };
        let crawl = Crawl::start(context, self.key, question, &found.answered);
        let is_over = crawl.is_over();
        self.crawl = Some(crawl);
        !is_over
    }

    /// The providers that were found; of one teller's no more than a quarter of the limit, until all have
    /// been heard, and then after those of others: the first could name its accomplices only.
    fn found(&self) -> Vec<Contact> {
        let is_searched = self.is_searched();
        let most = (self.limit / 4).max(1);
        let mut by_teller: BTreeMap<PeerId, usize> = BTreeMap::new();
        let found = if self.only_live {
            self.named.live()
        } else {
            self.named.all()
        };
        let (mut believed, rest): (Vec<_>, Vec<_>) = found.into_iter().partition(|(teller, _)| {
            let count = by_teller.entry(*teller).or_default();
            *count += 1;
            *count <= most
        });
        if is_searched {
            believed.extend(rest);
        }
        let believed = believed.into_iter().take(self.limit);
        believed.map(|(_, provider)| provider).collect()
    }

    fn conclude(&mut self, context: &mut Context<'_>) -> Progress {
        self.probe(context);
        let providers = self.found();
        if providers.len() < self.limit {
            let is_waiting = !self.is_searched() || self.probes > 0;
            if is_waiting || self.walk(context) {
                return Progress::Going;
            }
        }
        context.done(Outcome::Providers(providers));
        Progress::Over
    }
}
