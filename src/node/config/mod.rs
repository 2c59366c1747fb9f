//! The configuration of a node.

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::gossip::ConfigError as GossipConfigError;
use crate::p2p::bounds::{check, check_millis};
use crate::p2p::{LimitsConfig, OutOfRange, QueueLimit, Reachability, ReputationConfig, millis};
use crate::services::discovery::{DiscoverySettings, DiscoverySettingsError};
use crate::services::gossip::GossipSettings;
use crate::transport::Credential;
use crate::wire::{Address, NetworkId};

/// Longest name of a network, in bytes: it is hashed, and shown to people.
const MAX_NETWORK_NAME: u64 = 64;

/// Most addresses to listen on: IPv4 and IPv6 on a handful of interfaces.
const MAX_LISTEN_ADDRESSES: u64 = 16;

/// Most bootstrap nodes: all are dialled at once, by every node that starts.
const MAX_BOOTSTRAP_NODES: u64 = 64;

/// Most addresses of explicit peers: what they get is beside the mesh, and every message goes to each.
const MAX_EXPLICIT_PEERS: u64 = 32;

/// Most messages that wait: 16 MiB of empty ones' bookkeeping in a queue.
pub(super) const MAX_QUEUED_MESSAGES: u32 = 65_536;

/// Most events kept, of about 100 bytes each.
pub(super) const MAX_EVENT_CAPACITY: u32 = 65_536;

/// What a node is told before it starts. [`validate`](Self::validate) makes it usable.
///
/// In a file, spans of time are whole milliseconds in fields that end with `_ms`, addresses are in
/// multiaddr form, and a field that does not exist is an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct P2PConfig {
    /// Name of the network, 1 to 64 bytes; default `creto`. Nodes of different networks never meet.
    pub network: String,
    /// Where to listen, 1 to 16 addresses like `/ip4/0.0.0.0/udp/9000/quic-v1`; port 0 takes a free
    /// one. Default: all IPv4 interfaces, a free port.
    #[serde(with = "listen_texts")]
    pub listen_addresses: Vec<Address>,
    /// Peers connected at a time; 1 to 8 192, default 256. The upper end leaves half of the peer book
    /// to peers that are not connected.
    pub max_peers: u32,
    /// Longest time from a dial to a confirmed connection; 100 ms to 60 s, default 10 s: a handshake
    /// on a bad line with four retransmissions.
    #[serde(rename = "connection_timeout_ms", with = "millis")]
    pub connection_timeout: Duration,
    /// A connection on which nothing was heard for this long is gone; 2 s to 10 min, default 30 s.
    #[serde(rename = "idle_timeout_ms", with = "millis")]
    pub idle_timeout: Duration,
    /// Something is sent at least this often; 500 ms up to half the idle timeout, so that one lost
    /// packet closes nothing; default 5 s, which keeps the mapping of every NAT in use.
    #[serde(rename = "keep_alive_ms", with = "millis")]
    pub keep_alive: Duration,
    /// Streams of each kind that a peer may have open at a time; 8 to 1 024, default 128.
    pub max_streams: u32,
    /// How long a request may take, unless it says otherwise; 10 ms to 10 min, default 10 s.
    #[serde(rename = "request_timeout_ms", with = "millis")]
    pub request_timeout: Duration,
    /// How long a peer may take to finish the request that it began; 100 ms up to the idle timeout,
    /// default 10 s.
    #[serde(rename = "stream_deadline_ms", with = "millis")]
    pub stream_deadline: Duration,
    /// Messages that wait for one peer and protocol; 1 to 65 536, default 1 024.
    pub send_queue_messages: u32,
    /// Bytes that wait for one peer and protocol; 64 KiB to 64 MiB, default 4 MiB: more than a
    /// connection has in flight on a fast line.
    pub send_queue_bytes: u64,
    /// How long one write may wait before its peer counts as a slow reader and is disconnected, and at
    /// most six times as long while other data of the connection moves; 100 ms to 60 s, default 10 s.
    #[serde(rename = "slow_reader_ms", with = "millis")]
    pub slow_reader: Duration,
    /// Events kept for readers that fall behind; 16 to 65 536, default 256.
    pub event_capacity: u32,
    /// Limits on connections and handshakes.
    pub limits: LimitsConfig,
    /// Weights and thresholds of the reputation.
    pub reputation: ReputationConfig,
    /// How the node shows its key.
    pub credential: Credential,
    /// Whether strangers can dial this node, as far as is known; default unknown, which acts as if
    /// they could. A private node asks others and does not serve.
    pub reachability: Reachability,
    /// Whether returning peers may send idempotent requests in their first flight; default yes.
    pub enable_0rtt: bool,
    /// Whether nodes of the local network find each other by multicast DNS; default no: it tells
    /// everybody there who runs a node.
    pub enable_mdns: bool,
    /// Whether the node finds peers and records of the whole network, and helps others to; default
    /// yes.
    pub enable_discovery: bool,
    /// Where the node enters the network, at most 64 addresses like
    /// `/dns4/seed.example.org/udp/9000/quic-v1`, with or without a peer id; all are dialled at once.
    /// Default none: the node waits for others, or finds them by multicast DNS.
    #[serde(with = "bootstrap_texts")]
    pub bootstrap_nodes: Vec<Address>,
    /// How discovery works on this node.
    pub discovery: DiscoverySettings,
    /// Whether the node takes part in gossip; default yes.
    pub enable_gossip: bool,
    /// How gossip works on this node.
    pub gossip: GossipSettings,
    /// Peers with whom messages of gossip are always exchanged, at most 32 addresses with a peer id, like
    /// `/ip4/192.0.2.1/udp/9000/quic-v1/p2p/…`, of which several may be one peer's. Each is dialled, and
    /// dialled again when it is lost; every valid message goes to it, it is in no mesh, and no score
    /// shuts it out. Both ends name each other: an end that does not knows only a neighbour that never
    /// joins its mesh. Default none.
    #[serde(with = "explicit_texts")]
    pub explicit_peers: Vec<Address>,
    /// Whether this node relays for others; default no. This version has no relay: `true` is refused
    /// rather than ignored.
    pub enable_relay: bool,
    /// Where the node keeps its files; default none: nothing is kept.
    pub data_dir: Option<PathBuf>,
}

/// Why a configuration cannot be used. Every message names the field, what it is and what it may be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// The setting asks for something that this version does not have.
    #[error("{field} is true, but this version cannot do it")]
    NotAvailable {
        /// The setting.
        field: &'static str,
    },
    /// A number or a length.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
    /// An address to listen on that is no socket of this machine.
    #[error(
        "listen_addresses[{index}] is {address}, allowed are /ip4 or /ip6 addresses without a peer id"
    )]
    ListenAddress {
        /// Its place in the list.
        index: usize,
        /// The address, in full: it is the operator's own.
        address: String,
    },
    /// The same address twice.
    #[error("listen_addresses[{index}] is {address}, which is in the list already")]
    ListenTwice {
        /// Its place in the list.
        index: usize,
        /// The address.
        address: String,
    },
    /// A bootstrap node that cannot be dialled.
    #[error(
        "bootstrap_nodes[{index}] is {address}, allowed are direct addresses to which packets can be sent"
    )]
    BootstrapNode {
        /// Its place in the list.
        index: usize,
        /// The address, in full: it is the operator's own.
        address: String,
    },
    /// An explicit peer that cannot be dialled, or that its address does not name.
    #[error(
        "explicit_peers[{index}] is {address}, allowed are direct addresses with a peer id to which packets can be sent"
    )]
    ExplicitPeer {
        /// Its place in the list.
        index: usize,
        /// The address, in full: it is the operator's own.
        address: String,
    },
    /// A setting of gossip.
    #[error("gossip: {0}")]
    Gossip(#[from] GossipConfigError),
    /// A setting of discovery.
    #[error(transparent)]
    Discovery(#[from] DiscoverySettingsError),
    /// An empty path.
    #[error("data_dir is empty, allowed is a path or nothing")]
    DataDir,
}

/// A configuration that was checked, with what follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidConfig {
    config: P2PConfig,
    network_id: NetworkId,
    listen: Vec<SocketAddr>,
}

impl Default for P2PConfig {
    fn default() -> Self {
        let any = SocketAddr::from(([0, 0, 0, 0], 0));
        Self {
            network: "creto".to_owned(),
            listen_addresses: vec![Address::from(any)],
            max_peers: 256,
            connection_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(5),
            max_streams: 128,
            request_timeout: Duration::from_secs(10),
            stream_deadline: Duration::from_secs(10),
            send_queue_messages: 1_024,
            send_queue_bytes: 4 << 20,
            slow_reader: Duration::from_secs(10),
            event_capacity: 256,
            limits: LimitsConfig::default(),
            reputation: ReputationConfig::default(),
            credential: Credential::default(),
            reachability: Reachability::default(),
            enable_0rtt: true,
            enable_mdns: false,
            enable_discovery: true,
            bootstrap_nodes: Vec::new(),
            discovery: DiscoverySettings::default(),
            enable_gossip: true,
            gossip: GossipSettings::default(),
            explicit_peers: Vec::new(),
            enable_relay: false,
            data_dir: None,
        }
    }
}

impl P2PConfig {
    /// How much may wait in one queue of messages; within what a valid configuration may ask for,
    /// because it is not checked yet when a reader is made.
    pub(super) fn queue_limit(&self) -> QueueLimit {
        let messages = self.send_queue_messages.clamp(1, MAX_QUEUED_MESSAGES);
        QueueLimit {
            messages: usize::try_from(messages).unwrap_or(usize::MAX),
            bytes: usize::try_from(self.send_queue_bytes).unwrap_or(usize::MAX),
        }
    }

    /// Checks every field, and the fields against each other.
    ///
    /// # Errors
    /// [`ConfigError`] for the first field that cannot be used.
    pub fn validate(self) -> Result<ValidConfig, ConfigError> {
        check(
            "network.len",
            self.network.len() as u64,
            1..=MAX_NETWORK_NAME,
        )?;
        self.validate_times()?;
        self.validate_bounds()?;
        self.limits.validate()?;
        self.reputation.validate()?;
        self.discovery.validate()?;
        self.gossip.validate()?;
        self.validate_bootstrap_nodes()?;
        self.validate_explicit_peers()?;
        if self
            .data_dir
            .as_ref()
            .is_some_and(|path| path.as_os_str().is_empty())
        {
            return Err(ConfigError::DataDir);
        }
        if self.enable_relay {
            return Err(ConfigError::NotAvailable {
                field: "enable_relay",
            });
        }
        let listen = self.listen_sockets()?;
        let network_id = NetworkId::of(&self.network);
        Ok(ValidConfig {
            config: self,
            network_id,
            listen,
        })
    }

    fn validate_times(&self) -> Result<(), OutOfRange> {
        const MINUTE: u64 = 60_000;
        check_millis(
            "connection_timeout_ms",
            self.connection_timeout,
            100..=MINUTE,
        )?;
        check_millis("idle_timeout_ms", self.idle_timeout, 2_000..=10 * MINUTE)?;
        let idle = u64::try_from(self.idle_timeout.as_millis()).unwrap_or(u64::MAX);
        check_millis("keep_alive_ms", self.keep_alive, 500..=idle / 2)?;
        check_millis("request_timeout_ms", self.request_timeout, 10..=10 * MINUTE)?;
        check_millis("stream_deadline_ms", self.stream_deadline, 100..=idle)?;
        check_millis("slow_reader_ms", self.slow_reader, 100..=MINUTE)
    }

    fn validate_bounds(&self) -> Result<(), OutOfRange> {
        check("max_peers", self.max_peers.into(), 1..=8_192)?;
        check("max_streams", self.max_streams.into(), 8..=1_024)?;
        check(
            "send_queue_messages",
            self.send_queue_messages.into(),
            1..=MAX_QUEUED_MESSAGES.into(),
        )?;
        check(
            "send_queue_bytes",
            self.send_queue_bytes,
            64 << 10..=64 << 20,
        )?;
        check(
            "event_capacity",
            self.event_capacity.into(),
            16..=MAX_EVENT_CAPACITY.into(),
        )?;
        let addresses = self.listen_addresses.len() as u64;
        check("listen_addresses.len", addresses, 1..=MAX_LISTEN_ADDRESSES)
    }

    fn validate_bootstrap_nodes(&self) -> Result<(), ConfigError> {
        let nodes = self.bootstrap_nodes.len() as u64;
        check("bootstrap_nodes.len", nodes, 0..=MAX_BOOTSTRAP_NODES)?;
        for (index, address) in self.bootstrap_nodes.iter().enumerate() {
            if !address.is_dialable() || address.relay().is_some() {
                return Err(ConfigError::BootstrapNode {
                    index,
                    address: address.to_string(),
                });
            }
        }
        Ok(())
    }

    fn validate_explicit_peers(&self) -> Result<(), ConfigError> {
        let peers = self.explicit_peers.len() as u64;
        check("explicit_peers.len", peers, 0..=MAX_EXPLICIT_PEERS)?;
        for (index, address) in self.explicit_peers.iter().enumerate() {
            let is_named = address.peer_id().is_some() && address.relay().is_none();
            if !is_named || !address.is_dialable() {
                return Err(ConfigError::ExplicitPeer {
                    index,
                    address: address.to_string(),
                });
            }
        }
        Ok(())
    }

    fn listen_sockets(&self) -> Result<Vec<SocketAddr>, ConfigError> {
        let mut sockets = Vec::with_capacity(self.listen_addresses.len());
        for (index, address) in self.listen_addresses.iter().enumerate() {
            let socket = address
                .socket_addr()
                .filter(|_| address.peer_id().is_none());
            let is_unicast = |socket: &SocketAddr| !socket.ip().is_multicast();
            let Some(socket) = socket.filter(is_unicast) else {
                return Err(ConfigError::ListenAddress {
                    index,
                    address: address.to_string(),
                });
            };
            if socket.port() != 0 && sockets.contains(&socket) {
                return Err(ConfigError::ListenTwice {
                    index,
                    address: address.to_string(),
                });
            }
            sockets.push(socket);
        }
        Ok(sockets)
    }
}

impl ValidConfig {
    /// The configuration.
    #[must_use]
    pub const fn get(&self) -> &P2PConfig {
        &self.config
    }

    /// The network's id.
    #[must_use]
    pub const fn network_id(&self) -> NetworkId {
        self.network_id
    }

    /// Where to listen, in the order of the configuration.
    #[must_use]
    pub fn listen(&self) -> &[SocketAddr] {
        &self.listen
    }
}

/// Lists of addresses as their texts; the error names the field.
macro_rules! address_texts {
    ($module:ident, $field:literal) => {
        mod $module {
            use serde::de::Error;
            use serde::{Deserialize, Deserializer, Serializer};

            use crate::wire::Address;

            pub(super) fn serialize<S: Serializer>(
                addresses: &[Address],
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                serializer.collect_seq(addresses.iter().map(ToString::to_string))
            }

            pub(super) fn deserialize<'de, D: Deserializer<'de>>(
                source: D,
            ) -> Result<Vec<Address>, D::Error> {
                let texts = Vec::<String>::deserialize(source)?;
                let addresses = texts.iter().map(|text| {
                    text.parse()
                        .map_err(|error| D::Error::custom(format!(concat!($field, ": {}"), error)))
                });
                addresses.collect()
            }
        }
    };
}

address_texts!(listen_texts, "listen_addresses");
address_texts!(bootstrap_texts, "bootstrap_nodes");
address_texts!(explicit_texts, "explicit_peers");
