//! Streams that are opened and never finished.

use std::time::Duration;

use cretoai_network::p2p::{Fault, SwarmEvent};
use cretoai_network::wire::ErrorCode;
use quinn::Connection;
use tokio::time::timeout;

use crate::support::attacker::{Attacker, End, answer, ask, open_bi};
use crate::support::nodes::{ROUND_TRIP, TICKS, elapsed, in_virtual_time, ip, peer, quiet_net};
use crate::support::peer::{Peer, pass};

/// How long a peer may take over a request, by default.
const DEADLINE: Duration = Duration::from_secs(10);

/// Streams of one kind that a peer may have open, by default.
const MAX_STREAMS: usize = 128;

async fn connected(seed: u64) -> (Peer, Attacker, Connection) {
    let net = quiet_net(seed);
    let bob = Peer::start(&net, ip(2), 2);
    let mallory = Attacker::new(&net, 66);
    let connection = mallory.dial(bob.socket()).await.unwrap();
    ask(&connection, &[2, 1, 2, 1, 7]).await.unwrap();
    (bob, mallory, connection)
}

async fn assert_unfinished(bob: &mut Peer) {
    let fault = bob
        .events
        .until(|event| match event {
            SwarmEvent::FaultRecorded { fault, score, .. } => Some((*fault, *score)),
            _ => None,
        })
        .await;
    assert_eq!(fault, (Fault::Unfinished, -10));
    assert_eq!(bob.reputation(&peer(66)), -10);
}

/// A stream with these bytes and no end is reset when the deadline is over.
fn assert_reset_at_deadline(seed: u64, bytes: &'static [u8]) {
    in_virtual_time(async {
        let (mut bob, _mallory, connection) = connected(seed).await;
        let (_send, receive) = open_bi(&connection, bytes, End::LeaveOpen).await;
        let (code, took) = elapsed(answer(receive)).await;
        assert_eq!(code, Err(ErrorCode::Deadline));
        let expected = ROUND_TRIP + DEADLINE;
        assert!(took >= expected && took <= expected + TICKS, "{took:?}");
        assert_unfinished(&mut bob).await;
    });
}

#[test]
fn a_header_that_is_never_finished_is_reset_at_the_deadline() {
    assert_reset_at_deadline(1, &[2]);
}

#[test]
fn a_request_that_is_never_begun_is_reset_at_the_deadline() {
    assert_reset_at_deadline(2, &[2, 1]);
}

#[test]
fn a_request_that_is_never_finished_is_reset_at_the_deadline() {
    assert_reset_at_deadline(3, &[2, 1, 2, 1]);
}

#[test]
fn a_request_whose_stream_is_never_ended_is_reset_at_the_deadline() {
    assert_reset_at_deadline(4, &[2, 1, 2, 1, 7]);
}

#[test]
fn a_request_that_trickles_in_does_not_move_the_deadline() {
    in_virtual_time(async {
        let (mut bob, _mallory, connection) = connected(5).await;
        let head = [0x40, 0x41, 1, 40, 1];
        let (mut send, receive) = open_bi(&connection, &head, End::LeaveOpen).await;
        let trickle = async {
            while send.write_all(&[0]).await.is_ok() {
                pass(Duration::from_secs(1)).await;
            }
        };
        let (answered, took) = elapsed(async { tokio::join!(answer(receive), trickle).0 }).await;
        assert_eq!(answered, Err(ErrorCode::Deadline));
        assert!(took < DEADLINE + Duration::from_secs(2), "{took:?}");
        assert_unfinished(&mut bob).await;
    });
}

#[test]
fn no_more_streams_are_open_at_once_than_a_peer_may_have() {
    in_virtual_time(async {
        let net = quiet_net(6);
        let bob = Peer::start(&net, ip(2), 2);
        let mallory = Attacker::new(&net, 66);
        let connection = mallory.dial(bob.socket()).await.unwrap();
        let mut open = Vec::new();
        for _ in 0..MAX_STREAMS {
            open.push(open_bi(&connection, &[2], End::LeaveOpen).await);
        }
        let soon = DEADLINE / 2;
        assert!(timeout(soon, connection.open_bi()).await.is_err());
    });
}
