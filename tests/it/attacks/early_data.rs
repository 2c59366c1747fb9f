//! What may be asked before the handshake is confirmed, and what may not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use cretoai_network::p2p::{
    Handler, InboundRequest, OutboundRequest, Protocol, RegisterError, Reply, Shape, SwarmEvent,
};
use cretoai_network::wire::ErrorCode;
use cretoai_network::wire::message::{VERSION, request};
use quinn::Connection;

use crate::support::attacker::{Attacker, End, answer, ask, open_bi};
use crate::support::nodes::{
    ROUND_TRIP, assert_round_trips, elapsed, in_virtual_time, ip, peer, quiet_net,
};
use crate::support::peer::{ECHO, Peer, pass};

const PING: &[u8] = &[2, 1, 2, 1, 7];

const PONG: &[u8] = &[2, 2, 7];

/// A request of the application's protocol, one byte long.
const ASK_ECHO: &[u8] = &[0x40, 0x41, 1, 2, 1, 9];

/// The head of an introduction, which need not be whole to be refused.
const HELLO: &[u8] = &[1, 1, 2, 1, 0];

/// Requests of one connection that are served early.
const MAX_EARLY_REQUESTS: usize = 16;

/// An attacker who has a ticket of the node and no connection.
async fn with_ticket(mallory: &Attacker, bob: &Peer) {
    let connection = mallory.dial(bob.socket()).await.unwrap();
    ask(&connection, PING).await.unwrap();
    connection.close(0_u32.into(), &[]);
    pass(ROUND_TRIP).await;
}

async fn early(seed: u64) -> (Peer, Attacker, Connection) {
    let net = quiet_net(seed);
    let bob = Peer::start(&net, ip(2), 2);
    let mallory = Attacker::new(&net, 66);
    with_ticket(&mallory, &bob).await;
    let (connection, _) = mallory.dial_early(bob.socket());
    (bob, mallory, connection)
}

#[test]
fn an_early_ping_is_answered_after_one_round_trip() {
    in_virtual_time(async {
        let (_bob, _mallory, connection) = early(1).await;
        let (pong, took) = elapsed(ask(&connection, PING)).await;
        assert_eq!(pong, Ok(PONG.to_vec()));
        assert_round_trips(took, 1);
    });
}

#[test]
fn an_early_request_of_an_application_is_reset_with_early_and_is_no_fault() {
    in_virtual_time(async {
        let (bob, _mallory, connection) = early(2).await;
        let (refused, took) = elapsed(ask(&connection, ASK_ECHO)).await;
        assert_eq!(refused, Err(ErrorCode::Early));
        assert_round_trips(took, 1);
        assert_eq!(ask(&connection, ASK_ECHO).await, Ok(vec![2, 2, 9]));
        assert_eq!(bob.reputation(&peer(66)), 0);
    });
}

#[test]
fn an_early_introduction_is_reset_with_early() {
    in_virtual_time(async {
        let (bob, _mallory, connection) = early(3).await;
        assert_eq!(ask(&connection, HELLO).await, Err(ErrorCode::Early));
        assert_eq!(bob.reputation(&peer(66)), 0);
    });
}

#[test]
fn as_many_early_requests_are_served_as_may_be_and_no_more() {
    in_virtual_time(async {
        let (_bob, _mallory, connection) = early(4).await;
        let mut streams = Vec::new();
        for _ in 0..=MAX_EARLY_REQUESTS {
            streams.push(open_bi(&connection, PING, End::Finish).await.1);
        }
        let mut answers = Vec::new();
        for stream in streams {
            answers.push(answer(stream).await);
        }
        let (last, served) = answers.split_last().unwrap();
        assert!(served.iter().all(|answer| *answer == Ok(PONG.to_vec())));
        assert_eq!(*last, Err(ErrorCode::Early));
    });
}

#[test]
fn a_request_that_may_not_be_early_is_repeated_and_handled_once() {
    in_virtual_time(async {
        let net = quiet_net(5);
        let mut bob = Peer::start(&net, ip(2), 2);
        let handled = Arc::new(AtomicU32::new(0));
        let counter = handled.clone();
        let count = move |_, body: Bytes| {
            counter.fetch_add(1, Ordering::Relaxed);
            async move { Ok(body) }
        };
        bob.node.handle(0x50, count).unwrap();
        let mut alice = Peer::start(&net, ip(1), 1);
        alice.node.dial(&bob.address()).await.unwrap();
        alice.node.ping(peer(2)).await.unwrap();
        alice.node.disconnect(&peer(2));
        let gone = |event: &SwarmEvent| matches!(event, SwarmEvent::PeerDisconnected { .. });
        bob.events.until(|event| gone(event).then_some(())).await;
        alice.events.until(|event| gone(event).then_some(())).await;
        let question = OutboundRequest {
            protocol: 0x50,
            version: VERSION,
            kind: request::REQUEST,
            body: Bytes::from_static(b"once"),
            requests: request::ACCEPTOR_READS,
            responses: request::DIALLER_READS,
        };
        let to_bob = bob.address();
        let asked =
            alice
                .node
                .swarm()
                .dial_and_request(peer(2), std::slice::from_ref(&to_bob), &question);
        let (reply, took) = elapsed(asked).await;
        assert_eq!(reply.unwrap().body, b"once"[..]);
        assert_round_trips(took, 2);
        assert_eq!(handled.load(Ordering::Relaxed), 1);
        assert_eq!(bob.reputation(&peer(1)), 0);
    });
}

#[test]
fn a_banned_peers_early_ping_is_not_answered() {
    in_virtual_time(async {
        let net = quiet_net(6);
        let bob = Peer::start(&net, ip(2), 2);
        let mallory = Attacker::new(&net, 66);
        with_ticket(&mallory, &bob).await;
        bob.node.swarm().ban(peer(66), 20 * ROUND_TRIP);
        let (connection, _) = mallory.dial_early(bob.socket());
        let (_send, mut receive) = open_bi(&connection, PING, End::Finish).await;
        assert!(receive.read_to_end(64).await.is_err());
    });
}

#[test]
fn an_application_cannot_register_early_frames_or_a_number_of_the_stack() {
    in_virtual_time(async {
        let net = quiet_net(7);
        let bob = Peer::start(&net, ip(2), 2);
        let register = |number, early_frames| {
            let protocol = Protocol {
                number,
                versions: &[VERSION],
                shape: Shape::Request {
                    requests: request::ACCEPTOR_READS,
                    responses: request::DIALLER_READS,
                },
                early_frames,
                anonymous: false,
            };
            let answer = |request: InboundRequest| async move {
                Ok(Reply {
                    kind: request::RESPONSE,
                    body: request.body,
                })
            };
            let handler = Handler::Request(Arc::new(answer));
            bob.node.swarm().register(protocol, handler)
        };
        const PING_TOO: &[u8] = &[request::REQUEST];
        assert_eq!(
            register(0x60, PING_TOO),
            Err(RegisterError::EarlyNotAllowed(0x60))
        );
        assert_eq!(register(0x3f, &[]), Err(RegisterError::Reserved(0x3f)));
        assert_eq!(register(0x40, &[]), Ok(()));
        assert_eq!(register(ECHO, &[]), Err(RegisterError::Taken(ECHO)));
    });
}
