//! What a transport can be told.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::Credential;

/// Longest idle timeout: QUIC carries it in milliseconds in a 62-bit integer, but a dead peer
/// should not hold its slot for more than ten minutes.
const MAX_IDLE_TIMEOUT: Duration = Duration::from_secs(600);

/// Streams a peer may have open at once: beyond this, per-stream state (about 1 KiB) of one peer
/// would exceed the 1 MB that a whole connection may take.
const MAX_STREAMS: u32 = 1024;

/// Settings of a [`QuicTransport`](super::QuicTransport).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportConfig {
    /// The UDP address to listen on; port 0 lets the system choose.
    pub bind_address: SocketAddr,
    /// A connection without any packet for so long is dead. Default 30 s: most NATs forget a UDP
    /// mapping about then.
    pub max_idle_timeout: Duration,
    /// How often an idle connection sends a packet to stay alive; at most half of the idle timeout, so
    /// that one lost packet closes nothing. Default 5 s, so that five may be lost before the timeout.
    pub keep_alive_interval: Duration,
    /// Streams that a peer may have open at once in each kind (bidirectional, unidirectional).
    /// Default 128. It must not be lowered while tickets issued under a higher value live.
    pub max_concurrent_streams: u32,
    /// Whether returning peers may send idempotent requests in their first flight.
    pub enable_0rtt: bool,
    /// What nodes of this network present in the handshake.
    pub credential: Credential,
    /// Peers for which tickets are kept; sizes the stores.
    pub max_peers: usize,
}

impl Default for TransportConfig {
    fn default() -> Self {
        Self {
            bind_address: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
            max_idle_timeout: Duration::from_secs(30),
            keep_alive_interval: Duration::from_secs(5),
            max_concurrent_streams: 128,
            enable_0rtt: true,
            credential: Credential::default(),
            max_peers: 1024,
        }
    }
}

/// Which setting cannot be used, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransportConfigError {
    /// Out of 1 s ..= 600 s.
    #[error("max_idle_timeout must be between 1 s and 600 s, not {0:?}")]
    MaxIdleTimeout(Duration),
    /// Zero, or more than half of the idle timeout.
    #[error(
        "keep_alive_interval must be above zero and at most half of max_idle_timeout, not {0:?}"
    )]
    KeepAliveInterval(Duration),
    /// Out of 8 ..= 1024.
    #[error("max_concurrent_streams must be between 8 and {MAX_STREAMS}, not {0}")]
    MaxConcurrentStreams(u32),
    /// Zero.
    #[error("max_peers must not be zero")]
    MaxPeers,
}

impl TransportConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// Names the first field that is out of its range.
    pub fn validate(&self) -> Result<(), TransportConfigError> {
        let idle = self.max_idle_timeout;
        if idle < Duration::from_secs(1) || idle > MAX_IDLE_TIMEOUT {
            return Err(TransportConfigError::MaxIdleTimeout(idle));
        }
        let keep_alive = self.keep_alive_interval;
        if keep_alive.is_zero() || keep_alive > idle / 2 {
            return Err(TransportConfigError::KeepAliveInterval(keep_alive));
        }
        if !(8..=MAX_STREAMS).contains(&self.max_concurrent_streams) {
            return Err(TransportConfigError::MaxConcurrentStreams(
                self.max_concurrent_streams,
            ));
        }
        if self.max_peers == 0 {
            return Err(TransportConfigError::MaxPeers);
        }
        Ok(())
    }
}
