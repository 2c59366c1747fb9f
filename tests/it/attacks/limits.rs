//! Limits of a node, one below, at and one above.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use bytes::Bytes;
use cretoai_network::p2p::{DialFailure, IncomingRefusal, RefuseReason, RegisterError, SwarmEvent};
use cretoai_network::wire::ErrorCode;

use crate::support::attacker::{Attacker, End, answer, ask, closed_with, open_bi};
use crate::support::nodes::{ROUND_TRIP, config, elapsed, in_virtual_time, ip, peer, quiet_net};
use crate::support::peer::{Peer, pass};

/// An honest ping.
const PING: &[u8] = &[2, 1, 2, 1, 7];

/// An application's protocol that takes its time.
const SLOW: u32 = 0x42;

/// A request of [`SLOW`].
const ASK_SLOW: &[u8] = &[0x40, 0x42, 1, 1, 1];

/// How long a request may wait for its turn, by default.
const STREAM_DEADLINE: Duration = Duration::from_secs(10);

/// Requests of one peer that a node serves at once.
const REQUESTS_SERVED: usize = 64;

/// Protocols that a node may speak.
const MAX_PROTOCOLS: u32 = 64;

/// Protocols that every node speaks: identify, ping, observed address; and the echo of these tests.
const SPOKEN: u32 = 4;

#[test]
fn a_node_takes_as_many_peers_as_it_may_and_no_more() {
    in_virtual_time(async {
        let net = quiet_net(1);
        let mut few = config();
        few.max_peers = 3;
        let mut bob = Peer::start_with(&net, ip(2), 2, few);
        let mut connections = Vec::new();
        for number in 61..=63 {
            let attacker = Attacker::new(&net, number);
            let connection = attacker.dial(bob.socket()).await.unwrap();
            assert!(ask(&connection, PING).await.is_ok(), "peer {number}");
            connections.push((attacker, connection));
        }
        let beyond = Attacker::new(&net, 64);
        let connection = beyond.dial(bob.socket()).await.unwrap();
        assert_eq!(closed_with(&connection).await, ErrorCode::Limit);
        let refused = |event: &SwarmEvent| match event {
            SwarmEvent::IncomingRefused { reason } => Some(*reason),
            _ => None,
        };
        let full = DialFailure::Limit(RefuseReason::Full);
        assert_eq!(bob.events.until(refused).await, IncomingRefusal::Peer(full));
        let returning = connections[0].0.dial(bob.socket()).await.unwrap();
        assert!(
            ask(&returning, PING).await.is_ok(),
            "a peer may replace its connection"
        );
        assert_eq!(bob.node.peers().len(), 3);
        connections[1].1.close(0_u32.into(), &[]);
        pass(ROUND_TRIP).await;
        let connection = beyond.dial(bob.socket()).await.unwrap();
        assert!(ask(&connection, PING).await.is_ok(), "there is room again");
    });
}

#[test]
fn a_node_dials_as_many_peers_as_it_may_and_no_more() {
    in_virtual_time(async {
        let net = quiet_net(2);
        let mut few = config();
        few.max_peers = 2;
        let alice = Peer::start_with(&net, ip(1), 1, few);
        let others = [11, 12, 13].map(|number| Peer::start(&net, ip(number), number));
        for other in &others[..2] {
            alice.node.dial(&other.address()).await.unwrap();
        }
        let third = alice.node.dial(&others[2].address()).await;
        assert_eq!(third, Err(DialFailure::Limit(RefuseReason::Full)));
        alice.node.disconnect(&peer(11));
        pass(ROUND_TRIP).await;
        alice.node.dial(&others[2].address()).await.unwrap();
    });
}

#[test]
fn a_request_more_than_a_peer_may_have_in_hand_waits_for_its_turn() {
    in_virtual_time(async {
        let net = quiet_net(3);
        let bob = Peer::start(&net, ip(2), 2);
        let slow = |_, body: Bytes| async move {
            pass(8 * ROUND_TRIP).await;
            Ok(body)
        };
        bob.node.handle(SLOW, slow).unwrap();
        let mallory = Attacker::new(&net, 66);
        let connection = mallory.dial(bob.socket()).await.unwrap();
        ask(&connection, PING).await.unwrap();
        let mut waiting = Vec::new();
        for _ in 0..REQUESTS_SERVED {
            waiting.push(open_bi(&connection, ASK_SLOW, End::Finish).await);
        }
        let (_send, beyond) = open_bi(&connection, ASK_SLOW, End::Finish).await;
        let served = async {
            for (_, served) in waiting {
                assert_eq!(answer(served).await, Ok(vec![1, 2]));
            }
        };
        let ((), first) = elapsed(served).await;
        let (reply, then) = elapsed(answer(beyond)).await;
        assert_eq!(reply, Ok(vec![1, 2]));
        assert!(
            first >= 8 * ROUND_TRIP && first < 10 * ROUND_TRIP,
            "{first:?}"
        );
        assert!(then >= 7 * ROUND_TRIP && then < 10 * ROUND_TRIP, "{then:?}");
    });
}

#[test]
fn a_request_whose_turn_does_not_come_in_time_is_answered_busy() {
    in_virtual_time(async {
        let net = quiet_net(7);
        let mut patient = config();
        patient.request_timeout = 3 * STREAM_DEADLINE;
        let bob = Peer::start_with(&net, ip(2), 2, patient);
        let never = |_, _| async { std::future::pending().await };
        bob.node.handle(SLOW, never).unwrap();
        let mallory = Attacker::new(&net, 66);
        let connection = mallory.dial(bob.socket()).await.unwrap();
        ask(&connection, PING).await.unwrap();
        let mut waiting = Vec::new();
        for _ in 0..REQUESTS_SERVED {
            waiting.push(open_bi(&connection, ASK_SLOW, End::Finish).await);
        }
        let (reply, took) = elapsed(ask(&connection, ASK_SLOW)).await;
        assert_eq!(reply, Err(ErrorCode::Busy));
        assert!(took >= STREAM_DEADLINE && took < STREAM_DEADLINE + 2 * ROUND_TRIP);
        assert_eq!(bob.reputation(&peer(66)), 0, "to be busy is nobody's fault");
        for (_, mut answer) in waiting {
            answer.stop(0_u32.into()).unwrap();
        }
        pass(ROUND_TRIP).await;
        assert!(
            ask(&connection, PING).await.is_ok(),
            "what nobody waits for is dropped"
        );
    });
}

#[test]
fn one_peers_requests_do_not_make_the_node_busy_for_another() {
    in_virtual_time(async {
        let net = quiet_net(4);
        let bob = Peer::start(&net, ip(2), 2);
        let never = |_, _| async { std::future::pending().await };
        bob.node.handle(SLOW, never).unwrap();
        let mallory = Attacker::new(&net, 66);
        let connection = mallory.dial(bob.socket()).await.unwrap();
        let mut waiting = Vec::new();
        for _ in 0..=REQUESTS_SERVED {
            waiting.push(open_bi(&connection, ASK_SLOW, End::Finish).await);
        }
        let alice = Peer::start(&net, ip(1), 1);
        alice.node.dial(&bob.address()).await.unwrap();
        assert!(alice.node.ping(bob.node.peer_id()).await.is_ok());
    });
}

#[test]
fn a_node_speaks_as_many_protocols_as_identify_can_name_and_no_more() {
    in_virtual_time(async {
        let net = quiet_net(5);
        let mut bob = Peer::start(&net, ip(2), 2);
        let register = |number| bob.node.handle(number, |_, body| async move { Ok(body) });
        for number in 0x100..0x100 + MAX_PROTOCOLS - SPOKEN {
            assert_eq!(register(number), Ok(()));
        }
        assert_eq!(register(0x200), Err(RegisterError::TooMany));
        assert_eq!(register(0x100), Err(RegisterError::Taken(0x100)));
        let alice = Peer::start(&net, ip(1), 1);
        alice.node.dial(&bob.address()).await.unwrap();
        let identified = |event: &SwarmEvent| matches!(event, SwarmEvent::PeerIdentified { .. });
        bob.events
            .until(|event| identified(event).then_some(()))
            .await;
        pass(ROUND_TRIP).await;
        let entry = alice.node.peer(&bob.node.peer_id()).unwrap();
        assert_eq!(entry.protocols().len(), MAX_PROTOCOLS as usize);
    });
}

/// A host in a globally routable /24.
fn public(last: u8) -> IpAddr {
    Ipv4Addr::new(11, 0, 1, last).into()
}

#[test]
fn as_many_connections_come_from_one_address_as_may_and_no_more() {
    in_virtual_time(async {
        let net = quiet_net(6);
        let mut few = config();
        few.limits.per_ip = 2;
        let mut bob = Peer::start_with(&net, ip(2), 2, few);
        let mut held = Vec::new();
        for (port, number) in [(1, 61), (2, 62)] {
            let attacker = Attacker::at(&net, (public(9), port).into(), number);
            let connection = attacker.dial(bob.socket()).await.unwrap();
            ask(&connection, PING).await.unwrap();
            held.push((attacker, connection));
        }
        let beyond = Attacker::at(&net, (public(9), 3).into(), 63);
        assert!(beyond.dial(bob.socket()).await.is_err());
        let refused = |event: &SwarmEvent| match event {
            SwarmEvent::IncomingRefused { reason } => Some(*reason),
            _ => None,
        };
        let per_ip = IncomingRefusal::Limit(RefuseReason::PerIp);
        assert_eq!(bob.events.until(refused).await, per_ip);
        let neighbour = Attacker::at(&net, (public(10), 1).into(), 64);
        let connection = neighbour.dial(bob.socket()).await.unwrap();
        assert!(ask(&connection, PING).await.is_ok());
    });
}
