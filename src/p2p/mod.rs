//! The swarm's pure objects: reputation, bans, admission, duplicate connections.

mod ban_list;
pub mod bounds;
pub mod duplicates;
mod limits;
pub(crate) mod millis;
mod reputation;

pub use ban_list::{Ban, BanList, BanReason, MAX_BANS};
pub use bounds::OutOfRange;
pub use duplicates::{ConnectionId, Direction, Duplicates, MAX_CONNECTIONS_PER_PEER};
pub use limits::{
    Admission, Admit, Counts, LimitsConfig, MAX_TRACKED_SOURCES, PermitId, RefuseReason, Source,
};
pub use reputation::{
    ConfirmedEvidence, Fault, Leniency, MAX_FORGIVEN, MAX_RATED_PEERS, MAX_SUB_SCORES, Novelty,
    PathKind, Reputation, ReputationConfig, ReputationLedger, Severity, Standing, Verdict,
};
