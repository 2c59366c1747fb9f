//! The transport over the simulated network, in virtual time.

// Clippy takes only `cfg(test)` alone for test code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod backends;
mod config;
mod handshake;
mod identity;
mod movement;
mod resumption;

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, timeout};

use super::environment::Environment;
use super::{Connection, Credential, DialError, QuicTransport, TransportConfig};
use crate::crypto::{AwsLc, Provider, SigningSeed};
use crate::identity::{Keypair, PeerId};
use crate::sim::{LinkProfile, Net};
use crate::wire::NetworkId;

/// One way; a round trip takes twice as long.
const LATENCY: Duration = Duration::from_millis(25);

/// Timers of tokio tick in milliseconds: one tick on each side of a round trip.
const TICKS: Duration = Duration::from_millis(2);

const PORT: u16 = 4000;

fn ip(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))
}

/// Round trips of `LATENCY`, with the tolerance of the timers.
fn assert_round_trips(elapsed: Duration, count: u32) {
    let expected = LATENCY * 2 * count;
    assert!(
        elapsed >= expected && elapsed <= expected + TICKS,
        "{elapsed:?} instead of {count} round trips ({expected:?})"
    );
}

fn keypair(number: u8) -> Keypair {
    keypair_of(number, Arc::new(AwsLc))
}

fn keypair_of(number: u8, provider: Arc<dyn Provider>) -> Keypair {
    Keypair::from_seed(provider, SigningSeed::from_bytes(&[number; 32])).unwrap()
}

fn network() -> NetworkId {
    NetworkId::of("test")
}

fn config(credential: Credential) -> TransportConfig {
    TransportConfig {
        bind_address: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), PORT),
        credential,
        ..TransportConfig::default()
    }
}

fn bind(environment: Environment, keypair: &Keypair, credential: Credential) -> QuicTransport {
    QuicTransport::bind(config(credential), keypair, network(), environment).unwrap()
}

/// A simulated network whose links have `LATENCY` and nothing else.
fn quiet_net(seed: u64) -> Net {
    let net = Net::new(seed);
    net.set_default_profile(LinkProfile {
        latency: LATENCY,
        ..LinkProfile::default()
    });
    net
}

/// Runs a test in virtual time on one thread.
fn in_virtual_time<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async { timeout(Duration::from_secs(3600), test).await.unwrap() })
}

/// Accepts everything and echoes each bidirectional stream, even before the handshake is
/// confirmed.
fn spawn_echo(transport: Arc<QuicTransport>) {
    tokio::spawn(async move {
        while let Some(incoming) = transport.accept().await {
            let Ok(accepting) = transport.begin(incoming) else {
                continue;
            };
            let connection = accepting.connection().clone();
            tokio::spawn(accepting.confirmed());
            tokio::spawn(echo(connection));
        }
    });
}

async fn echo(connection: Connection) {
    while let Ok((mut send, mut receive)) = connection.accept_bi().await {
        tokio::spawn(async move {
            while let Ok(Some(chunk)) = receive.read_chunk(65_536).await {
                if send.write_chunk(chunk).await.is_err() {
                    return;
                }
            }
            send.finish();
        });
    }
}

async fn ask(connection: &Connection, question: &'static [u8]) -> Bytes {
    let (mut send, mut receive) = connection.open_bi().await.unwrap();
    send.write(question).await.unwrap();
    send.finish();
    let mut answer = Vec::new();
    while let Some(chunk) = receive.read_chunk(65_536).await.unwrap() {
        answer.extend_from_slice(&chunk);
    }
    answer.into()
}

async fn dial(
    transport: &QuicTransport,
    address: SocketAddr,
    expected: PeerId,
) -> Result<Connection, DialError> {
    transport.dial(address, Some(expected))?.confirmed().await
}

fn address_of(last: u8) -> SocketAddr {
    SocketAddr::new(ip(last), PORT)
}

async fn elapsed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let start = Instant::now();
    let result = work.await;
    (result, start.elapsed())
}
