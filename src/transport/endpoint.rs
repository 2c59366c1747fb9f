//! The QUIC endpoint: one home socket, all connections.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use quinn::crypto::rustls::QuicServerConfig;
use tokio::sync::watch;

use super::close::quinn_code;
use super::environment::Environment;
use super::handshake::Context;
use super::held_socket::{HeldSocket, Hold, SocketsClosed, hold};
use super::keys::EndpointKeys;
use super::paths::{AttachError, PathCounters, PathSwitch, Paths, SocketId, path_aware};
use super::tls::{PqcHandshake, ServerName};
use super::{
    Accepting, CloseReason, DialError, Dialing, Path, TlsError, TransportConfig,
    TransportConfigError, settings,
};
use crate::crypto::EntropyFailure;
use crate::identity::{Keypair, PeerId};
use crate::policy::IpGroup;
use crate::wire::{ErrorCode, NetworkId};

/// Why a transport could not be started.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// A setting is out of range.
    #[error(transparent)]
    Config(#[from] TransportConfigError),
    /// TLS could not be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The socket could not be bound.
    #[error("cannot listen on {address}: {error}")]
    Socket {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// The further socket does not fit the endpoint.
    #[error(transparent)]
    Attach(#[from] AttachError),
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyFailure),
}

/// Entries and bytes of the resumption stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResumptionUsage {
    /// Tickets that this node issued.
    pub tickets: usize,
    /// Their bytes, at most 16 MiB.
    pub ticket_bytes: usize,
    /// Sessions that this node may resume.
    pub sessions: usize,
    /// Their bytes as counted, at most 16 MiB.
    pub session_bytes: usize,
}

/// The longest connection id (RFC 9000 §17.2); eight unpredictable bytes are asked for (§7.2).
const FIRST_DESTINATION_BYTES: usize = 20;

type FirstDestination = dyn Fn() -> quinn::ConnectionId + Send + Sync;

/// A QUIC endpoint that dials and accepts, authenticated by one identity.
#[derive(Debug)]
pub struct QuicTransport {
    endpoint: quinn::Endpoint,
    paths: Paths,
    handshake: Arc<PqcHandshake>,
    server: quinn::ServerConfig,
    config: TransportConfig,
    environment: Environment,
    hold: Hold,
    sockets_closed: Mutex<Option<SocketsClosed>>,
}

impl QuicTransport {
    /// Binds a socket and starts the endpoint on it, with resumption stores of its own.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn bind(
        config: TransportConfig,
        keypair: &Keypair,
        network: NetworkId,
        environment: Environment,
    ) -> Result<Self, BindError> {
        let clock = environment.clock.clone();
        config.validate()?;
        let handshake = PqcHandshake::for_node(&config, keypair, network, clock)?;
        Self::bind_sharing(config, keypair, Arc::new(handshake), environment)
    }

    /// Binds a socket and starts the endpoint on it, with the resumption stores of `handshake`,
    /// which was made for the same identity and settings: a peer that met this node at one of its
    /// transports resumes at the others too.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn bind_sharing(
        config: TransportConfig,
        keypair: &Keypair,
        handshake: Arc<PqcHandshake>,
        environment: Environment,
    ) -> Result<Self, BindError> {
        config.validate()?;
        let (hold, sockets_closed) = hold();
        let home = bind_socket(&environment, config.bind_address)?;
        let home = HeldSocket::new(home, hold.clone());
        let listening = |error| BindError::Socket {
            address: config.bind_address,
            error,
        };
        let (paths, socket) = Paths::new(home).map_err(listening)?;
        let keys = EndpointKeys::derive(keypair);
        let transport = settings::transport(&config, settings::congestion())?;
        let crypto = Arc::new(handshake.server(IpGroup::Local)?);
        let server = settings::server(crypto, &keys, transport, environment.clock.clone());
        let endpoint = quinn::Endpoint::new_with_abstract_socket(
            settings::endpoint(&keys, seed(&environment)?, seed(&environment)?),
            Some(server.clone()),
            Arc::new(socket),
            environment.runtime.clone(),
        )
        .map_err(listening)?;
        Ok(Self {
            endpoint,
            paths,
            handshake,
            server,
            config,
            environment,
            hold,
            sockets_closed: Mutex::new(Some(sockets_closed)),
        })
    }

    /// The address that the socket is bound to.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        // quinn sees the IPv6 form of every address.
        let address = self.endpoint.local_addr()?;
        Ok(SocketAddr::new(address.ip().to_canonical(), address.port()))
    }

    /// Starts a dial. With `expected`, another identity at the address is refused before this
    /// node's own key is sent, and a ticket may allow early data; without, nothing is remembered.
    ///
    /// # Errors
    /// [`DialError::InvalidAddress`], [`DialError::Stopped`] or [`DialError::Configuration`].
    pub fn dial(
        &self,
        address: SocketAddr,
        expected: Option<PeerId>,
    ) -> Result<Dialing, DialError> {
        let name = match expected {
            Some(peer) => ServerName::peer(peer),
            None => ServerName::unknown(nonce(&self.environment)?),
        };
        let (transport, congestion) = self.transport()?;
        let mut client = quinn::ClientConfig::new(self.handshake.client(&name));
        client
            .transport_config(transport)
            .token_store(self.handshake.stores().clone())
            .initial_dst_cid_provider(self.first_destination()?);
        let address = self
            .paths
            .virtual_address_for(address)
            .ok_or(DialError::InvalidAddress)?;
        self.paths.lift(address);
        let connecting = self.endpoint.connect_with(client, address, name.as_str())?;
        Ok(Dialing::new(connecting, self.context(expected, congestion)))
    }

    /// Whether a dial that expects `peer` has a ticket to show, which may allow early data.
    #[must_use]
    pub fn has_ticket(&self, peer: PeerId) -> bool {
        self.handshake.stores().has_ticket(&ServerName::peer(peer))
    }

    /// The next connection attempt; `None` after [`close`](Self::close).
    pub async fn accept(&self) -> Option<Incoming> {
        let quinn = self.endpoint.accept().await?;
        let address = quinn.remote_address();
        let path = self
            .paths
            .path_of(address)
            .unwrap_or_else(|| Path::direct(address));
        Some(Incoming { quinn, path })
    }

    /// Starts the handshake of an attempt.
    ///
    /// # Errors
    /// The attempt was malformed or ended meanwhile.
    pub fn begin(&self, incoming: Incoming) -> Result<Accepting, DialError> {
        let group = match incoming.path {
            Path::Direct { group, .. } => group,
            Path::Relayed { relay_group, .. } => relay_group,
        };
        let crypto: QuicServerConfig = self
            .handshake
            .server(group)
            .map_err(|_| DialError::Configuration)?;
        let (transport, congestion) = self.transport()?;
        let mut server = self.server.clone();
        server.crypto = Arc::new(crypto);
        server.transport = transport;
        if !incoming.is_validated() {
            self.paths.limit(incoming.quinn.remote_address());
        }
        let connecting = incoming
            .quinn
            .accept_with(Arc::new(server))
            .map_err(CloseReason::from)?;
        Ok(Accepting::new(connecting, &self.context(None, congestion))?)
    }

    /// Moves the endpoint to a new socket, after a change of network. Dialled connections follow
    /// by QUIC's migration, with their streams.
    ///
    /// # Errors
    /// The socket cannot be bound; the old one stays.
    pub fn rebind(&self, address: SocketAddr) -> Result<(), BindError> {
        let home = bind_socket(&self.environment, address)?;
        let home = HeldSocket::new(home, self.hold.clone());
        let socket = self.paths.rehome(home)?;
        self.endpoint
            .rebind_abstract(Arc::new(socket))
            .map_err(|error| BindError::Socket { address, error })
    }

    /// Opens a further socket, for paths that do not lead over the home socket.
    ///
    /// # Errors
    /// The socket cannot be bound, or there are too many.
    pub fn attach_socket(&self, address: SocketAddr) -> Result<SocketId, BindError> {
        let socket = bind_socket(&self.environment, address)?;
        let socket = HeldSocket::new(socket, self.hold.clone());
        Ok(self.paths.attach_socket(socket)?)
    }

    /// Closes a further socket; connections whose packets took it return to their first path.
    pub fn detach_socket(&self, socket: SocketId) {
        self.paths.detach_socket(socket);
    }

    /// Counts switches of path, of all connections together; compare [`Connection::path`].
    ///
    /// [`Connection::path`]: super::Connection::path
    #[must_use]
    pub fn path_changes(&self) -> watch::Receiver<u64> {
        self.paths.changes()
    }

    /// Datagrams that were dropped because of where they came from.
    #[must_use]
    pub fn path_counters(&self) -> PathCounters {
        self.paths.counters()
    }

    /// Accepts no further connections; those that exist go on, and dials are possible.
    pub fn stop_accepting(&self) {
        self.endpoint.set_server_config(None);
    }

    /// What tells when the sockets are closed, which they are no sooner than this transport is
    /// dropped; `None` after the first call.
    #[must_use]
    pub fn sockets_closed(&self) -> Option<SocketsClosed> {
        let mut closed = self
            .sockets_closed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        closed.take()
    }

    /// Ends all connections and accepts no more.
    pub fn close(&self, code: ErrorCode) {
        self.endpoint.close(quinn_code(code), &[]);
    }

    /// Waits until the peers of closed connections were told.
    pub async fn wait_idle(&self) {
        self.endpoint.wait_idle().await;
    }

    /// QUIC connections that exist, from the first packet until the last one about their end.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.endpoint.open_connections()
    }

    /// How full the resumption stores are.
    #[must_use]
    pub fn resumption_usage(&self) -> ResumptionUsage {
        let (tickets, ticket_bytes) = self.handshake.tickets().usage();
        let (sessions, session_bytes) = self.handshake.stores().usage();
        ResumptionUsage {
            tickets,
            ticket_bytes,
            sessions,
            session_bytes,
        }
    }

    /// The connection id that a dial addresses its first packets to. Their keys follow from it, so
    /// it comes from this node's entropy; quinn would draw it from a generator of its own.
    fn first_destination(&self) -> Result<Arc<FirstDestination>, DialError> {
        let mut id = [0; FIRST_DESTINATION_BYTES];
        self.environment
            .entropy
            .fill(&mut id)
            .map_err(|_| DialError::Configuration)?;
        Ok(Arc::new(move || quinn::ConnectionId::new(&id)))
    }

    /// Settings for one connection, with a congestion controller of its own.
    fn transport(&self) -> Result<(Arc<quinn::TransportConfig>, PathSwitch), DialError> {
        let (congestion, switch) = path_aware(settings::congestion());
        let transport =
            settings::transport(&self.config, congestion).map_err(|_| DialError::Configuration)?;
        Ok((Arc::new(transport), switch))
    }

    fn context(&self, expected: Option<PeerId>, congestion: PathSwitch) -> Context {
        let credential = self.config.credential;
        Context {
            credential,
            paths: self.paths.clone(),
            congestion,
            expected,
        }
    }
}

/// A connection attempt that was not answered yet. Dropping it refuses it.
#[derive(Debug)]
pub struct Incoming {
    quinn: quinn::Incoming,
    path: Path,
}

impl Incoming {
    /// Where the attempt comes from, as far as its source address can be believed.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the sender has proved that it receives at its address.
    #[must_use]
    pub fn is_validated(&self) -> bool {
        self.quinn.remote_address_validated()
    }

    /// Asks the dialler to prove its address first; costs no state. An attempt that has done so
    /// before is refused.
    pub fn retry(self) {
        // The error hands the attempt back; dropping it refuses.
        let _ = self.quinn.retry();
    }

    /// Says no.
    pub fn refuse(self) {
        self.quinn.refuse();
    }

    /// Says nothing.
    pub fn ignore(self) {
        self.quinn.ignore();
    }
}

pub(super) fn bind_socket(
    environment: &Environment,
    address: SocketAddr,
) -> Result<Arc<dyn quinn::AsyncUdpSocket>, BindError> {
    environment
        .sockets
        .bind(address)
        .map_err(|error| BindError::Socket { address, error })
}

pub(super) fn seed(environment: &Environment) -> Result<[u8; 32], EntropyFailure> {
    let mut seed = [0; 32];
    environment.entropy.fill(&mut seed)?;
    Ok(seed)
}

pub(super) fn nonce(environment: &Environment) -> Result<[u8; 16], DialError> {
    let mut nonce = [0; 16];
    environment
        .entropy
        .fill(&mut nonce)
        .map_err(|_| DialError::Configuration)?;
    Ok(nonce)
}
