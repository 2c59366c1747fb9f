//! Handshakes under way.
//!
//! ```text
//!  dial ──► Dialing ──(ticket)──► early(): provisional connection ──┐
//!              └───────────────────────────────────────────────────┴─► confirmed()
//!  accept ─► Accepting ── connection(): provisional ──────────────────► confirmed()
//! ```

use std::net::SocketAddr;

use quinn::ZeroRttAccepted;

use super::paths::{PathSwitch, Paths};
use super::{CloseReason, Connection, Credential};
use crate::identity::PeerId;

pub use super::tls::PqcHandshake;

/// Why a dial did not lead to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
    /// The address cannot be dialled: port 0, or a family without a socket.
    #[error("the address cannot be dialled")]
    InvalidAddress,
    /// The endpoint was shut down.
    #[error("the endpoint is shut down")]
    Stopped,
    /// The TLS or QUIC configuration of this node cannot be used.
    #[error("this node's configuration cannot be used to dial")]
    Configuration,
    /// The handshake failed or the connection ended before it was confirmed.
    #[error(transparent)]
    Failed(#[from] CloseReason),
    /// The peer proved no identity that this node understands, although TLS accepted it.
    #[error("the peer's identity could not be read")]
    NoIdentity,
}

impl From<quinn::ConnectError> for DialError {
    fn from(error: quinn::ConnectError) -> Self {
        use quinn::ConnectError as E;
        match error {
            E::EndpointStopping => Self::Stopped,
            E::InvalidRemoteAddress(_) => Self::InvalidAddress,
            E::CidsExhausted
            | E::InvalidServerName(_)
            | E::NoDefaultClientConfig
            | E::UnsupportedVersion => Self::Configuration,
        }
    }
}

/// What both kinds of handshake need to make a [`Connection`].
#[derive(Debug, Clone)]
pub(super) struct Context {
    pub(super) credential: Credential,
    pub(super) paths: Paths,
    pub(super) congestion: PathSwitch,
    pub(super) expected: Option<PeerId>,
}

impl Context {
    fn connection(&self, quinn: quinn::Connection) -> Connection {
        let paths = (self.paths.clone(), self.congestion.clone());
        Connection::new(quinn, self.credential, paths, self.expected)
    }
}

/// A dial under way. Dropping it abandons the dial.
#[derive(Debug)]
pub struct Dialing {
    context: Context,
    state: DialState,
}

enum DialState {
    Early {
        connection: Connection,
        accepted: ZeroRttAccepted,
    },
    Full(quinn::Connecting),
}

impl std::fmt::Debug for DialState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Early { .. } => "Early",
            Self::Full(_) => "Full",
        })
    }
}

impl Dialing {
    pub(super) fn new(connecting: quinn::Connecting, context: Context) -> Self {
        let state = match connecting.into_0rtt() {
            Ok((quinn, accepted)) => DialState::Early {
                connection: context.connection(quinn),
                accepted,
            },
            Err(connecting) => DialState::Full(connecting),
        };
        Self { context, state }
    }

    /// The provisional connection, when a ticket allows early data. Only requests that are safe to
    /// repeat may be sent on it; if the acceptor refuses early data, its streams fail with
    /// [`ReadError::EarlyRefused`](super::ReadError::EarlyRefused).
    #[must_use]
    pub fn early(&self) -> Option<&Connection> {
        match &self.state {
            DialState::Early { connection, .. } => Some(connection),
            DialState::Full(_) => None,
        }
    }

    /// Waits for the handshake; the peer is then the one that was expected.
    ///
    /// The acceptor verifies our credential after this resolved: its refusal arrives as the end of
    /// the connection.
    ///
    /// # Errors
    /// See [`DialError`].
    pub async fn confirmed(self) -> Result<Connection, DialError> {
        let connection = match self.state {
            DialState::Early {
                connection,
                accepted,
            } => {
                // False if the acceptor refused early data; the connection is good all the same.
                accepted.await;
                connection
            }
            DialState::Full(connecting) => {
                let quinn = connecting.await.map_err(CloseReason::from)?;
                self.context.connection(quinn)
            }
        };
        confirm(connection)
    }
}

/// An incoming handshake under way. Dropping it ends the connection.
pub struct Accepting {
    connection: Connection,
    resolved: ZeroRttAccepted,
    paths: Paths,
    /// As quinn knows it.
    address: SocketAddr,
}

impl std::fmt::Debug for Accepting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Accepting")
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}

impl Accepting {
    pub(super) fn new(
        connecting: quinn::Connecting,
        context: &Context,
    ) -> Result<Self, CloseReason> {
        // An acceptor's handshake always converts; the other arm cannot be reached.
        match connecting.into_0rtt() {
            Ok((quinn, resolved)) => Ok(Self {
                paths: context.paths.clone(),
                address: quinn.remote_address(),
                connection: context.connection(quinn),
                resolved,
            }),
            Err(_) => Err(CloseReason::Local),
        }
    }

    /// The provisional connection. Its peer is who the ticket says, and a flight that was stolen
    /// on its way looks the same: nothing but repeatable requests may be served on it.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Waits until the dialler has proved its key.
    ///
    /// # Errors
    /// The handshake failed.
    pub async fn confirmed(self) -> Result<Connection, DialError> {
        // quinn resolves this with `false` on success and on failure alike.
        self.resolved.await;
        let connection = confirm(self.connection)?;
        self.paths.lift(self.address);
        Ok(connection)
    }
}

fn confirm(connection: Connection) -> Result<Connection, DialError> {
    if let Some(reason) = connection.close_reason() {
        return Err(reason.into());
    }
    match connection.peer_id() {
        Some(_) => Ok(connection),
        None => Err(DialError::NoIdentity),
    }
}
