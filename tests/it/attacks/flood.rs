//! Connection floods: Retry first, then refusal; whoever is honest still gets in.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use cretoai_network::p2p::{IncomingRefusal, SwarmEvent};
use cretoai_network::sim::{Net, Verdict};
use tokio::task::JoinSet;

use crate::support::attacker::{Attacker, ask};
use crate::support::nodes::{ROUND_TRIP, config, elapsed, in_virtual_time, ip, peer, quiet_net};
use crate::support::peer::{Events, Peer, pass};

const PING: &[u8] = &[2, 1, 2, 1, 7];

/// Connections from one address, by default.
const PER_IP: usize = 32;

/// Attackers behind one address.
const FLOOD: u16 = 100;

/// The long header of a Retry packet of QUIC version 1 (RFC 9000 §17.2.5).
const RETRY: u8 = 0xf0;

/// A host in a globally routable /24.
fn public(network: u8, last: u8) -> IpAddr {
    Ipv4Addr::new(11, 0, network, last).into()
}

/// Counts the Retry packets that the node sends.
fn count_retries(net: &Net, from: SocketAddr) -> Arc<AtomicU64> {
    let retries = Arc::new(AtomicU64::new(0));
    let counter = retries.clone();
    net.set_tap(move |datagram| {
        let first = datagram.contents.first().copied().unwrap_or_default();
        if datagram.from == from && first & RETRY == RETRY {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        Verdict::Pass
    });
    retries
}

/// A crowd that dials from one address at once; those that got in stay.
async fn flood(
    net: &Net,
    source: IpAddr,
    target: SocketAddr,
) -> Vec<(Attacker, quinn::Connection)> {
    let mut dials = JoinSet::new();
    for number in 0..FLOOD {
        let address = SocketAddr::new(source, 10_000 + number);
        let attacker = Attacker::at(net, address, 1_000 + number);
        dials.spawn(async move {
            let connection = attacker.dial(target).await.ok()?;
            ask(&connection, PING).await.ok()?;
            Some((attacker, connection))
        });
    }
    dials.join_all().await.into_iter().flatten().collect()
}

fn refusals(events: &mut Events) -> usize {
    let refused = |event: &SwarmEvent| {
        let SwarmEvent::IncomingRefused { reason } = event else {
            return false;
        };
        matches!(reason, IncomingRefusal::Limit(_))
    };
    let told = events.drain();
    told.iter().filter(|event| refused(event)).count()
}

#[test]
fn a_flood_from_one_address_meets_retry_then_refusal_and_an_honest_dialler_gets_in() {
    in_virtual_time(async {
        let net = quiet_net(1);
        let mut bob = Peer::start(&net, ip(2), 2);
        let retries = count_retries(&net, bob.socket());
        let alice = Peer::start(&net, public(1, 1), 1);
        let honest = async {
            pass(ROUND_TRIP / 2).await;
            elapsed(alice.node.dial(&bob.address())).await
        };
        let crowd = flood(&net, public(9, 9), bob.socket());
        let (crowd, (dialled, took)) = tokio::join!(crowd, honest);
        assert_eq!(dialled, Ok(peer(2)));
        assert!(took <= 3 * ROUND_TRIP, "{took:?}");
        assert!(retries.load(Ordering::Relaxed) > 0);
        assert!(refusals(&mut bob.events) > 0);
        assert!(crowd.len() <= PER_IP, "{} got in", crowd.len());
        let (rtt, took) = elapsed(alice.node.ping(peer(2))).await;
        assert!(rtt.is_ok() && took <= 2 * ROUND_TRIP);
    });
}

#[test]
fn a_full_address_is_refused_and_its_neighbour_is_not() {
    in_virtual_time(async {
        let net = quiet_net(2);
        let bob = Peer::start(&net, ip(2), 2);
        let mut held = flood(&net, public(9, 9), bob.socket()).await;
        while held.len() < PER_IP {
            held.extend(flood(&net, public(9, 9), bob.socket()).await);
        }
        assert_eq!(held.len(), PER_IP);
        let beyond = Attacker::at(&net, SocketAddr::new(public(9, 9), 1), 7);
        assert!(beyond.dial(bob.socket()).await.is_err());
        let neighbour = Peer::start(&net, public(9, 10), 1);
        assert!(neighbour.node.dial(&bob.address()).await.is_ok());
    });
}

/// First flights of real diallers whose answers are lost: they stay half open.
async fn half_open_flights(net: &Net, count: u16) -> Vec<Bytes> {
    let target = SocketAddr::new(ip(250), 4000);
    let flights = Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = flights.clone();
    net.set_tap(move |datagram| {
        if datagram.to == target {
            log.lock().unwrap().push(datagram.contents.clone());
        }
        Verdict::Pass
    });
    for number in 0..count {
        let address = SocketAddr::new(ip(251), 10_000 + number);
        let attacker = Attacker::at(net, address, 1);
        let dial = attacker.dial(target);
        // A fraction of the first probe timeout: only the first flight leaves.
        let _ = tokio::time::timeout(ROUND_TRIP, dial).await;
    }
    let flights = flights.lock().unwrap();
    flights.clone()
}

#[test]
fn forged_half_open_handshakes_from_one_network_do_not_lock_out_its_honest_hosts() {
    in_virtual_time(async {
        let net = quiet_net(3);
        let bob = Peer::start_with(&net, ip(2), 2, config());
        let flights = half_open_flights(&net, 200).await;
        let retries = count_retries(&net, bob.socket());
        for (number, flight) in (0_u16..).zip(flights) {
            let [port, last] = [20_000 + number, 1 + number % 200];
            let source = SocketAddr::new(public(9, u8::try_from(last).unwrap()), port);
            net.inject(source, bob.socket(), flight);
        }
        pass(ROUND_TRIP).await;
        assert!(retries.load(Ordering::Relaxed) > 0);
        let neighbour = Peer::start(&net, public(9, 250), 1);
        let (dialled, took) = elapsed(neighbour.node.dial(&bob.address())).await;
        assert_eq!(dialled, Ok(peer(2)), "the honest host of the same network");
        assert!(took <= 3 * ROUND_TRIP, "{took:?}");
        let stranger = Peer::start(&net, public(10, 1), 3);
        let (dialled, took) = elapsed(stranger.node.dial(&bob.address())).await;
        assert!(dialled.is_ok());
        assert!(took <= 3 * ROUND_TRIP, "{took:?}");
    });
}
