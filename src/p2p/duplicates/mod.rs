//! Which of several connections between two peers survives.

mod connection;
mod rule;
#[cfg(test)]
mod tests;

pub use connection::{ConnectionId, Direction};
pub use rule::{
    DRAIN_LIMIT, Duplicates, FOLLOWER_PATIENCE, Input, MAX_CONNECTIONS_PER_PEER, Output,
    PROBE_LIMIT, PROBE_MARGIN, QUIET, QUIET_ROUND_TRIPS,
};
