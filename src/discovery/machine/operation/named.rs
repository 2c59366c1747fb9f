//! Providers as tellers name them: who, where, and whose turn it is to be believed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;

use crate::discovery::contact::all_places;
use crate::discovery::{Distance, Key};
use crate::identity::PeerId;
use crate::wire::Address;
use crate::wire::message::discovery::Contact;

/// Providers that are remembered: all that the 28 nodes of a window can name in one answer each.
const MAX_NAMED: usize = 1_024;

/// Places of others where a provider is looked for. The place that most tellers name comes first: how many liars stand
/// near the key is bounded, and those who know a provider agree on where it is.
const MAX_PLACES: usize = 4;

/// And before all were heard: those who stand at the way to the key are heard first, and would use all places up
/// before anybody near it has a word.
const MAX_EARLY_PLACES: usize = 2;

/// Places that wait, of one provider: as many liars as can stand around a key do not keep the true one out.
const MAX_WAITING: usize = 16;

/// Where a provider is said to be, and by whom first.
#[derive(Debug, Clone)]
struct Place {
    teller: PeerId,
    /// Of the teller from the key; none where this node knows the place itself.
    distance: Option<Distance>,
    /// Tellers that name it, and those that name one of its addresses: holders tell what the asker may reach, in an
    /// order of their own.
    tellers: usize,
    votes: usize,
    /// Whether anything could be sent there: what cost nothing does not count among the places that were tried.
    was_dialled: bool,
    contact: Contact,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It stands in the lines of those who named it.
    Waiting,
    /// It is being asked at the last of the places that were tried.
    Asked,
    Answered,
    /// It did not answer at any place that was named so far.
    Silent,
}

#[derive(Debug, Clone)]
struct Provider {
    /// Whoever named it, once each.
    tellers: BTreeSet<PeerId>,
    tried: Vec<Place>,
    untried: Vec<Place>,
    state: State,
}

/// All that was named. Tellers take turns, so that one that invents hundreds does not stand before the others;
/// and no teller's word about where a provider is stands alone.
#[derive(Debug, Clone)]
pub(super) struct Named {
    key: Key,
    providers: BTreeMap<PeerId, Provider>,
    /// Providers in the order in which they were first named.
    order: Vec<PeerId>,
    lines: BTreeMap<PeerId, VecDeque<PeerId>>,
    last: Option<PeerId>,
    /// Whether those near the key have been heard.
    is_complete: bool,
}

impl Named {
    pub(super) const fn new(key: Key) -> Self {
        Self {
            key,
            providers: BTreeMap::new(),
            order: Vec::new(),
            lines: BTreeMap::new(),
            last: None,
            is_complete: false,
        }
    }

    /// Those near the key have been heard: who is silent so far is looked for at further places.
    pub(super) fn complete(&mut self) {
        if !std::mem::replace(&mut self.is_complete, true) {
            for peer in self.order.clone() {
                self.line_up(peer);
            }
        }
    }

    /// `teller` names a provider; `own` is where this node knows it to be.
    pub(super) fn hear(&mut self, teller: PeerId, own: Option<&Contact>, contact: Contact) {
        let peer = contact.peer;
        let is_new = !self.providers.contains_key(&peer);
        if is_new && self.providers.len() >= MAX_NAMED {
            return;
        }
        let place = |distance, contact| Place {
            teller,
            distance,
            tellers: 1,
            votes: 1,
            was_dialled: true,
            contact,
        };
        let provider = self.providers.entry(peer).or_insert_with(|| Provider {
            tellers: BTreeSet::new(),
            tried: Vec::new(),
            untried: own
                .map(|own| place(None, own.clone()))
                .into_iter()
                .collect(),
            state: State::Silent,
        });
        if is_new {
            self.order.push(peer);
        }
        if !provider.tellers.insert(teller) {
            return;
        }
        provider.hear(place(Some(self.key.distance(&teller.into())), contact));
        match provider.state {
            // It waits in the line of somebody who may have named many before it.
            State::Waiting => self.lines.entry(teller).or_default().push_back(peer),
            _ => self.line_up(peer),
        }
    }

    /// Who is to be asked next for a sign of life, and where.
    pub(super) fn next(&mut self) -> Option<Contact> {
        let most = self.most_places();
        loop {
            let after = self.last.map_or(Bound::Unbounded, Bound::Excluded);
            let mut later = self.lines.range((after, Bound::Unbounded));
            let next = later.next().or_else(|| self.lines.first_key_value());
            let teller = *next?.0;
            self.last = Some(teller);
            let line = self.lines.get_mut(&teller)?;
            let peer = line.pop_front()?;
            if line.is_empty() {
                self.lines.remove(&teller);
            }
            let provider = self.providers.get_mut(&peer);
            // From another line it has been asked already.
            let provider = provider.filter(|one| one.state == State::Waiting);
            if let Some(contact) = provider.and_then(|one| one.try_next(most)) {
                return Some(contact);
            }
        }
    }

    /// A provider is there.
    pub(super) fn answered(&mut self, peer: &PeerId) {
        if let Some(provider) = self.providers.get_mut(peer) {
            provider.state = State::Answered;
        }
    }

    /// A provider did not answer where it was asked, or nothing could be sent there, and is looked for at the next
    /// place; who named the last one, if this node did not know it itself.
    pub(super) fn silent(&mut self, peer: &PeerId, was_dialled: bool) -> Option<PeerId> {
        let provider = self.providers.get_mut(peer)?;
        provider.state = State::Silent;
        let place = provider.tried.last_mut()?;
        place.was_dialled = was_dialled;
        let teller = place.distance.map(|_| place.teller);
        self.line_up(*peer);
        teller
    }

    /// Those that answered, each with the teller of the place where it did, in the order in which they were named.
    pub(super) fn live(&self) -> Vec<(PeerId, Contact)> {
        let live = self.in_order();
        let live = live.filter(|(_, provider)| provider.state == State::Answered);
        let live = live.filter_map(|(_, provider)| {
            let place = provider.tried.last()?;
            Some((place.teller, place.contact.clone()))
        });
        live.collect()
    }

    /// All, each with a teller and addresses of all places that were named, of each in turn: none fills the contact.
    pub(super) fn all(&self) -> Vec<(PeerId, Contact)> {
        let all = self.in_order().filter_map(|(peer, provider)| {
            let mut places: Vec<_> = provider.tried.iter().chain(&provider.untried).collect();
            places.sort_by_key(|place| place.rank());
            let teller = places.first()?.teller;
            let places: Vec<_> = places.into_iter().map(|one| &one.contact).collect();
            Some((teller, all_places(peer, &places)))
        });
        all.collect()
    }

    fn in_order(&self) -> impl Iterator<Item = (PeerId, &Provider)> {
        let order = self.order.iter();
        order.filter_map(|peer| Some((*peer, self.providers.get(peer)?)))
    }

    /// A provider that is neither asked nor waits gets into the line of the teller of its next place.
    fn line_up(&mut self, peer: PeerId) {
        let most = self.most_places();
        let Some(provider) = self.providers.get_mut(&peer) else {
            return;
        };
        if let (State::Silent, Some(place)) = (provider.state, provider.next_place(most)) {
            let teller = provider.untried.get(place).map(|place| place.teller);
            let line = teller.map(|teller| self.lines.entry(teller).or_default());
            line.into_iter().for_each(|line| line.push_back(peer));
            provider.state = State::Waiting;
        }
    }

    const fn most_places(&self) -> usize {
        if self.is_complete {
            MAX_PLACES
        } else {
            MAX_EARLY_PLACES
        }
    }
}

impl Place {
    /// The least is believed first: what this node knows itself, what most agree with, and of that what most say,
    /// who would all be outvoted by one that shares an address with them; what those near the key say.
    fn rank(&self) -> (bool, Reverse<(usize, usize)>, Option<Distance>) {
        let believed = Reverse((self.votes, self.tellers));
        (self.distance.is_some(), believed, self.distance)
    }

    fn shares_with(&self, other: &Self) -> bool {
        let is_told = |address: &Address| other.contact.addresses.contains(address);
        self.contact.addresses.iter().any(is_told)
    }
}

impl Provider {
    /// One more teller, of a place that is known or of another one. All that have an address in common with it have
    /// one more vote.
    fn hear(&mut self, mut place: Place) {
        let mut known = None;
        for other in self.tried.iter_mut().chain(&mut self.untried) {
            if other.contact.addresses == place.contact.addresses {
                known = Some(other);
            } else if other.shares_with(&place) {
                other.votes += 1;
                place.votes += other.tellers;
            }
        }
        if let Some(known) = known {
            known.tellers += 1;
            known.votes += 1;
        } else if self.untried.len() < MAX_WAITING {
            self.untried.push(place);
        } else if let Some(last) = self.untried.iter_mut().max_by_key(|known| known.rank())
            && place.rank() < last.rank()
        {
            *last = place;
        }
    }

    fn try_next(&mut self, most: usize) -> Option<Contact> {
        let place = self.untried.swap_remove(self.next_place(most)?);
        let contact = place.contact.clone();
        self.tried.push(place);
        self.state = State::Asked;
        Some(contact)
    }

    /// The place that is best known, if it may be tried: so many of others.
    fn next_place(&self, most: usize) -> Option<usize> {
        let places = self.untried.iter().enumerate();
        let (index, place) = places.min_by_key(|(_, place)| place.rank())?;
        let of_others = |one: &&Place| one.distance.is_some() && one.was_dialled;
        let of_others = self.tried.iter().filter(of_others).count();
        let may_try = place.distance.is_none() || of_others < most;
        may_try.then_some(index)
    }
}

#[cfg(test)]
mod tests;
