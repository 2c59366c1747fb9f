//! The nodes that a path knows, nearest first.

use crate::discovery::{Density, Distance, Key};
use crate::identity::PeerId;
use crate::wire::message::discovery::Contact;

/// Nodes that a path keeps. The window is 28 wide; behind it must be room for those that fail and for
/// those above the density quota, which are several hundred in an attack.
const MAX_CANDIDATES: usize = 1_024;

/// Longest chain of nodes that named each other. Among 50 000 nodes the longest has 6.
pub const MAX_HOPS: u8 = 20;

/// Places of others where a node is looked for beside the first: no teller's word stands alone, and each that is false
/// may cost a second.
const MAX_OTHERS: usize = 2;

/// What became of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Not asked.
    New,
    /// Asked; the answer may still come in time.
    InFlight,
    /// Asked, and late: it holds no slot, and the end waits for it.
    Slow,
    /// Given up; it may answer all the same, and where there are few others the end waits for it.
    GivenUp,
    /// It will not answer.
    Failed,
    /// Another path asked it.
    Foreign,
    /// It answered.
    Answered,
}

#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) distance: Distance,
    pub(super) contact: Contact,
    /// Who named it; nobody, if the asker knew it.
    pub(super) teller: Option<PeerId>,
    /// What others say of where it is, for when it does not answer there.
    others: Vec<(Contact, PeerId)>,
    /// Where it was asked in vain before.
    in_vain: Vec<Contact>,
    pub(super) state: State,
    /// Whether this path asked it before, at another address.
    pub(super) was_asked: bool,
    /// Requests in the chain to this node, the one to it included.
    pub(super) hops: u8,
}

impl Candidate {
    /// Somebody else names it, too. The first teller's word is not the last: it may be out of date, or
    /// a lie. Of several, who lives farther from the target is believed first, as long as nobody was asked:
    /// it has no part in what goes on there.
    fn hear(&mut self, contact: Contact, teller: PeerId, is_farther: bool) {
        let is_new = self
            .places()
            .all(|known| known.addresses != contact.addresses);
        if is_farther && self.state == State::New && !self.was_asked {
            let former = std::mem::replace(&mut self.contact, contact);
            let former = (former, self.teller.replace(teller));
            let place = &self.contact.addresses;
            self.others.retain(|(other, _)| other.addresses != *place);
            if let (former, Some(teller)) = former
                && former.addresses != *place
            {
                self.others.insert(0, (former, teller));
                self.others.truncate(MAX_OTHERS);
            }
        } else if is_new && self.others.len() + self.in_vain.len() < MAX_OTHERS {
            self.others.push((contact, teller));
            if self.state == State::Failed {
                self.try_elsewhere();
            }
        }
    }

    /// Wherever it is said to be, the place first at which it is asked, or was.
    pub(super) fn places(&self) -> impl Iterator<Item = &Contact> {
        let others = self.others.iter().map(|(contact, _)| contact);
        [&self.contact]
            .into_iter()
            .chain(others)
            .chain(&self.in_vain)
    }

    /// Takes the first of its places that may be asked; `false` if there is none.
    pub(super) fn moves_to_where(&mut self, may_ask: impl Fn(&Contact) -> bool) -> bool {
        if may_ask(&self.contact) {
            return true;
        }
        let place = self.others.iter().position(|(other, _)| may_ask(other));
        let Some((contact, teller)) = place.map(|place| self.others.remove(place)) else {
            return false;
        };
        self.contact = contact;
        self.teller = Some(teller);
        true
    }

    /// It does not answer where it was asked: it is asked where somebody else says it is.
    pub(super) fn try_elsewhere(&mut self) {
        if !self.others.is_empty() {
            let (contact, teller) = self.others.remove(0);
            let asked = std::mem::replace(&mut self.contact, contact);
            self.in_vain.push(asked);
            self.teller = Some(teller);
            self.state = State::New;
            self.was_asked = true;
        }
    }
}

/// Candidates in ascending order of their distance to the target.
#[derive(Debug, Clone)]
pub(super) struct Shortlist {
    target: Key,
    candidates: Vec<Candidate>,
}

impl Shortlist {
    pub(super) const fn new(target: Key) -> Self {
        Self {
            target,
            candidates: Vec::new(),
        }
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Candidate> {
        self.candidates.iter()
    }

    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut Candidate> {
        self.candidates.get_mut(index)
    }

    /// Enters a node unless the chain to it is too long, or better ones fill the list.
    pub(super) fn add(&mut self, contact: Contact, hops: u8, teller: Option<PeerId>) {
        if hops > MAX_HOPS {
            return;
        }
        let distance = self.distance(&contact.peer);
        let index = match self.position(&distance) {
            Ok(index) => return self.hear(index, contact, teller),
            Err(index) => index,
        };
        if self.candidates.len() >= MAX_CANDIDATES {
            // Never one that was asked: it holds a slot until it answers or is given up.
            let is_spare = |one: &Candidate| one.state == State::New;
            match self.candidates.iter().rposition(is_spare) {
                Some(farthest) if farthest >= index => _ = self.candidates.remove(farthest),
                _ => return,
            }
        }
        let state = State::New;
        let candidate = Candidate {
            distance,
            contact,
            teller,
            others: Vec::new(),
            in_vain: Vec::new(),
            state,
            was_asked: false,
            hops,
        };
        self.candidates.insert(index, candidate);
    }

    fn hear(&mut self, index: usize, contact: Contact, teller: Option<PeerId>) {
        let target = self.target;
        let place = |peer: PeerId| target.distance(&Key::from(peer));
        if let (Some(known), Some(teller)) = (self.candidates.get_mut(index), teller) {
            let is_farther = known.teller.is_some_and(|one| place(one) < place(teller));
            known.hear(contact, teller, is_farther);
        }
    }

    /// Whether a node is known from elsewhere than its target's surroundings, which take so much of all keys: to
    /// the asker itself, or from somebody who does not live there.
    pub(super) fn is_known_beyond(&self, candidate: &Candidate, surroundings: f64) -> bool {
        let teller = candidate.teller.as_ref();
        teller.is_none_or(|peer| self.distance(peer).fraction() >= surroundings)
    }

    pub(super) fn find(&self, peer: &PeerId) -> Option<&Candidate> {
        let index = self.position(&self.distance(peer)).ok()?;
        self.candidates.get(index)
    }

    pub(super) fn find_mut(&mut self, peer: &PeerId) -> Option<&mut Candidate> {
        let index = self.position(&self.distance(peer)).ok()?;
        self.candidates.get_mut(index)
    }

    /// The nearest node that was not given up, asked or not.
    pub(super) fn nearest(&self) -> Option<Distance> {
        let mut alive = self.candidates.iter();
        let is_out = |one: &Candidate| matches!(one.state, State::GivenUp | State::Failed);
        let nearest = alive.find(|candidate| !is_out(candidate))?;
        Some(nearest.distance)
    }

    fn distance(&self, peer: &PeerId) -> Distance {
        self.target.distance(&Key::from(*peer))
    }

    fn position(&self, distance: &Distance) -> Result<usize, usize> {
        self.candidates
            .binary_search_by(|candidate| candidate.distance.cmp(distance))
    }
}

/// Those of `contacts`, nearest to `target` first, that the density quota lets pass.
pub(in crate::discovery) fn within_quota(
    target: &Key,
    contacts: &[Contact],
    density: &Density,
) -> Vec<Contact> {
    let mut accepted = Vec::new();
    let passes = |contact: &&Contact| {
        let distance = target.distance(&contact.peer.into());
        let is_over = density.is_over(&accepted, &distance);
        if !is_over {
            accepted.push(distance);
        }
        !is_over
    };
    contacts.iter().filter(passes).cloned().collect()
}
