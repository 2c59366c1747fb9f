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
    /// Whether it has answered a request of this node.
    has_answered: bool,
}

/// Connected peers; as many as the node has connections.
#[derive(Debug, Clone, Default)]
pub(super) struct Links(BTreeMap<PeerId, Link>);

impl Links {
    pub(super) fn connected(&mut self, peer: PeerId, rtt: Duration) {
        let new = Link {
            rtt,
            contact: None,
            has_answered: false,
        };
        self.0.entry(peer).or_insert(new).rtt = rtt;
    }

    pub(super) fn disconnected(&mut self, peer: &PeerId) {
        self.0.remove(peer);
    }

    pub(super) fn met(&mut self, contact: Contact) {
        if let Some(link) = self.0.get_mut(&contact.peer) {
            link.contact = Some(contact);
        }
    }

    pub(super) fn answered(&mut self, peer: &PeerId) {
        if let Some(link) = self.0.get_mut(peer) {
            link.has_answered = true;
        }
    }

    pub(super) fn has_answered(&self, peer: &PeerId) -> bool {
        self.0.get(peer).is_some_and(|link| link.has_answered)
    }

    /// Smooths the round-trip time by an eighth (RFC 6298, section 2).
    pub(super) fn measured(&mut self, peer: &PeerId, rtt: Duration) {
        if let Some(link) = self.0.get_mut(peer) {
            link.rtt = link.rtt - link.rtt / 8 + rtt / 8;
        }
    }

    pub(super) fn is_connected(&self, peer: &PeerId) -> bool {
        self.0.contains_key(peer)
    }

    pub(super) fn rtt(&self, peer: &PeerId) -> Option<Duration> {
        self.0.get(peer).map(|link| link.rtt)
    }

    /// Where others may find a connected peer.
    pub(super) fn contact(&self, peer: &PeerId) -> Option<&Contact> {
        self.0.get(peer)?.contact.as_ref()
    }
}
