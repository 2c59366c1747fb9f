//! Whatever is wrong about a handshake or a stream, and what its sender gets for it.

mod deadlines;
mod handshake;
mod local;
mod observations;
mod penalties;
mod readers;
mod streams;
