//! The scale simulator of gossip: its machines alone, thousands of them, in a discrete-event loop.
//!
//! [`World`] stands for the edges of all nodes at once: it carries their frames, signs and verifies
//! in their name, and keeps the clock. A [`Scenario`] is a world with publishers, and with something
//! that goes wrong in it; it is run with a seed, and an [`Outcome`] comes out.
//!
//! # What is modelled
//!
//! - A link has a latency of its own, the same both ways; each packet has a jitter on top. Each
//!   direction delivers in order: what is late holds up what is behind it. What is lost is repeated
//!   a round trip later, as QUIC does, as often as it is lost.
//! - All that a node sends leaves through one uplink, first come first served, with the real frames,
//!   keys and seals in it. A machine is told that its frames are written when their last byte has
//!   left.
//! - A node has one core for signatures, and does one at a time. Signatures are bytes that the world
//!   handed out; they are valid for what they were handed out for, and no other bytes are.
//! - Connections break, nodes stop and come back, peers stop reading.
//!
//! # What is not
//!
//! Packet headers and acknowledgements take no room on the uplink; the headers are counted apart.
//! The path has no congestion control and no downlink; a batch is lost as a whole or not at all. A
//! machine's own work takes no time, and all clocks agree. Nobody dials whom a neighbour recommends. A
//! connection that broke comes back only with its node.
//!
//! The same seed gives the same run: all chance comes from it, and nothing iterates a hash map. The
//! graph and the times of publication do not depend on what the machines do, so that two
//! configurations with one seed meet the same network and the same messages.

mod behaviour;
mod dice;
mod events;
mod frames;
mod histogram;
mod ledger;
mod line;
mod machine;
mod model;
mod node;
mod processor;
mod scenario;
mod signatures;
#[cfg(test)]
mod tests;
mod topology;
mod traffic;
mod uplink;
mod world;

pub use behaviour::{Bait, Choice, Choosy, Grafter, Mute};
pub use histogram::Histogram;
pub use ledger::Reach;
pub use machine::{Build, Machine, Settings, shipped};
pub use model::{Authentication, NetworkModel};
pub use node::{Identity, NodeId, Role};
pub use scenario::{Disturbance, Outcome, Publishing, Scenario, Stage, SybilAttack, Sybils, Turn};
pub use topology::shortest_paths;
pub use traffic::Traffic;
pub use world::{Accusation, World};
