//! QUIC with a post-quantum handshake; the only room that knows quinn and rustls.
//!
//! [`QuicTransport`] binds a socket, dials and accepts. A [`Connection`] is *provisional* until its
//! handshake is confirmed: it may then carry requests that are safe to repeat, under the identity
//! that a ticket proves, and nothing else. All datagrams pass the path-switching socket in
//! `paths`, so quinn sees one address a peer while the packets may take several [`Path`]s.

#![allow(
    clippy::disallowed_methods,
    reason = "this room owns the sockets and timers"
)]

mod close;
mod config;
mod connection;
mod connection_id;
mod endpoint;
pub mod environment;
mod handshake;
mod held_socket;
mod keys;
mod paths;
#[cfg(feature = "sim")]
pub mod raw;
mod settings;
mod streams;
mod tls;

#[cfg(all(test, feature = "sim"))]
mod tests;

pub use close::{CloseReason, HandshakeFailure};
pub use config::{TransportConfig, TransportConfigError};
pub use connection::{Connection, LinkStats};
pub use endpoint::{BindError, Incoming, QuicTransport, ResumptionUsage};
pub use handshake::{Accepting, DialError, Dialing, PqcHandshake};
pub use held_socket::SocketsClosed;
pub use paths::{AddPathError, AttachError, Path, PathCounters, PathId, SocketId, UnknownPath};
pub use streams::{ReadError, RecvStream, SendStream, WriteError};
pub use tls::{Credential, TlsError};
