//! The swarm: connections to peers, and the protocols on them.
//!
//! [`Swarm`] dials and accepts over one or more transports, keeps one connection with each peer,
//! and hands every stream to the [`Protocol`] that its header names. What decides is in pure
//! objects that take the time: [`Admission`], [`Duplicates`], [`ReputationLedger`], [`BanList`],
//! [`PeerBook`]; what runs is a task for each connection and one for each stream.

#![allow(
    clippy::disallowed_methods,
    reason = "this room waits: for handshakes and deadlines"
)]

mod accept;
mod ban_list;
pub mod bounds;
mod builtin;
mod config;
mod connections;
mod dial;
mod dial_failure;
mod dials;
pub mod duplicates;
mod establish;
mod events;
mod first_flight;
mod framing;
mod hold;
mod housekeeping;
mod inner;
mod limits;
mod link;
pub mod mdns;
mod metrics;
pub(crate) mod millis;
mod ordered;
mod outbox;
mod patience;
mod peer_book;
mod probing;
mod protocol;
mod queue;
mod reachability;
mod registry;
mod reputation;
mod request;
mod resolve;
mod serve;
mod service;
mod signal;
mod stop;
mod swarm;
mod tasks;
#[cfg(all(test, feature = "sim"))]
pub(crate) mod tests;
mod transports;
mod within;

pub use ban_list::{Ban, BanList, BanReason, MAX_BANS};
pub use bounds::OutOfRange;
pub use config::SwarmConfig;
pub use dial_failure::DialFailure;
pub use duplicates::{ConnectionId, Direction, Duplicates, MAX_CONNECTIONS_PER_PEER};
pub use events::{Event, EventHub, EventStream, IncomingRefusal, Lagged, SwarmEvent};
pub use framing::{FrameError, FrameReader, FrameWriter};
pub use hold::Hold;
pub use limits::{
    Admission, Admit, Counts, LimitsConfig, MAX_TRACKED_SOURCES, MAX_UNFINISHED_DIALS, PermitId,
    RefuseReason, Source,
};
pub use metrics::SwarmMetrics;
pub(crate) use ordered::Carrier;
pub use outbox::SendError;
pub use peer_book::{
    AddError, AddressRecord, AddressSource, Audience, MAX_ADDRESSES_PER_PEER, MAX_ADDRESSES_TOLD,
    MAX_PEERS_REMEMBERED, MAX_TAG_KEY, MAX_TAG_VALUE, MAX_TAGS, PeerBook, PeerEntry, RETRY_BASE,
    RETRY_CAP, TagError,
};
pub(crate) use probing::Budget;
pub use protocol::{
    CircuitId, FIRST_APPLICATION_PROTOCOL, Handler, HandlerFuture, InboundOrdered, InboundRaw,
    InboundRequest, OrderedHandler, Origin, Protocol, RawHandler, Refusal, RegisterError, Reply,
    RequestHandler, Shape,
};
pub use queue::QueueLimit;
pub use reachability::Reachability;
pub use registry::MAX_PROTOCOLS;
pub use reputation::{
    ConfirmedEvidence, Fault, Leniency, MAX_FORGIVEN, MAX_RATED_PEERS, MAX_SUB_SCORES, Novelty,
    PathKind, REFUSAL_ON_ITS_WAY, Reputation, ReputationConfig, ReputationLedger, Severity,
    Standing, Verdict,
};
pub use request::{OutboundRequest, RequestError};
pub(crate) use service::{Caller, Services, StackProtocols, Task};
pub use swarm::{Setup, Swarm, WeakSwarm};
