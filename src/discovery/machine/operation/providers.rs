//! Finding who provides a key.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

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

/// Providers that are returned, and that are asked for a sign of life: as many as one key has at one
/// holder.
const MAX_PROVIDERS: usize = 256;

/// Providers that are remembered: all that the 28 nodes of a window can name in one answer each.
const MAX_NAMED: usize = 1_024;

/// A lookup that carries the question; where too few are found and the nodes around the key look
/// suspicious, a walk through its region.
#[derive(Debug, Clone)]
pub(in crate::discovery::machine) struct FindProviders {
    key: Key,
    limit: usize,
    only_live: bool,
    /// Providers that were named, and who named each first.
    seen: BTreeMap<PeerId, PeerId>,
    /// To be asked for a sign of life.
    queue: Turns,
    probed: usize,
    probes: usize,
    providers: Vec<Contact>,
    looked_up: Option<Found>,
    crawl: Option<Crawl>,
}

/// What each teller named; they take turns, so that one that invents hundreds does not stand before the
/// others.
#[derive(Debug, Clone, Default)]
struct Turns {
    named: BTreeMap<PeerId, VecDeque<Contact>>,
    last: Option<PeerId>,
}

impl Turns {
    fn push(&mut self, teller: PeerId, provider: Contact) {
        self.named.entry(teller).or_default().push_back(provider);
    }

    fn pop(&mut self) -> Option<Contact> {
        let after = self.last.map_or(Bound::Unbounded, Bound::Excluded);
        let mut later = self.named.range((after, Bound::Unbounded));
        let next = later.next().or_else(|| self.named.first_key_value());
        let teller = *next?.0;
        self.last = Some(teller);
        let named = self.named.get_mut(&teller)?;
        let provider = named.pop_front();
        if named.is_empty() {
            self.named.remove(&teller);
        }
        provider
    }
}

impl FindProviders {
    pub(in crate::discovery::machine) fn new(key: Key, limit: usize, only_live: bool) -> Self {
        Self {
            key,
            limit: limit.clamp(1, MAX_PROVIDERS),
            only_live,
            seen: BTreeMap::new(),
            queue: Turns::default(),
            probed: 0,
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
                let local = context.core.local;
                self.take(context, local, held);
                let question = Question::Providers { key: self.key };
                context
                    .core
                    .search(context.id, Aim::asking(self.key, question));
            }
            Signal::Providers { teller, providers } => self.take(context, teller, providers),
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

    fn take(&mut self, context: &Context<'_>, teller: PeerId, named: Vec<Contact>) {
        for provider in named {
            let is_self = provider.peer == context.core.local;
            let is_known = self.seen.contains_key(&provider.peer);
            if is_self || is_known || self.seen.len() >= MAX_NAMED {
                continue;
            }
            self.seen.insert(provider.peer, teller);
            if self.only_live {
                self.queue.push(teller, provider);
            } else {
                self.providers.push(provider);
            }
        }
    }

    fn probe(&mut self, context: &mut Context<'_>) {
        while self.probes < PROBES_AT_ONCE
            && self.probed < MAX_PROVIDERS
            && let Some(provider) = self.queue.pop()
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
        let is_found = !self.providers.is_empty() && !context.core.density().is_bounded();
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
    /// been heard: the first could name its accomplices only.
    fn found(&self) -> impl Iterator<Item = &Contact> {
        let is_searched = self.is_searched();
        let most = (self.limit / 4).max(1);
        let mut by_teller: BTreeMap<PeerId, usize> = BTreeMap::new();
        self.providers.iter().filter(move |provider| {
            let Some(teller) = self.seen.get(&provider.peer) else {
                return false;
            };
            let count = by_teller.entry(*teller).or_default();
            *count += 1;
            is_searched || *count <= most
        })
    }

    fn conclude(&mut self, context: &mut Context<'_>) -> Progress {
        self.probe(context);
        if self.found().count() < self.limit {
            let is_waiting = !self.is_searched() || self.probes > 0;
            if is_waiting || self.walk(context) {
                return Progress::Going;
            }
        }
        let providers = self.found().take(self.limit).cloned().collect();
        context.done(Outcome::Providers(providers));
        Progress::Over
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::discovery::testing::{contact, peer};

    #[test]
    fn attack_a_teller_that_invents_hundreds_of_providers_does_not_stand_before_the_others() {
        let mut turns = Turns::default();
        for number in 100..400 {
            turns.push(peer(1), contact(number));
        }
        turns.push(peer(2), contact(2));
        turns.push(peer(3), contact(3));
        let first: BTreeSet<_> = (0..3)
            .filter_map(|_| turns.pop())
            .map(|one| one.peer)
            .collect();
        assert!(
            first.contains(&peer(2)) && first.contains(&peer(3)),
            "{first:?}"
        );
        assert_eq!(std::iter::from_fn(|| turns.pop()).count(), 299);
    }
}
