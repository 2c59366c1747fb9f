//! Both ends dial each other within one round trip.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use cretoai_network::node::{P2PConfig, P2PNode};
use cretoai_network::p2p::{Direction, SwarmEvent};
use cretoai_network::sim::{LinkProfile, Net};
use tokio::time::sleep;

use crate::support::nodes::{
    address, config, connected_pair, elapsed, in_virtual_time, net_with, peer, quiet_net, spawn,
    spawn_with,
};

/// A request that must not be served twice.
const COUNT: u32 = 0x40;

/// Requests that each end sends, and the time between two: together they last longer than it takes
/// to close the connection that is too many.
const REQUESTS: u32 = 40;
const BETWEEN: Duration = Duration::from_millis(20);

/// After this, nothing changes any more: the longest wait of the rule and some.
const SETTLED: Duration = Duration::from_secs(10);

/// What a seed varies.
struct Case {
    link: LinkProfile,
    /// How much later the second node dials: less than a round trip.
    offset: Duration,
    /// The two nodes; either may have the smaller identity.
    nodes: (u16, u16),
    /// Whether discovery opens streams of its own.
    has_discovery: bool,
}

impl Case {
    fn of(seed: u64, loss: f64) -> Self {
        let hash = blake3::hash(&seed.to_le_bytes());
        let draw = |index: usize, below: u64| {
            let bytes = hash.as_bytes()[index * 8..][..8].try_into().unwrap();
            u64::from_le_bytes(bytes) % below
        };
        let latency = 1 + draw(0, 100);
        let (node, offset) = (u16::try_from(draw(1, 100)).unwrap(), draw(2, 2 * latency));
        Self {
            link: LinkProfile {
                jitter: Duration::from_millis(draw(3, 1 + latency.min(20))),
                loss,
                ..LinkProfile::with_latency(Duration::from_millis(latency))
            },
            offset: Duration::from_millis(offset),
            nodes: (node, node + 100),
            has_discovery: false,
        }
    }
}

/// How often each request was served.
#[derive(Clone, Default)]
struct Served(Arc<Mutex<BTreeMap<Bytes, u32>>>);

impl Served {
    fn by(node: &P2PNode) -> Self {
        let served = Self::default();
        let counts = served.clone();
        let answer = move |_, body: Bytes| {
            *counts.0.lock().unwrap().entry(body.clone()).or_default() += 1;
            async move { Ok(body) }
        };
        node.handle(COUNT, answer).unwrap();
        served
    }

    fn assert_each_once(&self, seed: u64) {
        let served = self.0.lock().unwrap();
        assert_eq!(served.len(), REQUESTS as usize, "seed {seed}");
        assert!(served.values().all(|count| *count == 1), "seed {seed}");
    }
}

/// Dials, and sends requests from the first moment on at which there is a connection.
async fn dial_and_ask(node: P2PNode, other: u16, seed: u64) {
    let dial = tokio::spawn({
        let node = node.clone();
        async move { node.dial(&address(other)).await }
    });
    while !node.peers().contains(&peer(other)) {
        sleep(Duration::from_millis(1)).await;
    }
    let mut asked = Vec::new();
    for number in 0..REQUESTS {
        let node = node.clone();
        asked.push(tokio::spawn(async move {
            let body = Bytes::copy_from_slice(&number.to_le_bytes());
            let reply = node.request(peer(other), COUNT, body.clone()).await;
            assert_eq!(reply, Ok(body), "seed {seed}, request {number}");
        }));
        sleep(BETWEEN).await;
    }
    for request in asked {
        request.await.unwrap();
    }
    dial.await.unwrap().unwrap();
}

/// Who dialled the connection that a node came to last.
fn last_direction(events: &mut cretoai_network::p2p::EventStream) -> Direction {
    let mut last = None;
    while let Some(event) = events.try_next() {
        if let SwarmEvent::PeerConnected { direction, .. } = event.unwrap().what {
            last = Some(direction);
        }
    }
    last.unwrap()
}

async fn both_dial(seed: u64, case: Case) {
    let net = net_with(seed, case.link);
    let (one, two) = case.nodes;
    let config = || P2PConfig {
        enable_discovery: case.has_discovery,
        ..config()
    };
    let nodes = [one, two].map(|node| spawn_with(&net, node, config()));
    let mut events = [nodes[0].events(), nodes[1].events()];
    let served = [Served::by(&nodes[0]), Served::by(&nodes[1])];
    let first = tokio::spawn(dial_and_ask(nodes[0].clone(), two, seed));
    sleep(case.offset).await;
    let second = tokio::spawn(dial_and_ask(nodes[1].clone(), one, seed));
    first.await.unwrap();
    second.await.unwrap();
    sleep(SETTLED).await;

    served
        .iter()
        .for_each(|served| served.assert_each_once(seed));
    for node in &nodes {
        let counts = node.swarm().counts();
        assert_eq!(counts.connections, 1, "seed {seed}: {counts:?}");
        assert_eq!(node.swarm().metrics().disconnected, 0, "seed {seed}");
    }
    let directions = [
        last_direction(&mut events[0]),
        last_direction(&mut events[1]),
    ];
    assert_ne!(directions[0], directions[1], "seed {seed}");
    // What is left is one connection and not two halves: it carries both ways.
    nodes[0].ping(peer(two)).await.unwrap();
    nodes[1].ping(peer(one)).await.unwrap();
}

fn over(seeds: Range<u64>, loss: f64) {
    for seed in seeds {
        in_virtual_time(both_dial(seed, Case::of(seed, loss)));
    }
}

#[test]
fn one_connection_survives_and_no_request_is_lost_seeds_0_to_249() {
    over(0..250, 0.0);
}

#[test]
fn one_connection_survives_and_no_request_is_lost_seeds_250_to_499() {
    over(250..500, 0.0);
}

#[test]
fn one_connection_survives_and_no_request_is_lost_seeds_500_to_749() {
    over(500..750, 0.0);
}

#[test]
fn one_connection_survives_and_no_request_is_lost_seeds_750_to_999() {
    over(750..1000, 0.0);
}

#[test]
fn one_connection_survives_and_no_request_is_lost_under_loss() {
    over(1000..1200, 0.01);
}

/// The dialler knows its peer before the acceptor knows it: if the end of the dialler's flight is lost,
/// the older connection is all that the other end has (seed 1011).
#[test]
fn the_older_connection_stays_until_both_ends_have_the_newer_one() {
    for seed in 1000..1200 {
        let has_discovery = true;
        let case = Case {
            has_discovery,
            ..Case::of(seed, 0.01)
        };
        in_virtual_time(both_dial(seed, case));
    }
}

#[test]
fn dials_to_one_peer_at_one_time_are_one_dial() {
    in_virtual_time(async {
        let net = quiet_net(1);
        let (dialler, acceptor) = (spawn(&net, 1), spawn(&net, 2));
        let dial = |_| {
            let dialler = dialler.clone();
            tokio::spawn(async move { dialler.dial(&address(2)).await })
        };
        for dialling in (0..50).map(dial).collect::<Vec<_>>() {
            assert_eq!(dialling.await.unwrap(), Ok(peer(2)));
        }
        sleep(SETTLED).await;
        assert_eq!(acceptor.swarm().metrics().connected, 1);
        assert_eq!(acceptor.swarm().counts().connections, 1);
    });
}

#[test]
fn a_caller_that_gives_up_its_dial_does_not_end_it_for_others() {
    in_virtual_time(async {
        let net = quiet_net(2);
        let (dialler, acceptor) = (spawn(&net, 1), spawn(&net, 2));
        let impatient = Duration::from_millis(10);
        let to = address(2);
        let gives_up = tokio::time::timeout(impatient, dialler.dial(&to));
        let (gave_up, joined) = tokio::join!(gives_up, dialler.dial(&to));
        assert!(gave_up.is_err());
        assert_eq!(joined, Ok(peer(2)));
        sleep(SETTLED).await;
        assert_eq!(acceptor.swarm().metrics().connected, 1);
    });
}

#[test]
fn who_joins_a_dial_brings_a_better_address_along() {
    in_virtual_time(async {
        let net = quiet_net(3);
        let (dialler, _acceptor) = (spawn(&net, 1), spawn(&net, 2));
        // Another node listens there, so that this dial alone would fail with the wrong identity.
        let _other = spawn(&net, 3);
        let (wrong, right) = (address(3).to_string(), address(2));
        let wrong = wrong.replace(&peer(3).to_string(), &peer(2).to_string());
        let wrong = wrong.parse().unwrap();
        let swarm = dialler.swarm();
        let (first, second) = tokio::join!(
            swarm.dial(Some(peer(2)), std::slice::from_ref(&wrong)),
            swarm.dial(Some(peer(2)), std::slice::from_ref(&right)),
        );
        assert_eq!((first, second), (Ok(peer(2)), Ok(peer(2))));
    });
}

#[test]
fn a_dial_to_a_connected_peer_returns_at_once() {
    in_virtual_time(async {
        let net: Net = quiet_net(4);
        let (dialler, acceptor) = connected_pair(&net).await;
        for (node, other) in [(&dialler, 2), (&acceptor, 1)] {
            let (dialled, took) = elapsed(node.dial(&address(other))).await;
            assert_eq!(dialled, Ok(peer(other)));
            assert_eq!(took, Duration::ZERO);
        }
    });
}
