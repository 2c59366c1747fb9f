//! Gossip over QUIC: topics among running nodes.

mod attacks;
mod connections;
mod exchange;
mod explicit;
mod faults;
mod handles;
mod large;
mod slow_readers;
mod spreading;
mod support;
mod validators;
