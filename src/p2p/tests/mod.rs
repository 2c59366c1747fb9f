//! Swarms over the simulated network, in virtual time: what only the rooms above can ask of them.

// Clippy takes only `cfg(test)` alone for test code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod addresses;
mod first_flight;
mod hold;
mod ordered;
mod probing;
mod service;

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep, timeout};

use super::*;
use crate::crypto::{AwsLc, SigningSeed};
use crate::identity::{Keypair, PeerId};
use crate::sim::{LinkProfile, Net, runtime};
use crate::transport::{QuicTransport, TransportConfig};
use crate::wire::message::{VERSION, request};
use crate::wire::{Address, NetworkId};

/// One way; a round trip takes twice as long.
const LATENCY: Duration = Duration::from_millis(25);

const ROUND_TRIP: Duration = Duration::from_millis(50);

/// Timers of tokio tick in milliseconds: one tick on each side of a round trip.
const TICKS: Duration = Duration::from_millis(2);

const PORT: u16 = 4000;

/// How long a dial may take.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) fn in_virtual_time<T>(test: impl Future<Output = T>) -> T {
    let runtime = runtime().unwrap();
    runtime.block_on(async { timeout(Duration::from_secs(3600), test).await.unwrap() })
}

pub(crate) fn quiet_net() -> Net {
    let net = Net::new(1);
    net.set_default_profile(LinkProfile::with_latency(LATENCY));
    net
}

async fn elapsed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let start = Instant::now();
    let result = work.await;
    (result, start.elapsed())
}

#[track_caller]
fn assert_round_trips(elapsed: Duration, count: u32) {
    let expected = ROUND_TRIP * count;
    assert!(
        elapsed >= expected && elapsed <= expected + TICKS,
        "{elapsed:?} instead of {count} round trips ({expected:?})"
    );
}

pub(crate) fn ip(host: u8) -> IpAddr {
    Ipv4Addr::new(10, 0, 0, host).into()
}

pub(crate) fn keypair(number: u8) -> Keypair {
    Keypair::from_seed(Arc::new(AwsLc), SigningSeed::from_bytes(&[number; 32])).unwrap()
}

pub(crate) fn peer(number: u8) -> PeerId {
    keypair(number).peer_id()
}

/// Host `host` with the identity of `number`.
pub(crate) fn address(host: u8, number: u8) -> Address {
    Address::from(SocketAddr::new(ip(host), PORT)).with_peer_id(peer(number))
}

fn config() -> SwarmConfig {
    SwarmConfig {
        agent: "test/1".to_owned(),
        reachability: Reachability::Private,
        max_peers: 256,
        connection_timeout: CONNECTION_TIMEOUT,
        handshake_timeout: CONNECTION_TIMEOUT,
        stream_deadline: Duration::from_secs(5),
        request_deadline: Duration::from_secs(5),
        slow_reader_deadline: Duration::from_secs(5),
        requests_served: 64,
        requests_waiting: 64,
        queue: QueueLimit {
            messages: 64,
            bytes: 1 << 20,
        },
        event_backlog: NonZeroUsize::new(1024).unwrap(),
        limits: LimitsConfig::default(),
        reputation: ReputationConfig::default(),
    }
}

/// A swarm on host `number` with the identity `number`.
fn start(net: &Net, number: u8) -> Swarm {
    start_with(net, number, "test", Setup::default())
}

pub(crate) fn start_with(net: &Net, number: u8, network: &str, setup: Setup) -> Swarm {
    let environment = net.host(ip(number));
    let keypair = keypair(number);
    let transport = TransportConfig {
        bind_address: SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), PORT),
        ..TransportConfig::default()
    };
    let network = NetworkId::of(network);
    let transport = QuicTransport::bind(transport, &keypair, network, environment.clone()).unwrap();
    Swarm::start(config(), keypair, vec![transport], environment, setup).unwrap()
}

/// Two swarms that are connected and have introduced themselves.
async fn connected_pair(net: &Net) -> (Swarm, Swarm) {
    let (alice, bob) = (start(net, 1), start(net, 2));
    alice.dial(Some(peer(2)), &[address(2, 2)]).await.unwrap();
    settle().await;
    (alice, bob)
}

/// Lets what is under way arrive.
pub(crate) async fn settle() {
    sleep(ROUND_TRIP * 4).await;
}

/// A protocol of the stack whose requests may be early.
const QUESTION: Protocol = Protocol {
    number: 0x3f,
    versions: &[VERSION],
    shape: Shape::Request {
        requests: request::ACCEPTOR_READS,
        responses: request::DIALLER_READS,
    },
    early_frames: &[request::REQUEST],
    anonymous: false,
};

fn question() -> OutboundRequest {
    OutboundRequest {
        protocol: QUESTION.number,
        version: VERSION,
        kind: request::REQUEST,
        body: Bytes::from_static(b"question"),
        requests: request::ACCEPTOR_READS,
        responses: request::DIALLER_READS,
    }
}

fn answer(body: impl Into<Bytes>) -> Reply {
    Reply {
        kind: request::RESPONSE,
        body: body.into(),
    }
}

/// Whether the last connection with somebody is gone by now.
fn is_told_disconnected(events: &mut EventStream) -> bool {
    let mut told = false;
    while let Some(event) = events.try_next() {
        told |= matches!(event.unwrap().what, SwarmEvent::PeerDisconnected { .. });
    }
    told
}
