//! The peers that are connected.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::identity::PeerId;
use crate::wire::message::discovery::Contact;

#[derive(Debug, Clone)]
struct Link {
    rtt: Duration,
    /// Where others may find it, once it has said who it is.
    contact: Option<Contact>,
    /// Whether it says that it answers queries.
    is_server: bool,
    /// Whether it has answered a request of this node.
    has_answered: bool,
    /// Requests that it did not answer while it had answered none.
    missed: u8,
}

/// A newcomer that does not answer is asked again soon, this often; then with everybody else. It may
/// be busy with its own handshakes.
const SOON: u8 = 3;

impl Link {
    const fn is_unproven(&self) -> bool {
        self.is_server && !self.has_answered
    }
}

/// Connected peers; as many as the node has connections.
#[derive(Debug, Clone, Default)]
pub(super) struct Links {
    links: BTreeMap<PeerId, Link>,
    /// The server without an answer that was asked again last: the others have their turns before it.
    last_turn: Option<PeerId>,
}

impl Links {
    pub(super) fn connected(&mut self, peer: PeerId, rtt: Duration) {
        let new = Link {
            rtt,
            contact: None,
            is_server: false,
            has_answered: false,
            missed: 0,
        };
        self.links.entry(peer).or_insert(new).rtt = rtt;
    }

    pub(super) fn disconnected(&mut self, peer: &PeerId) {
        self.links.remove(peer);
    }

    pub(super) fn met(&mut self, contact: Contact, is_server: bool) {
        if let Some(link) = self.links.get_mut(&contact.peer) {
            link.contact = Some(contact);
            link.is_server = is_server;
        }
    }

    /// A peer did not answer; whether it has yet to answer for the first time, and is to be asked again
    /// soon.
    pub(super) fn missed(&mut self, peer: &PeerId) -> bool {
        let unproven = self.links.get_mut(peer).filter(|link| link.is_unproven());
        unproven.is_some_and(|link| {
            link.missed = link.missed.saturating_add(1);
            link.missed <= SOON
        })
    }

    /// Servers that have not answered yet, those first whose turn it is.
    pub(super) fn unproven(&self) -> impl Iterator<Item = &Contact> {
        let last = self.last_turn;
        let (before, after): (Vec<_>, Vec<_>) = self
            .links
            .iter()
            .filter(|(_, link)| link.is_unproven())
            .partition(|(peer, _)| last.is_some_and(|last| **peer <= last));
        let in_turn = after.into_iter().chain(before);
        in_turn.filter_map(|(_, link)| link.contact.as_ref())
    }

    /// A server without an answer is asked again.
    pub(super) const fn had_turn(&mut self, peer: PeerId) {
        self.last_turn = Some(peer);
    }

    /// Whether a peer that has not answered yet is to be asked soon, and not only with everybody else.
    pub(super) fn is_due_soon(&self, peer: &PeerId) -> bool {
        let link = self.links.get(peer);
        link.is_some_and(|link| link.is_unproven() && link.missed <= SOON)
    }

    /// How often a peer was asked in vain.
    pub(super) fn missed_times(&self, peer: &PeerId) -> u8 {
        self.links.get(peer).map_or(0, |link| link.missed)
    }

    /// Whether a peer that has not answered yet was asked in vain.
    pub(super) fn has_missed(&self, peer: &PeerId) -> bool {
        let link = self.links.get(peer);
        link.is_some_and(|link| link.is_unproven() && link.missed > 0)
    }

    pub(super) fn answered(&mut self, peer: &PeerId) {
        if let Some(link) = self.links.get_mut(peer) {
            link.has_answered = true;
        }
    }

    pub(super) fn has_answered(&self, peer: &PeerId) -> bool {
        self.links.get(peer).is_some_and(|link| link.has_answered)
    }

    /// Smooths the round-trip time by an eighth (RFC 6298, section 2).
    pub(super) fn measured(&mut self, peer: &PeerId, rtt: Duration) {
        if let Some(link) = self.links.get_mut(peer) {
            link.rtt = link.rtt - link.rtt / 8 + rtt / 8;
        }
    }

    pub(super) fn is_connected(&self, peer: &PeerId) -> bool {
        self.links.contains_key(peer)
    }

    pub(super) fn rtt(&self, peer: &PeerId) -> Option<Duration> {
        self.links.get(peer).map(|link| link.rtt)
    }

    /// Whether a connected peer has said that it answers queries.
    pub(super) fn is_server(&self, peer: &PeerId) -> bool {
        self.links.get(peer).is_some_and(|link| link.is_server)
    }

    /// Where others may find a connected peer.
    pub(super) fn contact(&self, peer: &PeerId) -> Option<&Contact> {
        self.links.get(peer)?.contact.as_ref()
    }
}
