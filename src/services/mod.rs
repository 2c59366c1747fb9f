//! The tokio halves of the pure rooms: each drives one machine over the swarm.
#![allow(
    clippy::disallowed_methods,
    reason = "this room waits: for inputs and timers"
)]

pub mod discovery;
pub mod gossip;
mod whole_file;
