//! What never lowers a score.

use std::time::Duration;

use cretoai_network::p2p::{AddressSource, DialFailure, RequestError, SwarmEvent};
use cretoai_network::wire::codec::{List, encode};
use cretoai_network::wire::message::identify::{HELLO, Identify, Roles};
use cretoai_network::wire::{Address, ErrorCode};

use crate::support::attacker::{Attacker, End, answer, ask, closed_with, open_bi};
use crate::support::nodes::{ROUND_TRIP, address, in_virtual_time, ip, peer, quiet_net};
use crate::support::peer::{ECHO, Peer, pass};

const PING: &[u8] = &[2, 1, 2, 1, 7];

/// A ping without its frame: a length of zero.
const FAULT: &[u8] = &[2, 1, 0];

/// How long a peer may take over a request, by default.
const DEADLINE: Duration = Duration::from_secs(10);

fn faults(peer: &mut Peer) -> usize {
    let fault = |event: &SwarmEvent| matches!(event, SwarmEvent::FaultRecorded { .. });
    let told = peer.events.drain();
    told.iter().filter(|event| fault(event)).count()
}

fn tell(node: &Peer, about: u16, address: &Address) {
    node.node.swarm().with_book(|book, now| {
        let added = book.add_address(now.mono, peer(about), address, AddressSource::Told);
        added.unwrap();
    });
}

#[test]
fn a_failed_dial_to_an_address_that_others_gave_blames_nobody() {
    in_virtual_time(async {
        let net = quiet_net(1);
        let mut alice = Peer::start(&net, ip(1), 1);
        let _bob = Peer::start(&net, ip(2), 2);
        // Nobody is there.
        tell(&alice, 3, &address(3));
        let failure = alice.node.connect(peer(3)).await;
        assert_eq!(failure, Err(DialFailure::TimedOut));
        // Somebody else is there.
        tell(
            &alice,
            4,
            &Address::from(std::net::SocketAddr::new(ip(2), 4000)),
        );
        assert!(alice.node.connect(peer(4)).await.is_err());
        for number in [2, 3, 4] {
            assert_eq!(alice.reputation(&peer(number)), 0, "peer {number}");
        }
        assert_eq!(faults(&mut alice), 0);
    });
}

#[test]
fn what_one_peer_says_about_another_is_neither_believed_nor_held_against_it() {
    in_virtual_time(async {
        let net = quiet_net(2);
        let mut bob = Peer::start(&net, ip(2), 2);
        let alice = Peer::start(&net, ip(1), 1);
        alice.node.dial(&bob.address()).await.unwrap();
        alice.node.ping(peer(2)).await.unwrap();
        let before = bob.node.peer(&peer(1));
        let mallory = Attacker::new(&net, 66);
        let connection = mallory.dial(bob.socket()).await.unwrap();
        let elsewhere: Address = "/ip4/11.0.0.9/udp/9/quic-v1".parse().unwrap();
        let claim = Identify {
            agent: "mallory".parse().unwrap(),
            listen_addresses: List::truncated([elsewhere.with_peer_id(peer(1))]),
            protocols: List::new(),
            roles: Roles::SERVER,
            observed_address: None,
        };
        let body = encode(&claim);
        let length = u8::try_from(body.len() + 1).unwrap();
        let mut hello = vec![1, 1];
        // A varint of two bytes, if it takes two.
        match length {
            0..64 => hello.push(length),
            _ => hello.extend([0x40, length]),
        }
        hello.push(HELLO);
        hello.extend_from_slice(&body);
        assert!(ask(&connection, &hello).await.is_ok());
        assert_eq!(bob.node.peer(&peer(1)), before);
        assert_eq!(bob.node.peer(&peer(66)).unwrap().addresses().count(), 0);
        assert_eq!(bob.reputation(&peer(1)), 0);
        assert_eq!(faults(&mut bob), 0);
    });
}

/// An early stream with `bytes`, left open; what it is reset with, when the handshake is confirmed.
async fn early_stream(bob: &Peer, mallory: &Attacker, bytes: &[u8]) -> ErrorCode {
    let first = mallory.dial(bob.socket()).await.unwrap();
    ask(&first, PING).await.unwrap();
    first.close(0_u32.into(), &[]);
    pass(ROUND_TRIP).await;
    let (connection, accepted) = mallory.dial_early(bob.socket());
    let (_send, receive) = open_bi(&connection, bytes, End::LeaveOpen).await;
    assert!(accepted.await);
    let code = answer(receive).await.unwrap_err();
    assert_eq!(ask(&connection, PING).await, Ok(vec![2, 2, 7]));
    connection.close(0_u32.into(), &[]);
    code
}

#[test]
fn early_data_that_breaks_a_rule_is_reset_and_costs_nothing() {
    in_virtual_time(async {
        let net = quiet_net(3);
        let mut bob = Peer::start(&net, ip(2), 2);
        let mallory = Attacker::new(&net, 66);
        let code = early_stream(&bob, &mallory, FAULT).await;
        assert_eq!(code, ErrorCode::ZeroLength);
        assert_eq!(faults(&mut bob), 0);
    });
}

#[test]
fn an_early_stream_that_is_never_finished_costs_nothing_after_the_handshake_either() {
    in_virtual_time(async {
        let net = quiet_net(4);
        let mut bob = Peer::start(&net, ip(2), 2);
        let mallory = Attacker::new(&net, 66);
        let code = early_stream(&bob, &mallory, &PING[..3]).await;
        assert_eq!(code, ErrorCode::Deadline);
        assert_eq!(faults(&mut bob), 0);
        assert_eq!(bob.reputation(&peer(66)), 0);
    });
}

/// A node asks an attacker that treats the stream as it likes.
async fn asked_in_vain(alice: &Peer, mallory: &Attacker, reset: Option<ErrorCode>) -> RequestError {
    let treating = async {
        let connection = mallory.accept().await.unwrap();
        let mut kept = Vec::new();
        while let Ok((mut send, receive)) = connection.accept_bi().await {
            if let Some(code) = reset {
                let number = quinn::VarInt::from_u64(code.into()).unwrap();
                send.reset(number).unwrap();
            }
            kept.push((send, receive));
        }
    };
    let asking = async {
        alice.node.dial(&address(66)).await.unwrap();
        alice.node.request(peer(66), ECHO, vec![7]).await
    };
    tokio::select! {
        answered = asking => answered.unwrap_err(),
        () = treating => panic!("the connection was closed"),
    }
}

#[test]
fn no_answer_and_a_refusal_are_nobodys_fault() {
    for reset in [
        None,
        Some(ErrorCode::Busy),
        Some(ErrorCode::Internal),
        Some(ErrorCode::from(0x4242)),
    ] {
        in_virtual_time(async {
            let net = quiet_net(5);
            let mut alice = Peer::start(&net, ip(1), 1);
            let mallory = Attacker::new(&net, 66);
            let error = asked_in_vain(&alice, &mallory, reset).await;
            let expected = reset.map_or(RequestError::Deadline, RequestError::Refused);
            assert_eq!(error, expected);
            assert_eq!(faults(&mut alice), 0);
            assert!(alice.is_connected(66));
        });
    }
}

#[test]
fn a_peer_that_vanishes_is_not_at_fault() {
    in_virtual_time(async {
        let net = quiet_net(6);
        let mut bob = Peer::start(&net, ip(2), 2);
        let mallory = Attacker::new(&net, 66);
        let connection = mallory.dial(bob.socket()).await.unwrap();
        ask(&connection, PING).await.unwrap();
        let _unfinished = open_bi(&connection, &PING[..3], End::LeaveOpen).await;
        pass(ROUND_TRIP).await;
        // The stream is still open, and so is the deadline, when the peer goes.
        connection.close(0_u32.into(), &[]);
        pass(2 * DEADLINE).await;
        assert_eq!(faults(&mut bob), 0);
    });
}

#[test]
fn a_ban_is_not_passed_on_to_others_at_the_same_address() {
    in_virtual_time(async {
        let net = quiet_net(7);
        let bob = Peer::start(&net, ip(2), 2);
        let mallory = Attacker::new(&net, 66);
        let shared = std::net::SocketAddr::new(ip(66), 5000);
        let neighbour = Attacker::at(&net, shared, 67);
        bob.node.swarm().ban(peer(66), DEADLINE);
        let refused = mallory.dial(bob.socket()).await.unwrap();
        assert_eq!(closed_with(&refused).await, ErrorCode::Banned);
        let connection = neighbour.dial(bob.socket()).await.unwrap();
        assert!(ask(&connection, PING).await.is_ok());
    });
}
