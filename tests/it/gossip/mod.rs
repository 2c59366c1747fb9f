//! Gossip over QUIC: topics among running nodes.

mod attacks;
mod exchange;
mod explicit;
mod faults;
mod large;
mod spreading;
mod support;
mod validators;
