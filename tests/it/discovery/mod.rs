//! Discovery over real QUIC: nodes that know one another only by what they are told.

mod bootstrap;
mod liars;
mod modes;
mod network;
mod overload;
mod records;
mod roles;
mod state;
mod support;
mod table;
mod two_nodes;
