//! From what the user gave to a running node.

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use cretoai_network::crypto::{AwsLc, Provider, RustCrypto};
use cretoai_network::identity::{Keypair, key_file};
use cretoai_network::node::{P2PConfig, P2PNode};
use cretoai_network::wire::Address;
use cretoai_network::wire::address::Host;

use crate::failure::Failure;

/// Application protocol that `creto send` and `creto node` use unless told otherwise: the first
/// number that belongs to applications.
pub(crate) const DEFAULT_PROTOCOL: u32 = cretoai_network::p2p::FIRST_APPLICATION_PROTOCOL;

/// What a command that only dials may be told.
#[derive(Debug, Args)]
pub(crate) struct Visitor {
    /// Key file to appear with; without one a fresh identity is used for this run.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Name of the network that the peer belongs to.
    #[arg(long, value_name = "NAME")]
    network: Option<String>,
    /// Longest time to connect, in milliseconds.
    #[arg(long, value_name = "MS")]
    timeout_ms: Option<u64>,
    /// Which implementation of the cryptography to use; all of them speak to each other.
    #[arg(long, value_enum, default_value_t)]
    provider: ProviderKind,
}

/// An implementation of the primitives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ProviderKind {
    /// AWS-LC: fast.
    #[default]
    AwsLc,
    /// RustCrypto: Rust alone.
    RustCrypto,
}

impl ProviderKind {
    pub(crate) fn load(self) -> Arc<dyn Provider> {
        match self {
            Self::AwsLc => Arc::new(AwsLc),
            Self::RustCrypto => Arc::new(RustCrypto::default()),
        }
    }
}

impl Visitor {
    /// Starts a node that can dial `address`, and is no part of any network.
    pub(crate) fn start(self, address: &Address) -> Result<P2PNode, Failure> {
        self.start_with(P2PConfig {
            listen_addresses: vec![socket_for(address).into()],
            enable_discovery: false,
            enable_gossip: false,
            ..P2PConfig::default()
        })
    }

    /// Starts a node that enters the network of the configuration's bootstrap nodes.
    pub(crate) fn start_among(self, config: P2PConfig) -> Result<P2PNode, Failure> {
        let socket = config.bootstrap_nodes.first().map(socket_for);
        self.start_with(P2PConfig {
            listen_addresses: socket.into_iter().map(Address::from).collect(),
            ..config
        })
    }

    fn start_with(self, mut config: P2PConfig) -> Result<P2PNode, Failure> {
        if let Some(network) = self.network {
            config.network = network;
        }
        if let Some(millis) = self.timeout_ms {
            config.connection_timeout = Duration::from_millis(millis);
        }
        let provider = self.provider.load();
        let keypair = match self.key {
            Some(path) => key_file::read(&path, provider)?,
            None => Keypair::generate(provider)?,
        };
        Ok(P2PNode::builder(keypair).config(config).spawn()?)
    }
}

/// Any free port of the family in which `address` is dialled.
fn socket_for(address: &Address) -> SocketAddr {
    match address.host() {
        Host::Ip4(_) | Host::Dns4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        Host::Ip6(_) | Host::Dns6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}

/// Reads a configuration file.
pub(crate) fn read_config(path: &Path) -> Result<P2PConfig, Failure> {
    let text = fs::read(path).map_err(|error| Failure::ConfigRead {
        path: path.to_owned(),
        error,
    })?;
    serde_json::from_slice(&text).map_err(|error| Failure::ConfigSyntax {
        path: path.to_owned(),
        error,
    })
}
