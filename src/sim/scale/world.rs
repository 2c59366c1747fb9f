//! The world: all nodes, the network between them, and the clock.

mod links;
mod requests;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use super::events::{Event, Events, What};
use super::node::{Behaviour, Node};
use super::{NetworkModel, NodeId, SybilGroup};
use crate::crypto::RustCrypto;
use crate::discovery::store::StoreConfig;
use crate::discovery::{
    Command, DiscoveryConfig, Event as Happened, Input, Kademlia, Key, OperationId, Outcome,
    Output, RequestId, Setup,
};
use crate::identity::PeerId;
use crate::policy::{Micros, Now, UnixMillis};
use crate::wire::message::discovery::{Contact, Record};
use requests::Asked;

/// The wall clock when the world begins: 2025-01-01T00:00:00Z.
const WALL_CLOCK_START: u64 = 1_735_689_600_000;

/// What went over the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Requests for nodes, values and providers.
    pub questions: u64,
    /// Requests to store.
    pub stores: u64,
    /// Requests to hand records over.
    pub hand_offs: u64,
    /// Bytes of frames and handshakes.
    pub bytes: u64,
    /// Connections that had to be made first.
    pub handshakes: u64,
    /// Requests that were refused as too many.
    pub busy: u64,
}

/// Nodes and the network between them. See the module for what is simplified.
#[derive(Debug, Clone)]
pub struct World {
    model: NetworkModel,
    seed: u64,
    rng: ChaCha8Rng,
    now: Micros,
    events: Events,
    nodes: Vec<Node>,
    /// Only looked up, never iterated.
    by_peer: HashMap<PeerId, NodeId>,
    groups: Vec<SybilGroup>,
    asked: HashMap<(NodeId, RequestId), Asked>,
    next_request: u64,
    next_operation: u64,
    uses: u64,
    done: BTreeMap<(NodeId, OperationId), (Micros, Outcome)>,
    happened: Vec<(Micros, NodeId, Happened)>,
    traffic: Traffic,
    watched: Option<NodeId>,
    provider: RustCrypto,
}

impl World {
    /// An empty world.
    #[must_use]
    pub fn new(seed: u64, model: NetworkModel) -> Self {
        Self {
            model,
            seed,
            rng: ChaCha8Rng::seed_from_u64(seed),
            now: Micros(0),
            events: Events::default(),
            nodes: Vec::new(),
            by_peer: HashMap::new(),
            groups: Vec::new(),
            asked: HashMap::new(),
            next_request: 0,
            next_operation: 0,
            uses: 0,
            done: BTreeMap::new(),
            happened: Vec::new(),
            traffic: Traffic::default(),
            watched: None,
            provider: RustCrypto::new(),
        }
    }

    /// The world's chance, for what a scenario draws.
    pub const fn rng(&mut self) -> &mut ChaCha8Rng {
        &mut self.rng
    }

    /// Draws differently from now on: what happens after it differs from a copy's future.
    pub fn reseed(&mut self, seed: u64) {
        self.rng = ChaCha8Rng::seed_from_u64(seed);
    }

    /// Virtual time.
    #[must_use]
    pub const fn now(&self) -> Micros {
        self.now
    }

    /// The network between the nodes; it may be changed during a run.
    pub const fn model(&mut self) -> &mut NetworkModel {
        &mut self.model
    }

    // Nodes.

    /// Adds a node with a random identity that knows nobody.
    pub fn add(&mut self, config: &DiscoveryConfig, store: StoreConfig) -> NodeId {
        let local = PeerId::from_bytes(*Key::random(&mut self.rng).as_bytes());
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        let machine = Kademlia::new(Setup {
            local,
            network: [0; 32],
            config: config.clone(),
            store,
            seed,
        });
        self.insert(local, Behaviour::Honest(Box::new(machine)))
    }

    /// Adds an attacker at `place`, to a group of them.
    pub fn add_sybil(&mut self, group: usize, place: Key) -> NodeId {
        let peer = PeerId::from_bytes(*place.as_bytes());
        let node = self.insert(peer, Behaviour::Sybil(group));
        if self.groups.len() <= group {
            self.groups.resize_with(group + 1, SybilGroup::default);
        }
        let contact = self.contact(node);
        if let Some(group) = self.groups.get_mut(group) {
            group.members.push(contact);
        }
        node
    }

    /// The attackers of a group give this for the value of every key.
    pub fn lie(&mut self, group: usize, record: Record) {
        if let Some(group) = self.groups.get_mut(group) {
            group.lie = Some(record);
        }
    }

    fn insert(&mut self, peer: PeerId, behaviour: Behaviour) -> NodeId {
        let number = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        self.nodes.push(Node::new(number, peer, behaviour));
        self.by_peer.insert(peer, NodeId(number));
        NodeId(number)
    }

    /// A node stops without a word.
    pub fn kill(&mut self, node: NodeId) {
        if let Some(node) = self.nodes.get_mut(node.0 as usize) {
            node.is_alive = false;
        }
    }

    /// Whether a node runs.
    #[must_use]
    pub fn is_alive(&self, node: NodeId) -> bool {
        self.node(node).is_some_and(|node| node.is_alive)
    }

    /// Honest nodes that run.
    #[must_use]
    pub fn alive(&self) -> Vec<NodeId> {
        let nodes = (0..).map(NodeId).zip(&self.nodes);
        let alive = nodes.filter(|(_, node)| node.is_alive && node.machine().is_some());
        alive.map(|(id, _)| id).collect()
    }

    /// Where a node is.
    ///
    /// # Panics
    /// If there is no such node: the scenario's mistake.
    #[must_use]
    #[allow(clippy::expect_used, reason = "a scenario's mistake")]
    pub fn contact(&self, node: NodeId) -> Contact {
        self.node(node).expect("no such node").contact.clone()
    }

    /// Its machine; none for an attacker.
    #[must_use]
    pub fn machine(&self, node: NodeId) -> Option<&Kademlia> {
        self.node(node)?.machine()
    }

    /// Which node has this identity.
    #[must_use]
    pub fn find(&self, peer: &PeerId) -> Option<NodeId> {
        self.by_peer.get(peer).copied()
    }

    /// The `count` honest nodes that run nearest to a key, by looking at all of them.
    #[must_use]
    pub fn nearest(&self, key: &Key, count: usize) -> Vec<PeerId> {
        let alive = self.alive().into_iter();
        let mut peers: Vec<_> = alive.map(|node| self.contact(node).peer).collect();
        if peers.len() > count {
            peers.select_nth_unstable_by_key(count, |peer| key.distance(&(*peer).into()));
            peers.truncate(count);
        }
        peers.sort_unstable_by_key(|peer| key.distance(&(*peer).into()));
        peers
    }

    // What happens.

    /// Has a node carry out a command.
    pub fn start(&mut self, node: NodeId, command: Command) -> OperationId {
        let operation = OperationId(self.next_operation);
        self.next_operation += 1;
        self.tell(node, Input::Start { operation, command });
        operation
    }

    /// Tells a node's machine something, now.
    pub fn tell(&mut self, node: NodeId, input: Input) {
        self.events.plan(self.now, node, What::Input(input));
    }

    /// A node is connected with all of its table. Where every pair is connected from the start it
    /// knows the round-trip times to those that it is told of, too.
    pub fn warm_up(&mut self, node: NodeId) {
        let Some(machine) = self.machine(node) else {
            return;
        };
        let known: Vec<_> = machine.table().map(|entry| entry.contact).collect();
        self.know(self.now, node, &known);
    }

    fn know(&mut self, at: Micros, node: NodeId, contacts: &[Contact]) {
        for contact in contacts {
            let peer = contact.peer;
            if let Some(other) = self.find(&peer) {
                let rtt = self.model.rtt(self.seed, node, other);
                let input = Input::Connected { peer, rtt };
                self.events.plan(at, node, What::Input(input));
            }
        }
    }

    /// Counts from now on only what this node sends.
    pub const fn watch(&mut self, node: Option<NodeId>) {
        self.watched = node;
    }

    /// Lets time pass.
    pub fn run_for(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(event) = self.events.pop_until(end) {
            self.now = event.at;
            self.handle(event);
        }
        self.now = end;
    }

    /// Lets time pass until an operation is done, at most `span`; what came of it, and when.
    pub fn run_until_done(
        &mut self,
        node: NodeId,
        operation: OperationId,
        span: Duration,
    ) -> Option<(Micros, Outcome)> {
        let end = self.now + span;
        while !self.done.contains_key(&(node, operation)) {
            let Some(event) = self.events.pop_until(end) else {
                self.now = end;
                break;
            };
            self.now = event.at;
            self.handle(event);
        }
        self.done.remove(&(node, operation))
    }

    /// What came of an operation, and when, if it is done.
    pub fn take_done(&mut self, node: NodeId, operation: OperationId) -> Option<(Micros, Outcome)> {
        self.done.remove(&(node, operation))
    }

    /// What the machines told since the last call.
    pub fn take_happened(&mut self) -> Vec<(Micros, NodeId, Happened)> {
        std::mem::take(&mut self.happened)
    }

    /// What went over the network since the last call.
    pub fn take_traffic(&mut self) -> Traffic {
        std::mem::take(&mut self.traffic)
    }

    fn node(&self, node: NodeId) -> Option<&Node> {
        self.nodes.get(node.0 as usize)
    }

    fn node_mut(&mut self, node: NodeId) -> Option<&mut Node> {
        self.nodes.get_mut(node.0 as usize)
    }

    fn handle(&mut self, event: Event) {
        let Event { node, what, .. } = event;
        if !self.is_alive(node) {
            return;
        }
        match what {
            What::Connected(other) => self.connect(node, other),
            What::Came(stranger) => self.came(stranger, node),
            What::Left(stranger) => self.disconnect(stranger, node),
            What::Input(input) => self.input(node, input),
            What::Timer => {
                let is_planned = |one: &Node| one.timer == Some(event.at);
                if self.node(node).is_some_and(is_planned) {
                    if let Some(node) = self.node_mut(node) {
                        node.timer = None;
                    }
                    self.input(node, Input::Timer);
                }
            }
        }
    }

    fn wall(&self) -> Now {
        Now {
            mono: self.now,
            wall: UnixMillis(WALL_CLOCK_START + self.now.0 / 1_000),
        }
    }

    fn input(&mut self, id: NodeId, input: Input) {
        let now = self.wall();
        let node = self.nodes.get_mut(id.0 as usize);
        let Some(node) = node.filter(|node| node.is_alive) else {
            return;
        };
        let machine = match &mut node.behaviour {
            Behaviour::Honest(machine) => machine,
            Behaviour::Sybil(_) => return self.sybil(id, input),
        };
        machine.handle(now, input);
        let mut outputs = Vec::new();
        while let Some(output) = machine.poll_output() {
            outputs.push(output);
        }
        let timeout = machine.poll_timeout();
        let is_sooner = |at: &Micros| node.timer.is_none_or(|planned| *at < planned);
        if let Some(at) = timeout.filter(is_sooner) {
            let at = at.max(self.now);
            node.timer = Some(at);
            self.events.plan(at, id, What::Timer);
        }
        for output in outputs {
            self.output(id, output);
        }
    }

    fn output(&mut self, node: NodeId, output: Output) {
        match output {
            Output::Call {
                call,
                contact,
                kind,
                body,
            } => self.call(node, call, &contact, (kind, body)),
            Output::Reply { id, reply } => self.reply(node, id, reply),
            Output::Verify { check, signature } => {
                let is_valid = signature.verify(&self.provider);
                let at = self.now + self.model.verify;
                let input = Input::Verified { check, is_valid };
                self.events.plan(at, node, What::Input(input));
            }
            Output::Done { operation, outcome } => {
                self.done.insert((node, operation), (self.now, outcome));
            }
            Output::Event(event) => {
                if !matches!(event, Happened::Added(_) | Happened::Removed(_)) {
                    self.happened.push((self.now, node, event));
                }
            }
            Output::Abandon(_) | Output::Fault { .. } => {}
        }
    }
}
