//! A post-quantum peer-to-peer network stack on raw QUIC.
//!
//! The crate is a house of rooms on floors; an import may point down, never up:
//! `crypto`, `identity` → `wire`, `policy` → `discovery`, `gossip` → `transport` → `p2p` → `services` → `node` → the program.
//! The lower rooms are pure (no clock, no socket, no ambient randomness) and build with
//! `--no-default-features`.

pub mod crypto;
pub mod discovery;
pub mod gossip;
pub mod identity;
pub mod policy;
pub mod wire;

#[cfg(feature = "node")]
pub mod node;
#[cfg(feature = "node")]
pub mod p2p;
#[cfg(feature = "node")]
pub mod services;
#[cfg(feature = "node")]
pub mod transport;

#[cfg(feature = "scale")]
pub mod sim;

/// Compiles and runs the example of the README.
#[cfg(all(doctest, feature = "node"))]
#[doc = include_str!("../README.md")]
struct Readme;
