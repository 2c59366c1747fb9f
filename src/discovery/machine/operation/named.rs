//! Providers as tellers name them: who, where, and whose turn it is to be believed.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

use crate::discovery::{Distance, Key};
use crate::identity::PeerId;
use crate::wire::codec::SharedList;
use crate::wire::message::discovery::Contact;

/// Providers that are remembered: all that the 28 nodes of a window can name in one answer each.
const MAX_NAMED: usize = 1_024;

/// Places where a provider is looked for. Tellers that are nearest to the key are believed first: how many liars
/// stand there is bounded, and three do not hide a provider from the fourth.
const MAX_PLACES: usize = 4;

/// Where a provider is said to be, and by whom.
#[derive(Debug, Clone)]
struct Place {
    teller: PeerId,
    /// Of the teller from the key; none where this node knows the place itself.
    distance: Option<Distance>,
    contact: Contact,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It stands in the line of a teller.
    Waiting,
    /// It is being asked at the last of the places that were tried.
    Asked,
    Answered,
    /// It did not answer at any place that was named so far.
    Silent,
}

#[derive(Debug, Clone)]
struct Provider {
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
}

impl Named {
    pub(super) const fn new(key: Key) -> Self {
        Self {
            key,
            providers: BTreeMap::new(),
            order: Vec::new(),
            lines: BTreeMap::new(),
            last: None,
        }
    }

    /// `teller` names a provider; `own` is where this node knows it to be.
    pub(super) fn hear(&mut self, teller: PeerId, own: Option<&Contact>, contact: Contact) {
        let peer = contact.peer;
        let is_new = !self.providers.contains_key(&peer);
        if is_new && self.providers.len() >= MAX_NAMED {
            return;
        }
        let distance = Some(self.key.distance(&teller.into()));
        let provider = self.providers.entry(peer).or_insert_with(|| Provider {
            tried: Vec::new(),
            untried: Vec::new(),
            state: State::Silent,
        });
        if is_new {
            self.order.push(peer);
            provider.untried.extend(own.map(|own| Place {
                teller,
                distance: None,
                contact: own.clone(),
            }));
        }
        provider.hear(Place {
            teller,
            distance,
            contact,
        });
        self.line_up(peer);
    }

    /// Who is to be asked next for a sign of life, and where.
    pub(super) fn next(&mut self) -> Option<Contact> {
        let after = self.last.map_or(Bound::Unbounded, Bound::Excluded);
        let mut later = self.lines.range((after, Bound::Unbounded));
        let next = later.next().or_else(|| self.lines.first_key_value());
        let teller = *next?.0;
        self.last = Some(teller);
        let line = self.lines.get_mut(&teller)?;
        let peer = line.pop_front();
        if line.is_empty() {
            self.lines.remove(&teller);
        }
        self.providers.get_mut(&peer?)?.try_next()
    }

    pub(super) fn answered(&mut self, peer: &PeerId) {
        if let Some(provider) = self.providers.get_mut(peer) {
            provider.state = State::Answered;
        }
    }

    /// A provider did not answer where it was asked, and is looked for at the next place; who named the last one,
    /// if this node did not know it itself.
    pub(super) fn silent(&mut self, peer: &PeerId) -> Option<PeerId> {
        let provider = self.providers.get_mut(peer)?;
        provider.state = State::Silent;
        let place = provider.tried.last()?;
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

    /// All, each with a teller and all places that were named.
    pub(super) fn all(&self) -> Vec<(PeerId, Contact)> {
        let all = self.in_order().filter_map(|(peer, provider)| {
            let mut places: Vec<_> = provider.tried.iter().chain(&provider.untried).collect();
            places.sort_by_key(|place| place.distance);
            let mut addresses = Vec::new();
            for address in places.iter().flat_map(|one| one.contact.addresses.iter()) {
                if !addresses.contains(address) {
                    addresses.push(address.clone());
                }
            }
            let addresses = SharedList::truncated(addresses);
            Some((places.first()?.teller, Contact { peer, addresses }))
        });
        all.collect()
    }

    fn in_order(&self) -> impl Iterator<Item = (PeerId, &Provider)> {
        let order = self.order.iter();
        order.filter_map(|peer| Some((*peer, self.providers.get(peer)?)))
    }

    /// A provider that is neither asked nor waits gets into the line of the teller of its next place.
    fn line_up(&mut self, peer: PeerId) {
        let Some(provider) = self.providers.get_mut(&peer) else {
            return;
        };
        if let (State::Silent, Some(place)) = (provider.state, provider.next_place()) {
            let teller = provider.untried.get(place).map(|place| place.teller);
            let line = teller.map(|teller| self.lines.entry(teller).or_default());
            line.into_iter().for_each(|line| line.push_back(peer));
            provider.state = State::Waiting;
        }
    }
}

impl Provider {
    /// Another place: one of each teller, and of more than are tried those of the nearest tellers.
    fn hear(&mut self, place: Place) {
        let mut places = self.tried.iter().chain(&self.untried);
        let is_known = places.any(|known| {
            let is_same = known.contact.addresses == place.contact.addresses;
            is_same || (known.teller == place.teller && known.distance.is_some())
        });
        if is_known || self.tried.len() >= MAX_PLACES {
            return;
        }
        if self.untried.len() < MAX_PLACES {
            return self.untried.push(place);
        }
        let farthest = self.untried.iter_mut().max_by_key(|known| known.distance);
        if let Some(farthest) = farthest.filter(|known| place.distance < known.distance) {
            *farthest = place;
        }
    }

    fn try_next(&mut self) -> Option<Contact> {
        let place = self.untried.swap_remove(self.next_place()?);
        let contact = place.contact.clone();
        self.tried.push(place);
        self.state = State::Asked;
        Some(contact)
    }

    /// The place that is best known, if it may be tried.
    fn next_place(&self) -> Option<usize> {
        let places = self.untried.iter().enumerate();
        let nearest = places.min_by_key(|(_, place)| place.distance);
        let nearest = nearest.map(|(index, _)| index);
        nearest.filter(|_| self.tried.len() < MAX_PLACES)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::discovery::testing::{at, contact, contact_of, key, peer};

    /// A provider at another address than its own.
    fn misplaced(number: u64, address: u64) -> Contact {
        contact_of(peer(number), address)
    }

    /// A teller that shares so many bits with the key.
    fn teller(bits: u32) -> PeerId {
        at(&key(1).with_flipped_bit(bits))
    }

    #[test]
    fn attack_a_teller_that_invents_hundreds_of_providers_does_not_stand_before_the_others() {
        let mut named = Named::new(key(1));
        for number in 100..400 {
            named.hear(peer(1), None, contact(number));
        }
        named.hear(peer(2), None, contact(2));
        named.hear(peer(3), None, contact(3));
        let first = (0..3).filter_map(|_| named.next());
        let first: BTreeSet<_> = first.map(|one| one.peer).collect();
        assert!(
            first.contains(&peer(2)) && first.contains(&peer(3)),
            "{first:?}"
        );
        assert_eq!(std::iter::from_fn(|| named.next()).count(), 299);
    }

    #[test]
    fn attack_three_that_name_a_provider_at_wrong_addresses_do_not_hide_it() {
        let mut named = Named::new(key(1));
        for liar in [10, 11, 12] {
            named.hear(teller(liar), None, misplaced(7, 80 + u64::from(liar)));
        }
        assert_eq!(
            named.next(),
            Some(misplaced(7, 92)),
            "the nearest one's word"
        );
        assert_eq!(named.next(), None, "one place at a time");
        assert_eq!(named.silent(&peer(7)), Some(teller(12)));
        named.hear(teller(3), None, contact(7));
        for liar in [11, 10] {
            assert_eq!(named.next(), Some(misplaced(7, 80 + u64::from(liar))));
            assert_eq!(named.silent(&peer(7)), Some(teller(liar)));
        }
        assert_eq!(named.next(), Some(contact(7)));
        named.answered(&peer(7));
        assert_eq!(named.live(), [(teller(3), contact(7))]);
    }

    #[test]
    fn four_places_are_tried_those_of_the_nearest_tellers_and_one_of_each() {
        let mut named = Named::new(key(1));
        for bits in 0..9 {
            let number = 90 + u64::from(bits);
            named.hear(teller(bits), None, misplaced(7, number));
            named.hear(teller(bits), None, misplaced(7, 50 + number));
        }
        let tried = std::iter::from_fn(|| {
            let next = named.next();
            named.silent(&peer(7));
            next
        });
        let expected = [98, 97, 96, 95].map(|number| misplaced(7, number));
        assert_eq!(tried.collect::<Vec<_>>(), expected);
        named.hear(teller(20), None, misplaced(7, 7));
        assert_eq!(named.next(), None);
    }

    #[test]
    fn what_this_node_knows_itself_comes_first_and_is_nobodys_lie() {
        let mut named = Named::new(key(1));
        named.hear(teller(3), Some(&contact(7)), misplaced(7, 90));
        assert_eq!(named.next(), Some(contact(7)));
        assert_eq!(named.silent(&peer(7)), None);
        assert_eq!(named.next(), Some(misplaced(7, 90)));
        assert_eq!(named.silent(&peer(7)), Some(teller(3)));
        let all = named.all();
        let [(first, contact)] = &all[..] else {
            panic!("{all:?}");
        };
        assert_eq!((*first, contact.addresses.len()), (teller(3), 2));
    }

    #[test]
    fn a_thousand_and_twenty_four_providers_are_remembered_and_no_more() {
        let mut named = Named::new(key(1));
        for number in 0..1_025 {
            named.hear(peer(5_000), None, contact(number));
        }
        let all = named.all();
        assert_eq!(all.len(), 1_024);
        assert!(all.iter().any(|(_, one)| *one == contact(1_023)));
        // Further places of those that are known are heard all the same.
        named.hear(peer(5_001), None, misplaced(3, 90));
        let addresses = |number| {
            let mut all = named.all().into_iter().map(|(_, one)| one);
            Some(all.find(|one| one.peer == peer(number))?.addresses.len())
        };
        assert_eq!((addresses(3), addresses(1_024)), (Some(2), None));
    }
}
