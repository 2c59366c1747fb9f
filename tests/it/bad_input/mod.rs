//! Whatever is wrong about a handshake or a stream, and what its sender gets for it.

mod handshake;
mod streams;
