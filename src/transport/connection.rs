//! A connection to one peer.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use rustls::pki_types::CertificateDer;

use super::close::quinn_code;
use super::paths::{AddPathError, PathId, PathSwitch, Paths, SocketId, UnknownPath};
use super::tls::peer_key;
use super::{CloseReason, Credential, Path, RecvStream, SendStream};
use crate::identity::PeerId;
use crate::wire::ErrorCode;

/// The datagram that asks for nothing but an acknowledgement.
const KICK: &[u8] = &[0];

/// What a connection has carried and how its path behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkStats {
    /// Smoothed round-trip time.
    pub rtt: Duration,
    /// UDP payload bytes received.
    pub bytes_received: u64,
    /// UDP payload bytes sent.
    pub bytes_sent: u64,
    /// UDP datagrams received: it grows whenever the peer shows a sign of life.
    pub datagrams_received: u64,
    /// STREAM frames sent: it stands still while the peer takes nothing.
    pub stream_frames_sent: u64,
    /// Packets that were declared lost.
    pub packets_lost: u64,
    /// Largest UDP payload the path is known to carry.
    pub mtu: u16,
}

/// A QUIC connection; clones share it. When the last clone is dropped, it is closed.
#[derive(Debug, Clone)]
pub struct Connection {
    quinn: quinn::Connection,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    credential: Credential,
    paths: Paths,
    /// Tells this connection's congestion controller of switches.
    congestion: PathSwitch,
    /// Whether further paths were added, so that the table has an entry to release.
    has_paths: AtomicBool,
    /// The virtual address at first contact: the one that paths are added under.
    address: SocketAddr,
    /// Whom a dial under a peer's name expects: tickets are stored under it.
    expected: Option<PeerId>,
    peer: OnceLock<PeerId>,
}

impl Connection {
    pub(super) fn new(
        quinn: quinn::Connection,
        credential: Credential,
        (paths, congestion): (Paths, PathSwitch),
        expected: Option<PeerId>,
    ) -> Self {
        let address = quinn.remote_address();
        let shared = Shared {
            credential,
            paths,
            congestion,
            has_paths: AtomicBool::new(false),
            address,
            expected,
            peer: OnceLock::new(),
        };
        Self {
            quinn,
            shared: Arc::new(shared),
        }
    }

    /// Who is at the other end, as far as it is known: from the credential, before the handshake
    /// is confirmed from the ticket (or, for a dial, from the expectation under which the ticket
    /// was stored).
    #[must_use]
    pub fn peer_id(&self) -> Option<PeerId> {
        self.proven_peer().or(self.shared.expected)
    }

    fn proven_peer(&self) -> Option<PeerId> {
        if let Some(peer) = self.shared.peer.get() {
            return Some(*peer);
        }
        let identity = self
            .quinn
            .peer_identity()?
            .downcast::<Vec<CertificateDer<'static>>>();
        let key = peer_key(self.shared.credential, identity.ok()?.first()?).ok()?;
        Some(*self.shared.peer.get_or_init(|| key.peer_id()))
    }

    /// The path that carries the packets at this moment.
    #[must_use]
    pub fn path(&self) -> Path {
        let address = self.quinn.remote_address();
        self.shared
            .paths
            .path_of(address)
            .unwrap_or_else(|| Path::direct(address))
    }

    /// All paths that packets are accepted from, and which of them is sent on.
    #[must_use]
    pub fn paths(&self) -> (PathId, Vec<(PathId, Path)>) {
        let paths = &self.shared.paths;
        (
            paths.current(self.shared.address),
            paths.paths(self.shared.address),
        )
    }

    /// Adds a path that the caller has proved to lead to this peer: over one of the endpoint's
    /// sockets to a real address. Packets are accepted from it at once and sent on it after
    /// [`switch_path`](Self::switch_path).
    ///
    /// # Errors
    /// See [`AddPathError`].
    pub fn add_path(&self, socket: SocketId, real: SocketAddr) -> Result<PathId, AddPathError> {
        let path = self
            .shared
            .paths
            .add_path(self.shared.address, socket, real)?;
        self.shared.has_paths.store(true, Ordering::Release);
        Ok(path)
    }

    /// Sends on another path from now on. QUIC below sees no change of address: the congestion
    /// controller is told, and a packet is sent so that the new path is measured at once.
    ///
    /// # Errors
    /// The path is not one of this connection.
    pub fn switch_path(&self, path: PathId) -> Result<(), UnknownPath> {
        self.shared.paths.switch(self.shared.address, path)?;
        self.shared.congestion.switched_to(path);
        self.kick();
        Ok(())
    }

    /// Opens a bidirectional stream, waiting while the peer allows no more.
    ///
    /// # Errors
    /// The connection ended.
    pub async fn open_bi(&self) -> Result<(SendStream, RecvStream), CloseReason> {
        let (send, receive) = self.quinn.open_bi().await?;
        Ok((SendStream::new(send), RecvStream::new(receive)))
    }

    /// Opens a unidirectional stream, waiting while the peer allows no more.
    ///
    /// # Errors
    /// The connection ended.
    pub async fn open_uni(&self) -> Result<SendStream, CloseReason> {
        Ok(SendStream::new(self.quinn.open_uni().await?))
    }

    /// The next bidirectional stream that the peer opens.
    ///
    /// # Errors
    /// The connection ended.
    pub async fn accept_bi(&self) -> Result<(SendStream, RecvStream), CloseReason> {
        let (send, receive) = self.quinn.accept_bi().await?;
        Ok((SendStream::new(send), RecvStream::new(receive)))
    }

    /// The next unidirectional stream that the peer opens.
    ///
    /// # Errors
    /// The connection ended.
    pub async fn accept_uni(&self) -> Result<RecvStream, CloseReason> {
        Ok(RecvStream::new(self.quinn.accept_uni().await?))
    }

    /// Makes the peer acknowledge something: proves that it lives and measures the path.
    pub fn kick(&self) {
        // Refused only when the connection is gone or its small buffer is full of kicks.
        let _ = self.quinn.send_datagram(Bytes::from_static(KICK));
    }

    /// Counters and the state of the path.
    #[must_use]
    pub fn stats(&self) -> LinkStats {
        let stats = self.quinn.stats();
        LinkStats {
            rtt: stats.path.rtt,
            bytes_received: stats.udp_rx.bytes,
            bytes_sent: stats.udp_tx.bytes,
            datagrams_received: stats.udp_rx.datagrams,
            stream_frames_sent: stats.frame_tx.stream,
            packets_lost: stats.path.lost_packets,
            mtu: stats.path.current_mtu,
        }
    }

    /// Whether the acceptor of a connection that this end dialled has said that it holds it, too
    /// (HANDSHAKE_DONE, RFC 9001 section 4.1.2): a dialler knows its peer one round trip earlier, and
    /// for longer, if the end of its own flight is lost.
    #[must_use]
    pub fn is_held_by_acceptor(&self) -> bool {
        self.quinn.stats().frame_rx.handshake_done > 0
    }

    /// Smoothed round-trip time.
    #[must_use]
    pub fn rtt(&self) -> Duration {
        self.quinn.rtt()
    }

    /// Ends the connection now; data not yet acknowledged may be lost.
    pub fn close(&self, code: ErrorCode) {
        self.quinn.close(quinn_code(code), &[]);
    }

    /// Waits for the end of the connection.
    pub async fn closed(&self) -> CloseReason {
        self.quinn.closed().await.into()
    }

    /// Why the connection ended, `None` while it lives.
    #[must_use]
    pub fn close_reason(&self) -> Option<CloseReason> {
        self.quinn.close_reason().map(CloseReason::from)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if *self.has_paths.get_mut() {
            self.paths.release(self.address);
        }
    }
}
