//! From an identity and a configuration to a running node.

use std::future::Future;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;

use bytes::Bytes;

use super::config::MAX_EVENT_CAPACITY;
use super::lock::{IdentityLock, LockError};
use super::mdns_task::MdnsTask;
use super::{ConfigError, Messages, P2PConfig, P2PNode, ValidConfig, application};
use crate::crypto::{EntropyFailure, SelfTestFailure, self_test};
use crate::identity::{Keypair, PeerId};
use crate::p2p::mdns::MdnsError;
use crate::p2p::{
    EventHub, EventStream, Handler, Protocol, Refusal, RegisterError, Setup, StackProtocols, Swarm,
    SwarmConfig,
};
use crate::services::discovery::{self, Discovery};
use crate::services::gossip::{self, GossipProtocol};
use crate::transport::environment::Environment;
use crate::transport::{BindError, PqcHandshake, QuicTransport, TransportConfig};

/// What identify tells about this program.
const AGENT: &str = concat!("cretoai-network/", env!("CARGO_PKG_VERSION"));

/// Requests of one peer that are served at once: with 256 peers and 10 ms a request this is more
/// than one machine answers, and a peer that needs more waits.
const REQUESTS_SERVED: u32 = 64;

/// Requests to one peer that may wait at once: its stream limit is reached long before.
const REQUESTS_WAITING: u32 = 1024;

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// A setting is out of range.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The cryptography does not compute what it must: nothing is started on it.
    #[error(transparent)]
    SelfTest(#[from] SelfTestFailure),
    /// The identity is in use, or its lock file cannot be made.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// An address cannot be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The configuration wants multicast DNS, and there is none.
    #[error(transparent)]
    Mdns(#[from] MdnsError),
    /// The environment has no randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyFailure),
    /// Gossip cannot begin.
    #[error(transparent)]
    Gossip(#[from] gossip::PrepareError),
    /// A protocol of the stack could not be registered.
    #[error(transparent)]
    Register(#[from] RegisterError),
}

/// Collects what a node needs; see [`P2PNode::builder`].
#[derive(Debug)]
pub struct NodeBuilder {
    keypair: Keypair,
    config: P2PConfig,
    environment: Option<Environment>,
    protocols: Vec<(Protocol, Handler)>,
    events: Option<EventHub>,
}

impl NodeBuilder {
    pub(super) fn new(keypair: Keypair) -> Self {
        Self {
            keypair,
            config: P2PConfig::default(),
            environment: None,
            protocols: Vec::new(),
            events: None,
        }
    }

    /// Replaces the default configuration.
    #[must_use]
    pub fn config(mut self, config: P2PConfig) -> Self {
        self.config = config;
        self
    }

    /// Replaces the operating system as the source of clock, randomness, sockets and tasks.
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = Some(environment);
        self
    }

    /// Answers the requests of confirmed peers in an application's protocol (number 0x40 and up),
    /// from the first moment on. A number that cannot be had is told by [`spawn`](Self::spawn). A
    /// handler must not own the node; see [`P2PNode::handle`].
    #[must_use]
    pub fn handle<F, R>(mut self, protocol: u32, answer: F) -> Self
    where
        F: Fn(PeerId, Bytes) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Bytes, Refusal>> + Send + 'static,
    {
        self.protocols
            .push(application::answering(protocol, answer));
        self
    }

    /// Receives the one-way messages of an application's protocol (number 0x40 and up), from the
    /// first moment on. As many wait as [`P2PConfig::send_queue_messages`] says when this is called:
    /// set the configuration before. A number that cannot be had is told by [`spawn`](Self::spawn).
    #[must_use]
    pub fn messages(mut self, protocol: u32) -> (Self, Messages) {
        let (protocol, messages) = application::receiving(protocol, self.config.queue_limit());
        self.protocols.push(protocol);
        (self, messages)
    }

    /// What happens, from the start on: nothing is missed by being late. As many events are kept for
    /// a slow reader as [`P2PConfig::event_capacity`] says at the first call.
    #[must_use]
    pub fn events(mut self) -> (Self, EventStream) {
        let capacity = event_backlog(&self.config);
        let hub = self.events.get_or_insert_with(|| EventHub::new(capacity));
        let events = hub.subscribe();
        (self, events)
    }

    /// Starts the node, on the current tokio runtime.
    ///
    /// # Errors
    /// See [`SpawnError`].
    pub fn spawn(self) -> Result<P2PNode, SpawnError> {
        let config = self.config.validate()?;
        self_test(&**self.keypair.provider())?;
        let peer = self.keypair.peer_id();
        let directory = config.get().data_dir.as_deref();
        let lock = directory
            .map(|directory| IdentityLock::acquire(directory, peer))
            .transpose()?;
        let environment = self.environment.unwrap_or_else(Environment::system);
        let transports = bind(&config, &self.keypair, &environment)?;
        let (discovery, stack) = discovery(&config, peer, &environment)?;
        let (gossip, broadcast) = gossip(&config, &self.keypair, &environment)?;
        let stack = stack.and(broadcast);
        let setup = Setup {
            protocols: self.protocols,
            stack,
            events: self.events,
            keep: lock.map(|lock| Box::new(lock) as _),
        };
        let swarm = Swarm::start(
            swarm_config(&config),
            self.keypair,
            transports,
            environment.clone(),
            setup,
        )?;
        let mdns = config.get().enable_mdns;
        let mdns = mdns.then(|| MdnsTask::start(&swarm, config.network_id(), &environment));
        Ok(P2PNode::new(
            swarm,
            config,
            discovery,
            gossip,
            mdns.transpose()?,
        ))
    }
}

/// Discovery, and the protocol that starts it, if the configuration wants it.
fn discovery(
    config: &ValidConfig,
    local: PeerId,
    environment: &Environment,
) -> Result<(Discovery, StackProtocols), EntropyFailure> {
    let settings = config.get();
    if !settings.enable_discovery {
        return Ok((Discovery::disabled(), StackProtocols::default()));
    }
    let setup = discovery::Setup {
        local,
        network: *config.network_id().as_bytes(),
        settings: settings.discovery,
        bootstrap_nodes: settings.bootstrap_nodes.clone(),
        directory: settings.data_dir.clone(),
        veto_at: settings.reputation.close_at,
    };
    discovery::prepare(setup, environment)
}

/// Gossip, and the protocol that starts it, if the configuration wants it.
fn gossip(
    config: &ValidConfig,
    keypair: &Keypair,
    environment: &Environment,
) -> Result<(GossipProtocol, StackProtocols), gossip::PrepareError> {
    let settings = config.get();
    if !settings.enable_gossip {
        return Ok((GossipProtocol::disabled(), StackProtocols::default()));
    }
    let setup = gossip::Setup {
        network: *config.network_id().as_bytes(),
        key: keypair.public_key().verifying_key().clone(),
        config: settings.gossip.config(),
        directory: settings.data_dir.as_deref(),
        veto_at: settings.reputation.close_at,
        explicit_peers: &settings.explicit_peers,
    };
    gossip::prepare(setup, environment)
}

fn bind(
    config: &ValidConfig,
    keypair: &Keypair,
    environment: &Environment,
) -> Result<Vec<QuicTransport>, BindError> {
    let settings = config.get();
    let transport = |address: SocketAddr| TransportConfig {
        bind_address: address,
        max_idle_timeout: settings.idle_timeout,
        keep_alive_interval: settings.keep_alive,
        max_concurrent_streams: settings.max_streams,
        enable_0rtt: settings.enable_0rtt,
        credential: settings.credential,
        max_peers: usize::try_from(settings.max_peers).unwrap_or(usize::MAX),
    };
    let mut handshake = None;
    let mut transports = Vec::with_capacity(config.listen().len());
    for address in config.listen() {
        let transport = transport(*address);
        let handshake = match &handshake {
            Some(handshake) => handshake,
            None => {
                let clock = environment.clock.clone();
                let network = config.network_id();
                let first = PqcHandshake::for_node(&transport, keypair, network, clock)
                    .map_err(BindError::from)?;
                handshake.insert(Arc::new(first))
            }
        };
        transports.push(QuicTransport::bind_sharing(
            transport,
            keypair,
            Arc::clone(handshake),
            environment.clone(),
        )?);
    }
    Ok(transports)
}

/// Within what a valid configuration may ask for: it is not checked yet when a reader is made.
fn event_backlog(config: &P2PConfig) -> NonZeroUsize {
    let capacity = usize::try_from(config.event_capacity.min(MAX_EVENT_CAPACITY));
    capacity
        .ok()
        .and_then(NonZeroUsize::new)
        .unwrap_or(NonZeroUsize::MIN)
}

fn swarm_config(config: &ValidConfig) -> SwarmConfig {
    let settings = config.get();
    SwarmConfig {
        agent: AGENT.to_owned(),
        reachability: settings.reachability,
        max_peers: settings.max_peers,
        connection_timeout: settings.connection_timeout,
        handshake_timeout: settings.connection_timeout,
        stream_deadline: settings.stream_deadline,
        request_deadline: settings.request_timeout,
        slow_reader_deadline: settings.slow_reader,
        requests_served: REQUESTS_SERVED,
        requests_waiting: REQUESTS_WAITING,
        queue: settings.queue_limit(),
        event_backlog: event_backlog(settings),
        limits: settings.limits,
        reputation: settings.reputation,
    }
}
