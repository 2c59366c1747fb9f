//! From an identity and a configuration to a running node.

use std::num::{NonZeroU32, NonZeroUsize};

use super::lock::{IdentityLock, LockError};
use super::mdns_task::MdnsTask;
use super::{ConfigError, P2PConfig, P2PNode, ValidConfig};
use crate::crypto::{SelfTestFailure, self_test};
use crate::identity::Keypair;
use crate::p2p::mdns::MdnsError;
use crate::p2p::{RegisterError, Swarm, SwarmConfig};
use crate::transport::environment::Environment;
use crate::transport::{BindError, QuicTransport, TransportConfig};

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
}

impl NodeBuilder {
    pub(super) fn new(keypair: Keypair) -> Self {
        Self {
            keypair,
            config: P2PConfig::default(),
            environment: None,
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
        let swarm = swarm_config(&config);
        let swarm = Swarm::start(swarm, self.keypair, transports, environment.clone())?;
        let mdns = config.get().enable_mdns;
        let mdns = mdns.then(|| MdnsTask::start(&swarm, config.network_id(), &environment));
        Ok(P2PNode::new(swarm, config, lock, mdns.transpose()?))
    }
}

fn bind(
    config: &ValidConfig,
    keypair: &Keypair,
    environment: &Environment,
) -> Result<Vec<QuicTransport>, BindError> {
    let settings = config.get();
    let bind = |address: &std::net::SocketAddr| {
        let transport = TransportConfig {
            bind_address: *address,
            max_idle_timeout: settings.idle_timeout,
            keep_alive_interval: settings.keep_alive,
            max_concurrent_streams: settings.max_streams,
            enable_0rtt: settings.enable_0rtt,
            credential: settings.credential,
            max_peers: usize::try_from(settings.max_peers).unwrap_or(usize::MAX),
        };
        QuicTransport::bind(transport, keypair, config.network_id(), environment.clone())
    };
    config.listen().iter().map(bind).collect()
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
        queue: config.queue_limit(),
        event_backlog: NonZeroU32::new(settings.event_capacity)
            .and_then(|capacity| NonZeroUsize::try_from(capacity).ok())
            .unwrap_or(NonZeroUsize::MIN),
        limits: settings.limits,
        reputation: settings.reputation,
    }
}
