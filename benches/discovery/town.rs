//! A world with a network that stands.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use cretoai_network::discovery::record::immutable;
use cretoai_network::discovery::store::StoreConfig;
use cretoai_network::discovery::{
    Command, DiscoveryConfig, Event, Key, Looked, OperationId, Outcome,
};
use cretoai_network::policy::Micros;
use cretoai_network::sim::scale::{NetworkModel, NodeId, World};
use cretoai_network::wire::message::discovery::{Record, kind};
use rand_chacha::rand_core::Rng;

/// Nodes that join a second while the network is small, and later.
const JOINS_PER_SECOND: u32 = 10;
const LATER_JOINS_PER_SECOND: u32 = 50;

/// Until it has this many nodes, a network is small.
const SMALL: u32 = 500;

/// Longest that anything is waited for, in virtual time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A network of honest nodes. A clone goes on by itself: what one measurement does to its town, no
/// other sees.
#[derive(Clone)]
pub(crate) struct Town {
    pub(crate) world: World,
    pub(crate) config: DiscoveryConfig,
    /// Honest nodes that run.
    pub(crate) nodes: Vec<NodeId>,
    /// How many of them, from the front, have had time to enter: the others know nobody yet whom they
    /// could ask, or introduce.
    settled: usize,
}

/// A lookup as it was seen from outside.
pub(crate) struct Lookup {
    pub(crate) from: NodeId,
    pub(crate) key: Key,
    pub(crate) began: Micros,
    pub(crate) operation: OperationId,
}

impl Town {
    /// A town without people.
    pub(crate) fn new(seed: u64, config: DiscoveryConfig) -> Self {
        Self {
            world: World::new(seed, NetworkModel::default()),
            config,
            nodes: Vec::new(),
            settled: 0,
        }
    }

    /// `count` nodes that joined one after the other, each through a random one, and then had time to
    /// refresh their tables once.
    pub(crate) fn build(seed: u64, count: u32, config: DiscoveryConfig) -> Self {
        let refresh = config.refresh;
        let mut town = Self::new(seed, config);
        for number in 0..count {
            town.join();
            let is_small = number < SMALL;
            let rate = if is_small {
                JOINS_PER_SECOND
            } else {
                LATER_JOINS_PER_SECOND
            };
            town.world.run_for(Duration::from_secs(1) / rate);
            town.settle();
        }
        town.world.run_for(refresh + Duration::from_secs(90));
        town.world.take_happened();
        town
    }

    /// All that joined have entered.
    pub(crate) fn settle(&mut self) {
        self.settled = self.nodes.len();
    }

    /// Forgets those that stopped.
    pub(crate) fn bury(&mut self) {
        let world = &self.world;
        let entered = self.nodes.iter().take(self.settled);
        self.settled = entered.filter(|node| world.is_alive(**node)).count();
        self.nodes.retain(|node| world.is_alive(*node));
    }

    /// One more node, through a random one.
    pub(crate) fn join(&mut self) -> NodeId {
        let node = self.world.add(&self.config, StoreConfig::default());
        let seeds = self.random_node().map(|other| self.world.contact(other));
        let seeds = seeds.into_iter().collect();
        self.world.start(node, Command::Bootstrap { seeds });
        self.nodes.push(node);
        node
    }

    /// An honest node that runs and has entered.
    pub(crate) fn random_node(&mut self) -> Option<NodeId> {
        if self.settled == 0 {
            return None;
        }
        let index = below(&mut self.world, self.settled);
        self.nodes.get(index).copied()
    }

    /// An honest node that runs, has entered, and does not hold a record, which would find it with itself.
    pub(crate) fn random_without(&mut self, key: &Key) -> Option<NodeId> {
        let drawn: Vec<_> = (0..20).filter_map(|_| self.random_node()).collect();
        drawn.into_iter().find(|node| !self.holds(*node, key))
    }

    /// Different honest nodes that run.
    pub(crate) fn some_nodes(&mut self, count: usize) -> Vec<NodeId> {
        let alive = self.world.alive();
        self.some_of(alive, count)
    }

    /// Different honest nodes that run and do not hold a record.
    pub(crate) fn some_without(&mut self, count: usize, key: &Key) -> Vec<NodeId> {
        let mut others = self.world.alive();
        others.retain(|node| !self.holds(*node, key));
        self.some_of(others, count)
    }

    pub(crate) fn holds(&self, node: NodeId, key: &Key) -> bool {
        let machine = self.world.machine(node);
        machine.is_some_and(|machine| machine.holds(kind::IMMUTABLE, key))
    }

    fn some_of(&mut self, mut alive: Vec<NodeId>, count: usize) -> Vec<NodeId> {
        let count = count.min(alive.len());
        for place in 0..count {
            let drawn = place + below(&mut self.world, alive.len() - place);
            alive.swap(place, drawn);
        }
        alive.truncate(count);
        alive
    }

    /// This share of the nodes stops at once.
    pub(crate) fn kill(&mut self, share: f64) {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss
        )]
        let count = (self.world.alive().len() as f64 * share).round() as usize;
        for node in self.some_nodes(count) {
            self.world.kill(node);
        }
        self.bury();
    }

    /// Begins a lookup for a random key.
    pub(crate) fn look(&mut self, from: NodeId) -> Lookup {
        let key = Key::random(self.world.rng());
        let operation = self.world.start(from, Command::Closest(key));
        Lookup {
            from,
            key,
            began: self.world.now(),
            operation,
        }
    }

    /// Begins to look for a record.
    pub(crate) fn get(&mut self, from: NodeId, key: Key) -> Lookup {
        self.ask(from, key, false)
    }

    /// The same as somebody who suspects an attack does.
    pub(crate) fn get_hardened(&mut self, from: NodeId, key: Key) -> Lookup {
        self.ask(from, key, true)
    }

    fn ask(&mut self, from: NodeId, key: Key, is_hardened: bool) -> Lookup {
        let command = Command::Get {
            kind: kind::IMMUTABLE,
            key,
            is_hardened,
        };
        let operation = self.world.start(from, command);
        Lookup {
            from,
            key,
            began: self.world.now(),
            operation,
        }
    }

    /// A record that nobody published before.
    pub(crate) fn record(&mut self) -> (Key, Record) {
        let mut value = [0; 100];
        self.world.rng().fill_bytes(&mut value);
        immutable(Bytes::copy_from_slice(&value)).expect("a short value")
    }

    /// Stores a new record from a random node, and waits until all is done; its key.
    pub(crate) fn publish(&mut self) -> Key {
        let (key, record) = self.record();
        let from = self.random_node().expect("somebody runs");
        let operation = self.world.start(from, Command::Put(record));
        self.world.run_until_done(from, operation, PATIENCE);
        key
    }

    /// Whether a record was found, and how long that took in milliseconds.
    pub(crate) fn was_found(&mut self, lookup: &Lookup) -> (bool, f64) {
        match self.world.take_done(lookup.from, lookup.operation) {
            Some((at, Outcome::Record(found))) => (found.is_some(), millis(at.since(lookup.began))),
            _ => (false, f64::INFINITY),
        }
    }

    /// The lookups that ended since the last call.
    pub(crate) fn looked(&mut self) -> Vec<(NodeId, Looked)> {
        let happened = self.world.take_happened().into_iter();
        let looked = happened.filter_map(|(_, node, event)| match event {
            Event::Looked(looked) => Some((node, looked)),
            _ => None,
        });
        looked.collect()
    }
}

/// A number below `limit`.
pub(crate) fn below(world: &mut World, limit: usize) -> usize {
    usize::try_from(world.rng().next_u64() % limit as u64).expect("below a usize")
}

pub(crate) fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1_000.0
}

/// Towns that stand, one of each size: building one takes longer than what is measured in it.
#[derive(Default)]
pub(crate) struct Towns(BTreeMap<u32, Town>);

impl Towns {
    /// A copy of the town of this size.
    pub(crate) fn of(&mut self, count: u32) -> Town {
        let new = || Town::build(u64::from(count), count, DiscoveryConfig::default());
        self.0.entry(count).or_insert_with(new).clone()
    }
}
