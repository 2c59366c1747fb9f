//! Gossip over QUIC: topics among running nodes.

mod faults;
mod large;
mod spreading;
mod support;
mod validators;
