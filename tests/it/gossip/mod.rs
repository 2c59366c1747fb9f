//! Gossip over QUIC: topics among running nodes.

mod faults;
mod spreading;
mod support;
mod validators;
