//! The swarm's pure objects: reputation, bans, admission, duplicate connections.

mod ban_list;
pub mod bounds;
pub mod duplicates;
mod events;
mod limits;
pub mod mdns;
pub(crate) mod millis;
mod peer_book;
mod reputation;

pub use ban_list::{Ban, BanList, BanReason, MAX_BANS};
pub use bounds::OutOfRange;
pub use duplicates::{ConnectionId, Direction, Duplicates, MAX_CONNECTIONS_PER_PEER};
pub use events::{
    AddressOpinion, DialFailure, DisconnectReason, Event, EventHub, EventStream, IncomingRefusal,
    Lagged, SwarmEvent,
};
pub use limits::{
    Admission, Admit, Counts, LimitsConfig, MAX_TRACKED_SOURCES, PermitId, RefuseReason, Source,
};
pub use peer_book::{
    AddError, AddressRecord, AddressSource, Audience, MAX_ADDRESSES_PER_PEER, MAX_PEERS_REMEMBERED,
    MAX_TAG_KEY, MAX_TAG_VALUE, MAX_TAGS, PeerBook, PeerEntry, RETRY_BASE, RETRY_CAP, TagError,
};
pub use reputation::{
    ConfirmedEvidence, Fault, Leniency, MAX_FORGIVEN, MAX_RATED_PEERS, MAX_SUB_SCORES, Novelty,
    PathKind, Reputation, ReputationConfig, ReputationLedger, Severity, Standing, Verdict,
};
