//! One node of the world.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use super::sybil::SybilGroup;
use crate::discovery::Kademlia;
use crate::identity::PeerId;
use crate::policy::Micros;
use crate::wire::Address;
use crate::wire::codec::SharedList;
use crate::wire::message::discovery::Contact;

/// Number of a node, in the order in which they were added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

#[derive(Debug, Clone)]
pub(super) enum Behaviour {
    Honest(Box<Kademlia>),
    /// One of a group of attackers.
    Sybil(usize),
}

#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) contact: Contact,
    pub(super) behaviour: Behaviour,
    pub(super) is_alive: bool,
    /// When its timer is planned.
    pub(super) timer: Option<Micros>,
    /// Nodes that it dialled and is connected with, and when it used the connection last.
    pub(super) dialled: BTreeMap<NodeId, u64>,
    /// When the next stranger may come.
    pub(super) next_turn: Micros,
    /// Nodes that dialled it.
    pub(super) dialled_by: BTreeMap<NodeId, ()>,
}

impl Node {
    pub(super) fn new(number: u32, peer: PeerId, behaviour: Behaviour) -> Self {
        Self {
            contact: contact(number, peer),
            behaviour,
            is_alive: true,
            timer: None,
            next_turn: Micros(0),
            dialled: BTreeMap::new(),
            dialled_by: BTreeMap::new(),
        }
    }

    pub(super) fn machine(&self) -> Option<&Kademlia> {
        match &self.behaviour {
            Behaviour::Honest(machine) => Some(machine),
            Behaviour::Sybil(_) => None,
        }
    }

    pub(super) fn is_connected(&self, other: NodeId) -> bool {
        self.dialled.contains_key(&other) || self.dialled_by.contains_key(&other)
    }

    /// The group that it belongs to, if it is an attacker.
    pub(super) fn group<'a>(&self, groups: &'a [SybilGroup]) -> Option<&'a SybilGroup> {
        match self.behaviour {
            Behaviour::Honest(_) => None,
            Behaviour::Sybil(index) => groups.get(index),
        }
    }
}

/// Every node has a /24 of its own, from 20.0.0.0 upwards.
fn contact(number: u32, peer: PeerId) -> Contact {
    let first = u32::from(Ipv4Addr::new(20, 0, 0, 7));
    let ip = Ipv4Addr::from(first.wrapping_add(number << 8));
    let address = Address::from(SocketAddr::new(ip.into(), 9_000));
    let addresses = SharedList::truncated([address]);
    Contact { peer, addresses }
}
