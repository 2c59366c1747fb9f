//! Gossip over QUIC: topics among running nodes.

mod spreading;
mod support;
mod validators;
