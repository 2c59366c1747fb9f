//! What a swarm can be told.

use std::num::NonZeroUsize;
use std::time::Duration;

use super::{LimitsConfig, QueueLimit, Reachability, ReputationConfig};

/// Settings of a [`Swarm`](super::Swarm). They are not checked here: a node makes them from its own
/// validated configuration.
#[derive(Debug, Clone)]
pub struct SwarmConfig {
    /// What identify tells about this program: printable ASCII, at most 64 bytes.
    pub agent: String,
    /// Whether strangers can dial this node, as far as the operator knows.
    pub reachability: Reachability,
    /// Peers connected at once.
    pub max_peers: u32,
    /// Most that a dial may take, all addresses together.
    pub connection_timeout: Duration,
    /// How long a handshake that a peer began may take.
    pub handshake_timeout: Duration,
    /// How long a peer may take over the header, and over a request, of a stream it opened.
    pub stream_deadline: Duration,
    /// How long a request may take, from either end.
    pub request_deadline: Duration,
    /// How long one write may wait for its peer before it is disconnected; at most six times as long
    /// while other data of the connection moves.
    pub slow_reader_deadline: Duration,
    /// Requests of one peer that are served at once; the next waits for its turn, and is answered
    /// `BUSY` after `stream_deadline`.
    pub requests_served: u32,
    /// Requests to one peer that may wait for their answers at once.
    pub requests_waiting: u32,
    /// Messages that may wait for one peer in one protocol.
    pub queue: QueueLimit,
    /// Events that a reader may lag behind before it loses the oldest.
    pub event_backlog: NonZeroUsize,
    /// Limits of connections.
    pub limits: LimitsConfig,
    /// What faults cost.
    pub reputation: ReputationConfig,
}
