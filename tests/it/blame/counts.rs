//! What lowers a score: bytes that the peer itself sent on a confirmed connection.

use std::time::Duration;

use cretoai_network::p2p::{Fault, RequestError, SwarmEvent};
use cretoai_network::wire::{ErrorCode, Violation};
use quinn::Connection;

use crate::support::attacker::{Attacker, ask, closed_with};
use crate::support::nodes::{address, in_virtual_time, ip, peer, quiet_net};
use crate::support::peer::{ECHO, Peer, pass};

/// A fault in the ping protocol, and one in the application's.
const PING_FAULT: &[u8] = &[2, 1, 0];
const ECHO_FAULT: &[u8] = &[0x40, 0x41, 1, 0];

/// The time in which a score halves.
const HALF_LIFE: Duration = Duration::from_secs(600);

async fn commit(connection: &Connection, fault: &[u8], times: u32) {
    for _ in 0..times {
        assert_eq!(ask(connection, fault).await, Err(ErrorCode::ZeroLength));
    }
}

#[test]
fn scores_of_two_protocols_do_not_add_up() {
    in_virtual_time(async {
        let net = quiet_net(1);
        let bob = Peer::start(&net, ip(2), 2);
        let mallory = Attacker::new(&net, 66);
        let connection = mallory.dial(bob.socket()).await.unwrap();
        commit(&connection, PING_FAULT, 4).await;
        commit(&connection, ECHO_FAULT, 3).await;
        assert_eq!(bob.reputation(&peer(66)), -40, "the worst of them counts");
        commit(&connection, ECHO_FAULT, 1).await;
        assert!(bob.is_connected(66));
        let (mut send, _receive) = connection.open_bi().await.unwrap();
        send.write_all(ECHO_FAULT).await.unwrap();
        assert_eq!(closed_with(&connection).await, ErrorCode::Misbehaved);
    });
}

#[test]
fn a_clean_protocol_does_not_offset_a_bad_one() {
    in_virtual_time(async {
        let net = quiet_net(2);
        let bob = Peer::start(&net, ip(2), 2);
        let mallory = Attacker::new(&net, 66);
        let connection = mallory.dial(bob.socket()).await.unwrap();
        commit(&connection, PING_FAULT, 3).await;
        for _ in 0..50 {
            let echoed = ask(&connection, &[0x40, 0x41, 1, 2, 1, 9]).await;
            assert_eq!(echoed, Ok(vec![2, 2, 9]));
        }
        assert_eq!(bob.reputation(&peer(66)), -30);
    });
}

#[test]
fn a_score_halves_in_ten_minutes() {
    in_virtual_time(async {
        let net = quiet_net(3);
        let bob = Peer::start(&net, ip(2), 2);
        let mallory = Attacker::new(&net, 66);
        let connection = mallory.dial(bob.socket()).await.unwrap();
        commit(&connection, PING_FAULT, 4).await;
        pass(HALF_LIFE).await;
        assert_eq!(bob.reputation(&peer(66)), -20);
        pass(HALF_LIFE).await;
        assert_eq!(bob.reputation(&peer(66)), -10);
    });
}

#[test]
fn a_score_survives_the_connection() {
    in_virtual_time(async {
        let net = quiet_net(4);
        let bob = Peer::start(&net, ip(2), 2);
        let mallory = Attacker::new(&net, 66);
        for expected in [-10, -20, -30] {
            let connection = mallory.dial(bob.socket()).await.unwrap();
            commit(&connection, PING_FAULT, 1).await;
            connection.close(0_u32.into(), &[]);
            assert_eq!(bob.reputation(&peer(66)), expected);
        }
    });
}

/// A node dials an attacker, who answers the introduction with nothing and the first application
/// request with `answer`.
async fn asked(net: &cretoai_network::sim::Net, answer: &'static [u8]) -> (Peer, RequestError) {
    let alice = Peer::start(net, ip(1), 1);
    let mallory = Attacker::new(net, 66);
    let answering = async {
        let connection = mallory.accept().await.unwrap();
        loop {
            let (mut send, mut receive) = connection.accept_bi().await.unwrap();
            let question = receive.read_to_end(1 << 16).await.unwrap();
            if question.starts_with(&[0x40, 0x41]) {
                send.write_all(answer).await.unwrap();
                send.finish().unwrap();
                return connection;
            }
            send.reset(0x32_u32.into()).unwrap();
        }
    };
    let asking = async {
        alice.node.dial(&address(66)).await.unwrap();
        alice.node.request(peer(66), ECHO, vec![7]).await
    };
    let (_connection, answered) = tokio::join!(answering, asking);
    let error = answered.unwrap_err();
    (alice, error)
}

fn assert_answer_counts(seed: u64, answer: &'static [u8], violation: Violation) {
    in_virtual_time(async {
        let net = quiet_net(seed);
        let (mut alice, error) = asked(&net, answer).await;
        assert_eq!(error, RequestError::Malformed(violation));
        let fault = |event: &SwarmEvent| match event {
            SwarmEvent::FaultRecorded { fault, score, .. } => Some((*fault, *score)),
            _ => None,
        };
        let booked = alice.events.until(fault).await;
        assert_eq!(booked, (Fault::Wire(violation), -10));
    });
}

#[test]
fn an_answer_of_length_zero_counts() {
    assert_answer_counts(5, &[0], Violation::ZeroLengthFrame);
}

#[test]
fn a_question_as_an_answer_counts() {
    assert_answer_counts(6, &[2, 1, 7], Violation::IllegalFrame { kind: 1 });
}

#[test]
fn two_answers_to_one_question_count() {
    assert_answer_counts(7, &[2, 2, 7, 2, 2, 7], Violation::ExtraFrame);
}

#[test]
fn an_end_without_an_answer_counts() {
    assert_answer_counts(8, &[], Violation::MissingFrame);
}
