//! The node: identity, configuration and swarm put together; the face of the library.

#![allow(clippy::disallowed_methods, reason = "this room measures and waits")]

mod application;
mod builder;
mod config;
mod lock;
mod mdns_task;
mod messages;
mod p2p_node;
mod turns;

pub use builder::{NodeBuilder, SpawnError};
pub use config::{ConfigError, P2PConfig, ValidConfig};
pub use lock::LockError;
pub use messages::{Message, Messages};
pub use p2p_node::P2PNode;
