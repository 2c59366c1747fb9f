//! The scale simulator: the discovery machines alone, thousands of them, in a discrete-event loop.
//!
//! [`World`] stands for the edges of all nodes at once: it carries their frames, opens connections,
//! and keeps the clock. What it simplifies: a frame takes half a round trip, whatever its size; a
//! datagram that is lost is repeated once after a probe timeout, as QUIC does; signatures are valid
//! if their bytes are, after a modelled time; processors are infinitely fast but for that.
//!
//! The same seed gives the same run: all chance comes from it, and nothing iterates a hash map.

mod events;
mod network;
mod node;
mod sybil;
#[cfg(test)]
mod tests;
mod world;

pub use network::NetworkModel;
pub use node::NodeId;
pub use sybil::SybilGroup;
pub use world::{Traffic, World};
