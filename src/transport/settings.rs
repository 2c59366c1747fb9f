//! quinn's settings, each with its reason.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use quinn::congestion::{ControllerFactory, CubicConfig};
use quinn::{
    EndpointConfig, IdleTimeout, ServerConfig, TimeSource, TransportConfig as QuinnTransport,
    ValidationTokenConfig, VarInt,
};

use super::connection_id::KeyedConnectionIds;
use super::environment::Clock;
use super::keys::EndpointKeys;
use super::{TransportConfig, TransportConfigError};

/// A stream's receive window, and a connection's: 2.5 MB carry 317 Mbit/s at 63 ms round trip.
/// More than 2.8 MB would let small frames exceed the 1 024 gaps that quinn keeps for a stream, at
/// which it closes the connection. It is also all that a peer can make this node hold for it.
const RECEIVE_WINDOW: u32 = 2_500_000;

/// Unacknowledged data that a connection may hold: twice the window, so that a full window can be
/// in flight while the next one is written.
const SEND_WINDOW: u64 = 5_000_000;

/// What a connection may send before the first acknowledgement, 20 packets instead of quinn's 10
/// (RFC 9002 §7.2 recommends ten). The acceptor's first flight is 10.5 KB because of the
/// post-quantum key and signature, and the dialler cannot read, so not acknowledge, any of it
/// without the two packets that begin it. If one of these is lost, CUBIC keeps 70 % of the window;
/// were that less than the rest of the flight, quinn would never send the lost packet again, since
/// its probes carry what is in flight. 70 % of 24 000 is 16 800: above 4 × 3 600, the most that may
/// be sent to an unproven address after its first three packets and its first acknowledgement.
const INITIAL_WINDOW: u64 = 24_000;

/// First packets are 1 200 bytes (RFC 9000 §14.1): what every path carries.
const INITIAL_MTU: u16 = 1200;

/// Datagrams carry nothing but the one byte that wakes a path, so their buffers are small.
const DATAGRAM_BUFFER: usize = 16 * 1024;

/// Handshakes that wait to be looked at. Each holds little more than its first datagrams.
const MAX_WAITING: usize = 1024;

/// Early data buffered for a connection that was not looked at yet: a first flight of 0-RTT
/// requests.
const WAITING_BUFFER: u64 = 16 * 1024;

/// The same for all waiting connections together.
const WAITING_BUFFER_TOTAL: u64 = 1024 * 1024;

/// An unknown connection id is answered with a stateless reset at most this often: the default of
/// quinn (20 ms) would make peers of a restarted node take turns.
const MIN_RESET_INTERVAL: Duration = Duration::from_millis(1);

/// Address tokens given out on each connection: the dialler keeps one a peer.
const TOKENS_SENT: u32 = 1;

/// quinn's transport settings for one connection.
pub(super) fn transport(
    config: &TransportConfig,
    congestion: Arc<dyn ControllerFactory + Send + Sync>,
) -> Result<QuinnTransport, TransportConfigError> {
    let idle = IdleTimeout::try_from(config.max_idle_timeout)
        .map_err(|_| TransportConfigError::MaxIdleTimeout(config.max_idle_timeout))?;
    let streams = VarInt::from_u32(config.max_concurrent_streams);
    let mut transport = QuinnTransport::default();
    transport
        .max_idle_timeout(Some(idle))
        .keep_alive_interval(Some(config.keep_alive_interval))
        .max_concurrent_bidi_streams(streams)
        .max_concurrent_uni_streams(streams)
        .stream_receive_window(VarInt::from_u32(RECEIVE_WINDOW))
        .receive_window(VarInt::from_u32(RECEIVE_WINDOW))
        .send_window(SEND_WINDOW)
        .initial_mtu(INITIAL_MTU)
        .datagram_receive_buffer_size(Some(DATAGRAM_BUFFER))
        .datagram_send_buffer_size(DATAGRAM_BUFFER)
        .congestion_controller_factory(congestion);
    Ok(transport)
}

/// The congestion controller on each path: CUBIC. quinn's BBR flooded queues and closed
/// connections when paths were switched.
pub(super) fn congestion() -> Arc<dyn ControllerFactory + Send + Sync> {
    let mut cubic = CubicConfig::default();
    cubic.initial_window(INITIAL_WINDOW);
    Arc::new(cubic)
}

/// quinn's settings for the acceptor's side of an endpoint.
pub(super) fn server(
    crypto: Arc<dyn quinn::crypto::ServerConfig>,
    keys: &EndpointKeys,
    transport: QuinnTransport,
    clock: Arc<dyn Clock>,
) -> ServerConfig {
    let mut tokens = ValidationTokenConfig::default();
    tokens.sent(TOKENS_SENT);
    let mut server = ServerConfig::new(crypto, keys.token.clone());
    server
        .transport_config(Arc::new(transport))
        .validation_token_config(tokens)
        .max_incoming(MAX_WAITING)
        .incoming_buffer_size(WAITING_BUFFER)
        .incoming_buffer_size_total(WAITING_BUFFER_TOTAL)
        .time_source(Arc::new(WallTime(clock)));
    server
}

/// quinn's settings for the endpoint itself.
///
/// `seed` drives quinn's own random choices. The QUIC bit is not greased (RFC 9287): a datagram's
/// first byte tells QUIC from our own kinds of datagram.
pub(super) fn endpoint(keys: &EndpointKeys, seed: [u8; 32], id_seed: [u8; 32]) -> EndpointConfig {
    let mut endpoint = EndpointConfig::new(keys.reset.clone());
    let key = keys.connection_id;
    endpoint
        .cid_generator(move || Box::new(KeyedConnectionIds::new(key, id_seed)))
        .grease_quic_bit(false)
        .min_reset_interval(MIN_RESET_INTERVAL)
        .rng_seed(Some(seed));
    endpoint
}

/// Token ages follow the node's clock.
struct WallTime(Arc<dyn Clock>);

impl TimeSource for WallTime {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.0.now().wall.0)
    }
}
