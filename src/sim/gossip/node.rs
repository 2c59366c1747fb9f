//! One node of the world.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};

use rand_chacha::ChaCha8Rng;
use rand_core::Rng;

use super::line::LineId;
use super::machine::Machine;
use super::processor::Processor;
use super::uplink::Uplink;
use crate::crypto::{VERIFYING_KEY_BYTES, VerifyingKey};
use crate::identity::PeerId;
use crate::policy::{IpGroup, Micros};
use crate::wire::Address;
use crate::wire::codec::SharedList;
use crate::wire::message::discovery::Contact;
use crate::wire::message::gossip::MessageId;

/// Number of a node, in the order in which they were added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

impl NodeId {
    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Whether a node does what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// What it sees and gets is counted.
    Honest,
    /// Nothing of it is counted.
    Attacker,
    /// It does not read what it is sent, and is not counted either.
    Deaf,
}

/// Who a node is. It stays the same when the node comes back.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Random bytes in the place of a key.
    pub key: VerifyingKey,
    /// Its name.
    pub peer: PeerId,
    /// Where it is.
    pub contact: Contact,
    /// Its network, shared with nobody.
    pub group: IpGroup,
}

impl Identity {
    pub(super) fn draw(number: u32, rng: &mut ChaCha8Rng) -> Self {
        let mut bytes = [0; VERIFYING_KEY_BYTES];
        rng.fill_bytes(&mut bytes);
        let key = VerifyingKey::ml_dsa_87(&bytes);
        let peer = PeerId::from(key.hash());
        // Every node has a /24 of its own, from 20.0.0.0 upwards.
        let first = u32::from(Ipv4Addr::new(20, 0, 0, 7));
        let ip = Ipv4Addr::from(first.wrapping_add(number << 8));
        let address = Address::from(SocketAddr::new(ip.into(), 9_000));
        let addresses = SharedList::truncated([address]);
        Self {
            key,
            peer,
            contact: Contact { peer, addresses },
            group: IpGroup::of(ip.into()),
        }
    }
}

/// A time in which a node ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Life {
    pub(super) from: Micros,
    /// The last moment; the end of time as long as it runs.
    pub(super) until: Micros,
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) machine: Box<dyn Machine>,
    pub(super) identity: Identity,
    pub(super) role: Role,
    pub(super) is_alive: bool,
    /// When its timer is planned. A plan that does not name this time is out of date.
    pub(super) timer: Option<Micros>,
    /// The lines to its neighbours, by the numbers that it has for them.
    pub(super) lines: Vec<LineId>,
    pub(super) uplink: Uplink,
    pub(super) processor: Processor,
    /// Messages that its program judges, and when it has.
    pub(super) judging: VecDeque<(Micros, MessageId)>,
    /// Messages that its program will publish: when, and their numbers.
    pub(super) publishing: VecDeque<(Micros, u64)>,
    pub(super) lives: Vec<Life>,
}

impl Node {
    pub(super) fn new(
        machine: Box<dyn Machine>,
        identity: Identity,
        role: Role,
        now: Micros,
    ) -> Self {
        let mut node = Self {
            machine,
            identity,
            role,
            is_alive: false,
            timer: None,
            lines: Vec::new(),
            uplink: Uplink::default(),
            processor: Processor::default(),
            judging: VecDeque::new(),
            publishing: VecDeque::new(),
            lives: Vec::new(),
        };
        node.wake(now);
        node
    }

    /// It runs from now on.
    pub(super) fn wake(&mut self, now: Micros) {
        self.is_alive = true;
        let until = Micros(u64::MAX);
        self.lives.push(Life { from: now, until });
    }

    /// It stops, and forgets all but who it is.
    pub(super) fn stop(&mut self, now: Micros) {
        self.is_alive = false;
        self.timer = None;
        self.uplink = Uplink::default();
        self.processor = Processor::default();
        self.judging.clear();
        self.publishing.clear();
        if let Some(life) = self.lives.last_mut() {
            life.until = now;
        }
    }

    pub(super) fn is_counted(&self) -> bool {
        self.is_alive && self.role == Role::Honest
    }

    /// Whether its present life, or its last one, began no later.
    pub(super) fn has_run_since(&self, moment: Micros) -> bool {
        self.lives.last().is_some_and(|life| life.from <= moment)
    }

    /// Whether it ran from the one moment to the other.
    pub(super) fn ran(&self, from: Micros, until: Micros) -> bool {
        let covers = |life: &Life| life.from <= from && until <= life.until;
        self.lives.iter().any(covers)
    }
}
