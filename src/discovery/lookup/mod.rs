//! Lookups: walking towards a key.
//!
//! A [`Lookup`] is a machine of its own. It is fed with contacts and with what became of its
//! requests, says whom to ask next, and writes no table.

mod claims;
mod path;
mod shortlist;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::config::K;
use super::contact::all_places;
use super::{Density, Key};
use crate::identity::PeerId;
use crate::wire::message::discovery::Contact;

use claims::Claims;
use path::Path;
pub use shortlist::MAX_HOPS;
pub(super) use shortlist::within_quota;

/// Requests that one path may send: five times what the worst lookup among 50 000 nodes needs, of
/// which a third are dead. It ends whoever leads a lookup on through endless contacts.
pub const MAX_REQUESTS: usize = 256;

/// Over-quota ids within the distance of the k-th accepted contact from which on an attack on this
/// key is told: none of 10 000 honest lookups saw more than a handful.
pub const ALARM_AT: usize = 20;

/// A crowd that chance brings together less often than this is looked at twice: it costs requests where
/// nothing is found.
const DENSE: f64 = 1e-2;

/// And this one is told to the program.
const SUSPICIOUS: f64 = 1e-3;

/// How a lookup walks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LookupPolicy {
    /// Requests under way at first.
    pub alpha: usize,
    /// And at most.
    pub alpha_max: usize,
    /// Paths that share no node.
    pub paths: usize,
}

/// One lookup, over one or several disjoint paths.
///
/// Call order: any of the inputs ([`add`](Self::add), [`answered`](Self::answered),
/// [`slow`](Self::slow), [`given_up`](Self::given_up), [`failed`](Self::failed)), then
/// [`next_request`](Self::next_request) until it returns `None`, then look at
/// [`is_finished`](Self::is_finished).
#[derive(Debug, Clone)]
pub struct Lookup {
    target: Key,
    paths: Vec<Path>,
    claims: Claims,
    density: Arc<Density>,
}

/// What a lookup found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// The nearest nodes that answered, nearest first, at most [`K`] and within the density quota.
    pub closest: Vec<Contact>,
    /// Every node that answered, nearest first.
    pub answered: Vec<Contact>,
    /// The node whose place the target is, if anybody named it.
    pub target: Option<Contact>,
    /// Whether there are fewer than k nodes, or they stand closer together than chance brings them once in
    /// a hundred times: whoever finds nothing should look at the whole region.
    pub is_dense: bool,
    /// The same, once in a thousand times.
    pub is_suspicious: bool,
    /// Ids above the quota within the distance of the k-th accepted contact.
    pub over_quota: usize,
    /// Requests in the chain to the nearest node, the one to it included.
    pub hops: u8,
    /// Requests sent.
    pub requests: usize,
}

impl Lookup {
    /// A lookup for `target` that starts from `seeds`.
    #[must_use]
    pub fn new(
        target: Key,
        seeds: impl IntoIterator<Item = Contact>,
        policy: &LookupPolicy,
        density: Arc<Density>,
    ) -> Self {
        let count = policy.paths.max(1);
        let mut paths: Vec<_> = (0..count).map(|_| Path::new(target, policy)).collect();
        for (index, seed) in seeds.into_iter().enumerate() {
            if let Some(path) = paths.get_mut(index % count) {
                path.add(seed);
            }
        }
        Self {
            target,
            paths,
            claims: Claims::default(),
            density,
        }
    }

    /// Where it walks to.
    #[must_use]
    pub const fn target(&self) -> &Key {
        &self.target
    }

    /// Whether a path that asked `teller` has not heard of a node.
    #[must_use]
    pub fn is_news(&self, teller: &PeerId, peer: &PeerId) -> bool {
        let path = self
            .index_of(teller)
            .and_then(|index| self.paths.get(index));
        path.is_some_and(|path| path.contact(peer).is_none())
    }

    /// A node that the asker knows itself: it is asked there, before it is asked where `teller`, who is
    /// about to name it, says that it is.
    pub fn add(&mut self, contact: Contact, teller: &PeerId) {
        if let Some(path) = self.path_of(teller) {
            path.add(contact);
        }
    }

    /// Whom to ask now. Call until it returns `None`.
    pub fn next_request(&mut self) -> Option<Contact> {
        let (claims, density) = (&mut self.claims, &*self.density);
        self.paths
            .iter_mut()
            .find_map(|path| path.next_request(claims, density))
    }

    /// A node answered, in time or late, and named `contacts`.
    pub fn answered(&mut self, peer: &PeerId, contacts: Vec<Contact>) {
        if let Some(path) = self.path_of(peer) {
            path.answered(peer, contacts);
        }
    }

    /// A node takes longer than it should: another one is asked meanwhile. No failure. Whether it is to be asked once
    /// more itself, if it may: if it may be one of the k nearest, of which each counts.
    pub fn slow(&mut self, peer: &PeerId, may_repeat: bool) -> bool {
        let density = self.density.clone();
        let path = self.path_of(peer);
        path.is_some_and(|path| path.slow(peer, may_repeat, &density))
    }

    /// A node that was asked once more takes too long again. Whether it is to be asked for the last time: if it may
    /// still be one of the k nearest, and was not given up meanwhile.
    pub fn still_slow(&mut self, peer: &PeerId) -> bool {
        let density = self.density.clone();
        let path = self.path_of(peer);
        path.is_some_and(|path| path.still_slow(peer, &density))
    }

    /// A node is given up, but may be alive. An answer that comes later still counts.
    pub fn given_up(&mut self, peer: &PeerId) {
        if let Some(path) = self.path_of(peer) {
            path.given_up(peer);
        }
    }

    /// A node will not answer. If it does, its answer counts. If somebody named another address for it,
    /// it is asked there.
    pub fn failed(&mut self, peer: &PeerId) {
        let Some(path) = self.path_of(peer) else {
            return;
        };
        path.failed(peer);
        if let Some(asked) = path.in_vain(peer) {
            for place in asked {
                self.claims.fail(place);
            }
            for path in &mut self.paths {
                path.released(peer, &self.claims);
            }
        }
    }

    /// Whether the k nearest nodes that are known and not given up have all answered. If there are
    /// fewer than k, and many are given up, those are waited for.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.paths
            .iter()
            .all(|path| path.is_finished(&self.density))
    }

    /// Whether this node answered.
    #[must_use]
    pub fn has_answered(&self, peer: &PeerId) -> bool {
        self.paths.iter().any(|path| path.has_answered(peer))
    }

    /// What is known of a node, whether it answered or not.
    #[must_use]
    pub fn contact(&self, peer: &PeerId) -> Option<&Contact> {
        self.paths.iter().find_map(|path| path.contact(peer))
    }

    /// Where a node answered, or else all that was said of where it is: who named it first may have been wrong.
    fn whereabouts(&self, peer: &PeerId) -> Option<Contact> {
        let answered = self.paths.iter().flat_map(Path::responders);
        if let Some(contact) = answered.into_iter().find(|one| one.peer == *peer) {
            return Some(contact.clone());
        }
        let places = self.paths.iter().flat_map(|path| path.places(peer));
        let places: Vec<_> = places.collect();
        (!places.is_empty()).then(|| all_places(*peer, &places))
    }

    /// Who named a node that is being asked where it is asked.
    #[must_use]
    pub fn teller(&self, peer: &PeerId) -> Option<PeerId> {
        let mut paths = self.paths.iter();
        paths.find(|path| path.awaits(peer))?.teller(peer)
    }

    /// What it found so far.
    #[must_use]
    pub fn found(&self) -> Found {
        let answered = self.merged();
        let accepted = within_quota(&self.target, &answered, &self.density);
        let closest: Vec<_> = accepted.into_iter().take(K).collect();
        let chance = self.chance(&closest);
        let over_quota = self.paths.iter().map(|path| path.over_quota(&self.density));
        let target = PeerId::from_bytes(*self.target.as_bytes());
        Found {
            target: self.whereabouts(&target),
            is_dense: chance < DENSE,
            is_suspicious: chance < SUSPICIOUS,
            over_quota: over_quota.max().unwrap_or(0),
            hops: self.hops(closest.first()),
            requests: self.paths.iter().map(Path::sent).sum(),
            closest,
            answered,
        }
    }

    /// How likely it is that so many nodes stand so close together; 0 if fewer than k are known.
    fn chance(&self, closest: &[Contact]) -> f64 {
        /// The estimate may be too low by a quarter.
        const MARGIN: f64 = 1.25;
        closest.get(K - 1).map_or(0.0, |last| {
            let distance = self.target.distance(&last.peer.into());
            let expected = MARGIN * self.density.expected(&distance);
            super::density::poisson_at_least(expected, K)
        })
    }

    fn hops(&self, nearest: Option<&Contact>) -> u8 {
        let hops = nearest.and_then(|nearest| {
            let mut paths = self.paths.iter();
            paths.find_map(|path| path.hops(&nearest.peer))
        });
        hops.unwrap_or(0)
    }

    /// Nodes of all paths that answered, nearest first.
    fn merged(&self) -> Vec<Contact> {
        let mut all: Vec<_> = self.paths.iter().flat_map(Path::responders).collect();
        all.sort_by_key(|contact| self.target.distance(&contact.peer.into()));
        all.into_iter().cloned().collect()
    }

    /// The path that asks a node; if none does, one that did.
    fn path_of(&mut self, peer: &PeerId) -> Option<&mut Path> {
        let index = self.index_of(peer)?;
        self.paths.get_mut(index)
    }

    fn index_of(&self, peer: &PeerId) -> Option<usize> {
        let asks = self.paths.iter().position(|path| path.awaits(peer));
        asks.or_else(|| self.paths.iter().position(|path| path.has_asked(peer)))
    }
}
