//! One path of a lookup: its window, its concurrency, its end.

use std::collections::BTreeMap;

use super::claims::Claims;
use super::shortlist::{Candidate, Shortlist, State};
use super::{LookupPolicy, MAX_REQUESTS};
use crate::discovery::config::K;
use crate::discovery::region::{REACH, surroundings};
use crate::discovery::{Density, Distance, Key};
use crate::identity::PeerId;
use crate::wire::message::discovery::Contact;

/// Nodes of the window once the nearest has answered: k and 40 % more, all asked at once, so that
/// the end does not wait for those that turn out to be dead. It costs no messages and halves the
/// time.
const END_WINDOW: usize = 28;

/// Where more than k nodes stand though fewer than this are expected, somebody may have put them there
/// (chance: 1 in 600, and 1 in 70 if the estimate is too low by a fifth; a lookup then costs some forty
/// requests more).
const TOO_DENSE: f64 = 10.0;

/// Behind a window that is too dense this many more must answer: those in it may all be one's, who names
/// nobody else, and whoever lives next to them knows the others. They are asked first: a crowd that names
/// ever more would be all that a lookup has requests for. And they are not those that the crowd names: it
/// would invent as many as are needed, just behind it.
const WITNESSES: usize = 8;

/// After so many requests, twice as many as a lookup takes with a third of all nodes dead, it is being led
/// astray, by a crowd that invents others nearer to the target than its own: then witnesses are asked, too, and
/// a teller is not believed any more after the first of its contacts that is silent, until others answer.
const ASTRAY: usize = 96;

/// Where fewer than k nodes are known, this many must have answered for each that is given up;
/// otherwise those are waited for. A host with too much to do gives up nodes that are alive, and a
/// lookup that believes itself finds nothing.
const TRUSTED: usize = 4;

/// A teller of whose contacts this many did not answer, and more than [`HOLLOW`] times as many as did,
/// is not believed any more in this lookup. Where a third of all nodes is dead, an honest one names one
/// that is silent for two that answer.
const SILENT: u16 = 8;
const HOLLOW: u16 = 3;

#[derive(Debug, Clone)]
pub(super) struct Path {
    shortlist: Shortlist,
    tellers: BTreeMap<PeerId, Word>,
    alpha: usize,
    alpha_max: usize,
    in_flight: usize,
    requests: usize,
    /// Requests that were sent twice.
    repetitions: usize,
}

/// What a teller's word is worth: how many of those that it named answered, and how many did not.
#[derive(Debug, Clone, Copy, Default)]
struct Word {
    answered: u16,
    silent: u16,
    /// Those that were given up and may still answer.
    late: u16,
}

/// What a look at the window says.
struct Window {
    /// The nearest node in it that was not asked.
    next: Option<usize>,
    /// Whether all that count have answered.
    is_settled: bool,
    /// Ids above the quota before the k-th accepted node.
    over_quota: usize,
}

/// What a lookup wants of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It must answer.
    Needed,
    /// It must answer, and is asked first: it lives beside a crowd.
    Witness,
    /// It need not answer.
    Spare,
}

/// How far a look at the window goes, from the nearest node on.
struct Reach<'a> {
    density: &'a Density,
    /// Whether witnesses are called whatever the density.
    is_astray: bool,
    /// Whether the window lies too dense.
    is_extended: bool,
    extended_to: f64,
    witnesses: usize,
}

impl<'a> Reach<'a> {
    fn new(density: &'a Density, is_astray: bool) -> Self {
        Self {
            density,
            is_astray: is_astray && density.is_bounded(),
            is_extended: false,
            extended_to: surroundings(REACH, density.size()),
            witnesses: 0,
        }
    }

    const fn lacks_witnesses(&self) -> bool {
        (self.is_extended || self.is_astray) && self.witnesses < WITNESSES
    }

    /// What the next node is, behind `counted` others.
    fn role(&mut self, distance: &Distance, counted: usize, is_known_beyond: bool) -> Role {
        if counted >= K {
            let is_dense = self.density.expected(distance) < TOO_DENSE;
            self.is_extended |= self.density.is_bounded() && is_dense;
        }
        let is_inside = distance.fraction() < self.extended_to;
        if self.lacks_witnesses() && !is_inside && is_known_beyond {
            Role::Witness
        } else if counted < K || self.is_extended && is_inside {
            Role::Needed
        } else {
            Role::Spare
        }
    }
}

impl Path {
    pub(super) const fn new(target: Key, policy: &LookupPolicy) -> Self {
        Self {
            shortlist: Shortlist::new(target),
            tellers: BTreeMap::new(),
            alpha: policy.alpha,
            alpha_max: policy.alpha_max,
            in_flight: 0,
            requests: 0,
            repetitions: 0,
        }
    }

    /// Requests that were sent, those that were repeated each time.
    pub(super) const fn sent(&self) -> usize {
        self.requests + self.repetitions
    }

    /// A contact from the asker's own table: one request leads to it.
    pub(super) fn add(&mut self, contact: Contact) {
        self.shortlist.add(contact, 1, None);
    }

    pub(super) fn next_request(
        &mut self,
        claims: &mut Claims,
        density: &Density,
    ) -> Option<Contact> {
        loop {
            if self.in_flight >= self.slots() || self.requests >= MAX_REQUESTS {
                return None;
            }
            let next = self.window(density).next?;
            let candidate = self.shortlist.get_mut(next)?;
            if !claims.claim(&candidate.contact) && !candidate.was_asked {
                candidate.state = State::Foreign;
                continue;
            }
            candidate.state = State::InFlight;
            self.in_flight += 1;
            self.requests += 1;
            return Some(candidate.contact.clone());
        }
    }

    pub(super) fn answered(&mut self, peer: &PeerId, contacts: Vec<Contact>) {
        let nearest = self.shortlist.nearest();
        let Some(candidate) = self.shortlist.find_mut(peer) else {
            return;
        };
        let was = candidate.state;
        if candidate.state == State::InFlight {
            self.in_flight -= 1;
        }
        let is_first = candidate.state != State::Answered;
        candidate.state = State::Answered;
        let hops = candidate.hops.saturating_add(1);
        if let Some(teller) = candidate.teller.filter(|_| is_first) {
            let word = self.tellers.entry(teller).or_default();
            word.answered = word.answered.saturating_add(1);
            word.silent = word.silent.saturating_sub(u16::from(was == State::Failed));
            word.late = word.late.saturating_sub(u16::from(was == State::GivenUp));
        }
        for contact in contacts {
            self.shortlist.add(contact, hops, Some(*peer));
        }
        if self.shortlist.nearest() >= nearest {
            self.alpha = self.alpha.saturating_mul(2).min(self.alpha_max);
        }
    }

    pub(super) fn slow(&mut self, peer: &PeerId, may_repeat: bool, density: &Density) -> bool {
        if !self.leave_flight(peer, State::Slow) {
            return false;
        }
        self.alpha = (self.alpha + 1).min(self.alpha_max);
        let repeats = may_repeat && self.is_among_nearest(peer, density);
        self.repetitions += usize::from(repeats);
        repeats
    }

    pub(super) fn still_slow(&mut self, peer: &PeerId, density: &Density) -> bool {
        let is_slow = self.state(peer) == Some(State::Slow);
        let repeats = is_slow && self.is_among_nearest(peer, density);
        self.repetitions += usize::from(repeats);
        repeats
    }

    pub(super) fn given_up(&mut self, peer: &PeerId) {
        let former = self.state(peer);
        self.end(peer, State::GivenUp);
        if matches!(former, Some(State::InFlight | State::Slow))
            && let Some(teller) = self.teller(peer)
        {
            let word = self.tellers.entry(teller).or_default();
            word.late = word.late.saturating_add(1);
        }
    }

    pub(super) fn failed(&mut self, peer: &PeerId) {
        let former = self.state(peer);
        let had_failed = former == Some(State::Failed);
        self.end(peer, State::Failed);
        let candidate = self.shortlist.find_mut(peer);
        let Some(candidate) = candidate.filter(|one| one.state == State::Failed && !had_failed)
        else {
            return;
        };
        if let Some(teller) = candidate.teller {
            let word = self.tellers.entry(teller).or_default();
            word.silent = word.silent.saturating_add(1);
            word.late = word
                .late
                .saturating_sub(u16::from(former == Some(State::GivenUp)));
        }
        candidate.try_elsewhere();
    }

    pub(super) fn is_finished(&self, density: &Density) -> bool {
        let is_spent = self.requests >= MAX_REQUESTS && self.in_flight == 0;
        is_spent || self.window(density).is_settled
    }

    pub(super) fn over_quota(&self, density: &Density) -> usize {
        self.window(density).over_quota
    }

    pub(super) fn has_asked(&self, peer: &PeerId) -> bool {
        let candidate = self.shortlist.find(peer);
        candidate.is_some_and(|one| !matches!(one.state, State::New | State::Foreign))
    }

    /// Whether an answer may come.
    pub(super) fn awaits(&self, peer: &PeerId) -> bool {
        let is_open = |state| matches!(state, State::InFlight | State::Slow | State::GivenUp);
        self.state(peer).is_some_and(is_open)
    }

    /// Another path asked a node in vain. If this one was told another place, it may ask there.
    pub(super) fn released(&mut self, peer: &PeerId, claims: &Claims) {
        let candidate = self.shortlist.find_mut(peer);
        if let Some(candidate) = candidate.filter(|one| one.state == State::Foreign)
            && candidate.moves_to_where(|place| claims.may_ask(place))
        {
            candidate.state = State::New;
        }
    }

    /// Where a node was asked in vain, if there is no other place to ask.
    pub(super) fn in_vain(&self, peer: &PeerId) -> Option<Vec<Contact>> {
        let candidate = self.shortlist.find(peer);
        let failed = candidate.filter(|one| one.state == State::Failed)?;
        Some(failed.places().cloned().collect())
    }

    pub(super) fn has_answered(&self, peer: &PeerId) -> bool {
        self.state(peer) == Some(State::Answered)
    }

    fn state(&self, peer: &PeerId) -> Option<State> {
        self.shortlist.find(peer).map(|one| one.state)
    }

    pub(super) fn hops(&self, peer: &PeerId) -> Option<u8> {
        self.shortlist.find(peer).map(|one| one.hops)
    }

    pub(super) fn contact(&self, peer: &PeerId) -> Option<&Contact> {
        self.shortlist.find(peer).map(|one| &one.contact)
    }

    /// Wherever a node is said to be.
    pub(super) fn places(&self, peer: &PeerId) -> impl Iterator<Item = &Contact> {
        let candidate = self.shortlist.find(peer);
        candidate.into_iter().flat_map(Candidate::places)
    }

    pub(super) fn teller(&self, peer: &PeerId) -> Option<PeerId> {
        self.shortlist.find(peer)?.teller
    }

    pub(super) fn responders(&self) -> impl Iterator<Item = &Contact> {
        let answered = self
            .shortlist
            .iter()
            .filter(|one| one.state == State::Answered);
        answered.map(|one| &one.contact)
    }

    /// Whether a node may be one of the k nearest in the end: of those that may answer it is one of the k, and some
    /// more for those that will not. Who names invented ones does not push it out: as in the window, those of a hollow
    /// teller do not count, and of a crowd as many as the quota takes.
    fn is_among_nearest(&self, peer: &PeerId, density: &Density) -> bool {
        let mut accepted = Vec::with_capacity(END_WINDOW);
        let mut counted = 0;
        for candidate in self.shortlist.iter() {
            let is_out = match candidate.state {
                State::GivenUp | State::Failed | State::Foreign => true,
                State::New => self.is_hollow(candidate),
                State::InFlight | State::Slow | State::Answered => false,
            };
            let is_out = is_out || density.is_over(&accepted, &candidate.distance);
            if candidate.contact.peer == *peer {
                return !is_out;
            }
            counted += usize::from(!is_out);
            if counted >= END_WINDOW {
                return false;
            }
            if !is_out && candidate.state != State::Slow {
                accepted.push(candidate.distance);
            }
        }
        false
    }

    /// Ends a request that has no answer, as far as it had not ended already.
    fn end(&mut self, peer: &PeerId, state: State) {
        if !self.leave_flight(peer, state)
            && let Some(candidate) = self.shortlist.find_mut(peer)
            && matches!(candidate.state, State::Slow | State::GivenUp)
        {
            candidate.state = state;
        }
    }

    /// Ends a request that was in flight; `false` if it was not.
    fn leave_flight(&mut self, peer: &PeerId, state: State) -> bool {
        let Some(candidate) = self.shortlist.find_mut(peer) else {
            return false;
        };
        if candidate.state != State::InFlight {
            return false;
        }
        candidate.state = state;
        self.in_flight -= 1;
        true
    }

    /// Whether the teller of a candidate names nodes that are not there.
    fn is_hollow(&self, candidate: &Candidate) -> bool {
        let word = candidate.teller.and_then(|one| self.tellers.get(&one));
        word.is_some_and(|word| {
            let (silent, enough) = if self.is_astray() {
                (word.silent.saturating_add(word.late), 1)
            } else {
                (word.silent, SILENT)
            };
            silent >= enough && silent > word.answered.saturating_mul(HOLLOW)
        })
    }

    const fn is_astray(&self) -> bool {
        self.requests >= ASTRAY
    }

    /// Whether the nearest node that may still answer in time has answered.
    fn is_end(&self) -> bool {
        let mut hopeful = self.shortlist.iter();
        let is_hopeful = |state| matches!(state, State::New | State::InFlight | State::Answered);
        let nearest = hopeful.find(|one| is_hopeful(one.state));
        nearest.is_some_and(|one| one.state == State::Answered)
    }

    /// Requests that may be under way.
    fn slots(&self) -> usize {
        if self.is_end() {
            END_WINDOW
        } else {
            self.alpha
        }
    }

    fn window(&self, density: &Density) -> Window {
        let width = if self.is_end() { END_WINDOW } else { K };
        let mut window = Window {
            next: None,
            is_settled: true,
            over_quota: 0,
        };
        let mut accepted = Vec::with_capacity(width);
        let mut reach = Reach::new(density, self.is_astray());
        let (mut counted, mut given_up) = (0, 0);
        let (mut next, mut witness) = (None, None);
        for (index, candidate) in self.shortlist.iter().enumerate() {
            if matches!(
                candidate.state,
                State::GivenUp | State::Failed | State::Foreign
            ) {
                given_up += usize::from(candidate.state == State::GivenUp);
                continue;
            }
            let is_new = candidate.state == State::New;
            if is_new && self.is_hollow(candidate) {
                continue;
            }
            if density.is_over(&accepted, &candidate.distance) {
                window.over_quota += usize::from(counted < K);
                continue;
            }
            let is_known_beyond =
                !is_new || self.shortlist.is_known_beyond(candidate, reach.extended_to);
            let role = reach.role(&candidate.distance, counted, is_known_beyond);
            if role == Role::Spare && counted >= width {
                if reach.lacks_witnesses() {
                    continue;
                }
                break;
            }
            if is_new {
                let first = match role {
                    Role::Witness => &mut witness,
                    Role::Needed | Role::Spare => &mut next,
                };
                *first = first.or(Some(index));
            }
            window.is_settled &= role == Role::Spare || candidate.state == State::Answered;
            // Who is silent takes no place from those behind it: it may have been invented.
            if candidate.state != State::Slow {
                accepted.push(candidate.distance);
                reach.witnesses += usize::from(role == Role::Witness);
                counted += 1;
            }
        }
        window.next = witness.or(next);
        // So many are late that this node itself may be: it waits for them.
        window.is_settled &= counted >= K || given_up * TRUSTED <= counted;
        window
    }
}

#[cfg(test)]
mod tests;
