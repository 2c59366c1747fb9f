//! Discovery over real QUIC: nodes that know one another only by what they are told.

mod support;
mod two_nodes;
