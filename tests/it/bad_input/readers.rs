//! Peers that take nothing of what they are sent.

use std::time::Duration;

use cretoai_network::identity::PeerId;
use cretoai_network::node::P2PConfig;
use cretoai_network::p2p::{SendError, SwarmEvent};
use cretoai_network::sim::LinkProfile;
use cretoai_network::transport::CloseReason;
use cretoai_network::wire::ErrorCode;
use tokio::time::{Instant, timeout};

use crate::support::attacker::{Attacker, End, ask, closed_with, open_bi};
use crate::support::nodes::{
    LATENCY, ROUND_TRIP, address, assert_round_trips, config, elapsed, in_virtual_time, ip,
    net_with, peer, quiet_net, spawn_with,
};
use crate::support::peer::{ECHO, Peer, pass};

/// How long written data may stay unread, by default.
const SLOW_READER: Duration = Duration::from_secs(10);

/// A message of the size at which only bytes count.
const MESSAGE: usize = 64 * 1024;

/// An honest ping, so that the acceptor has confirmed the handshake.
const PING: &[u8] = &[2, 1, 2, 1, 7];

/// What may be held for a peer: quinn's send window, one queue that is being written and one that
/// waits, and the message that was too much.
const MOST_HELD: usize = 5_000_000 + 2 * (4 << 20) + MESSAGE;

/// Sends until the peer is gone; returns how many messages were taken.
async fn send_until_refused(sender: &Peer, to: PeerId) -> usize {
    let mut taken = 0;
    loop {
        match sender.node.send(to, ECHO, vec![0; MESSAGE]).await {
            Ok(()) => taken += 1,
            Err(SendError::NotConnected(_)) => return taken,
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn a_peer_that_never_reads_is_disconnected_and_no_other_peer_notices() {
    in_virtual_time(async {
        let net = quiet_net(1);
        let mut bob = Peer::start(&net, ip(2), 2);
        let alice = Peer::start(&net, ip(1), 1);
        alice.node.dial(&bob.address()).await.unwrap();
        let mallory = Attacker::new(&net, 66);
        let connection = mallory.dial(bob.socket()).await.unwrap();
        ask(&connection, PING).await.unwrap();
        let honest = async {
            let until = Instant::now() + 2 * SLOW_READER;
            while Instant::now() < until {
                let request = alice.node.request(bob.node.peer_id(), ECHO, vec![7; 64]);
                let (answer, took) = elapsed(request).await;
                assert_eq!(answer.unwrap(), [7; 64][..]);
                assert_round_trips(took, 1);
            }
        };
        let flood = elapsed(send_until_refused(&bob, peer(66)));
        let (code, (taken, took), ()) = tokio::join!(closed_with(&connection), flood, honest);
        assert_eq!(code, ErrorCode::SlowReader);
        assert!(taken * MESSAGE <= MOST_HELD, "{taken} messages were taken");
        let latest = SLOW_READER + 20 * ROUND_TRIP;
        assert!(took >= SLOW_READER && took < latest, "{took:?}");
        let gone = |event: &SwarmEvent| match event {
            SwarmEvent::PeerDisconnected { peer, reason } => Some((*peer, *reason)),
            _ => None,
        };
        let expected = (peer(66), CloseReason::Local);
        assert_eq!(bob.events.until(gone).await, expected);
        assert_eq!(bob.reputation(&peer(66)), 0, "that alone is no fault");
    });
}

#[test]
fn messages_that_were_not_written_to_a_slow_reader_are_told_as_unsent() {
    in_virtual_time(async {
        // The first message is on its way; what waits behind it is not.
        let (mut bob, _mallory, connection) = stuck(2, 1_024, 64 << 10).await;
        for _ in 0..5 {
            assert!(takes(&bob, 64).await);
        }
        let unsent = |event: &SwarmEvent| match event {
            SwarmEvent::MessagesUnsent { messages, .. } => Some(*messages),
            _ => None,
        };
        assert_eq!(bob.events.until(unsent).await, 5);
        assert_eq!(closed_with(&connection).await, ErrorCode::SlowReader);
    });
}

#[test]
fn a_peer_that_never_reads_its_answers_is_disconnected() {
    in_virtual_time(async {
        let net = quiet_net(3);
        let bob = Peer::start(&net, ip(2), 2);
        let mallory = Attacker::with_window(&net, 66, 16);
        let connection = mallory.dial(bob.socket()).await.unwrap();
        ask(&connection, PING).await.unwrap();
        let mut request = vec![0x40, 0x41, 1, 33, 1];
        request.resize(request.len() + 32, 7);
        let _unread = open_bi(&connection, &request, End::Finish).await;
        let (code, took) = elapsed(closed_with(&connection)).await;
        assert_eq!(code, ErrorCode::SlowReader);
        assert!(
            took >= SLOW_READER && took < SLOW_READER + 4 * ROUND_TRIP,
            "{took:?}"
        );
    });
}

/// Whether the queue takes a message at once.
async fn takes(sender: &Peer, bytes: usize) -> bool {
    let sent = sender.node.send(peer(66), ECHO, vec![0; bytes]);
    timeout(Duration::from_millis(1), sent).await.is_ok()
}

/// A node whose writer to a peer that reads nothing is stuck on its first message.
async fn stuck(seed: u64, messages: u32, bytes: u64) -> (Peer, Attacker, quinn::Connection) {
    let net = quiet_net(seed);
    let mut small = config();
    small.send_queue_messages = messages;
    small.send_queue_bytes = bytes;
    let bob = Peer::start_with(&net, ip(2), 2, small);
    let mallory = Attacker::with_window(&net, 66, 1);
    let connection = mallory.dial(bob.socket()).await.unwrap();
    ask(&connection, PING).await.unwrap();
    assert!(takes(&bob, 64).await);
    pass(ROUND_TRIP).await;
    (bob, mallory, connection)
}

#[test]
fn a_queue_takes_as_many_messages_as_it_may_and_no_more() {
    in_virtual_time(async {
        let (bob, _mallory, _connection) = stuck(4, 8, 64 << 10).await;
        for _ in 0..7 {
            assert!(takes(&bob, 1).await);
        }
        assert!(takes(&bob, 1).await, "the eighth");
        assert!(!takes(&bob, 1).await, "the ninth");
    });
}

#[test]
fn a_queue_takes_as_many_bytes_as_it_may_and_no_more() {
    in_virtual_time(async {
        let (bob, _mallory, _connection) = stuck(5, 1_024, 64 << 10).await;
        assert!(takes(&bob, (64 << 10) - 2).await);
        assert!(takes(&bob, 1).await, "one byte below");
        assert!(takes(&bob, 1).await, "the last byte");
        assert!(!takes(&bob, 1).await, "one byte above");
    });
}

#[test]
fn a_peer_that_reads_over_a_thin_line_is_no_slow_reader() {
    in_virtual_time(async {
        let thin = LinkProfile {
            rate_bits_per_s: Some(4_000_000),
            ..LinkProfile::with_latency(LATENCY)
        };
        let net = net_with(3, thin);
        let patient = || P2PConfig {
            request_timeout: Duration::from_secs(120),
            ..config()
        };
        let (alice, bob) = (
            spawn_with(&net, 1, patient()),
            spawn_with(&net, 2, patient()),
        );
        bob.handle(ECHO, |_, _| async { Ok(vec![7; 1 << 20].into()) })
            .unwrap();
        alice.dial(&address(2)).await.unwrap();
        // 16 MiB take half a minute; more than quinn's window of 5 MB waits in the writers.
        let fetches = (0..16).map(|_| {
            let alice = alice.clone();
            tokio::spawn(async move { alice.request(peer(2), ECHO, "fetch").await })
        });
        let (fetched, took) = elapsed(async {
            let mut fetched = 0;
            for fetch in fetches.collect::<Vec<_>>() {
                fetched += fetch.await.unwrap().unwrap().len();
            }
            fetched
        })
        .await;
        assert_eq!(fetched, 16 << 20);
        assert!(took > 3 * SLOW_READER, "{took:?}");
    });
}
