//! What the program is told of peers and records.

use crate::discovery::Key;
use crate::identity::PeerId;
use crate::p2p::{PeerBook, Swarm};
use crate::policy::{Micros, Now};
use crate::wire::Address;
use crate::wire::message::discovery::Contact;

/// A peer that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerInfo {
    /// Who.
    pub peer_id: PeerId,
    /// Where it may be reached, with its identity.
    pub addresses: Vec<Address>,
    /// When this node last was connected with it, or heard of it, on the node's monotonic clock.
    pub last_seen: Option<Micros>,
    /// Its reputation here, 0 down to −100.
    pub reputation: i32,
}

/// What became of a record that was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PutReceipt {
    /// Where it is held.
    pub key: Key,
    /// Nodes that hold it so far; more follow. With none the record is offered again later.
    pub replicas: usize,
}

/// What became of many records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PutManyReceipt {
    /// Records that at least 20 nodes hold, or all nodes of a smaller network.
    pub complete: usize,
    /// Records that fewer hold; they are offered again later.
    pub incomplete: usize,
    /// Records that cannot be published.
    pub rejected: usize,
}

impl PeerInfo {
    pub(super) fn new(swarm: &Swarm, contact: &Contact) -> Self {
        let peer_id = contact.peer;
        let seen = |book: &mut PeerBook, _: Now| book.get(&peer_id)?.last_seen();
        Self {
            peer_id,
            addresses: addresses(contact),
            last_seen: swarm.with_book(seen),
            reputation: swarm.reputation(&peer_id),
        }
    }
}

/// The addresses of a contact, each with the identity of who answers there.
pub(super) fn addresses(contact: &Contact) -> Vec<Address> {
    let named = |address: &Address| address.clone().with_peer_id(contact.peer);
    contact.addresses.iter().map(named).collect()
}
