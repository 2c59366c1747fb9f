//! Streams whose bytes break a rule: each is reset with its registered code and costs its sender
//! reputation.

use bytes::BytesMut;
use cretoai_network::p2p::{Fault, REFUSAL_ON_ITS_WAY, SwarmEvent};
use cretoai_network::wire::message::request;
use cretoai_network::wire::{ErrorCode, Varint, Violation};
use quinn::Connection;

use crate::support::attacker::{Attacker, End, answer, ask, open_bi, tell};
use crate::support::nodes::{in_virtual_time, ip, peer, quiet_net};
use crate::support::peer::{ECHO, Peer, pass};

/// Header of a ping: protocol 2, version 1.
const PING: [u8; 2] = [2, 1];

/// Header of a stream of observed addresses: protocol 3, version 1.
const OBSERVED: [u8; 2] = [3, 1];

/// Cost of one fault.
const STREAM_FAULT: i32 = -10;

/// A node and an attacker whose handshake was honest.
async fn victim_and_attacker(seed: u64) -> (Peer, Connection) {
    let net = quiet_net(seed);
    let bob = Peer::start(&net, ip(2), 2);
    let mallory = Attacker::new(&net, 66);
    let connection = mallory.dial(bob.socket()).await.unwrap();
    assert_eq!(
        ask(&connection, &frames(PING, &[2, 1, 7])).await,
        Ok(vec![2, 2, 7])
    );
    assert_eq!(bob.reputation(&attacker()), 0);
    // The attacker's endpoint lives as long as its connection.
    (bob, connection)
}

fn attacker() -> cretoai_network::identity::PeerId {
    peer(66)
}

fn frames(header: [u8; 2], frames: &[u8]) -> Vec<u8> {
    [&header[..], frames].concat()
}

/// Header of the application's protocol, and a frame head that announces `length` bytes.
fn announced(length: u64) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    for number in [ECHO.into(), 1, length] {
        Varint::try_from(number).unwrap().encode(&mut bytes);
    }
    bytes.extend_from_slice(&[request::REQUEST]);
    bytes.to_vec()
}

async fn fault(bob: &mut Peer) -> (Fault, i32) {
    bob.events
        .until(|event| match event {
            SwarmEvent::FaultRecorded { fault, score, .. } => Some((*fault, *score)),
            _ => None,
        })
        .await
}

/// The stream is reset with `code`, and the fault is booked as `violation`.
fn assert_request_is_reset(seed: u64, bytes: &[u8], code: ErrorCode, violation: Violation) {
    in_virtual_time(async {
        let (mut bob, connection) = victim_and_attacker(seed).await;
        let (_send, receive) = open_bi(&connection, bytes, End::LeaveOpen).await;
        assert_eq!(answer(receive).await, Err(code));
        let expected = (Fault::Wire(violation), STREAM_FAULT);
        assert_eq!(fault(&mut bob).await, expected);
        assert_eq!(bob.reputation(&attacker()), STREAM_FAULT);
    });
}

/// The same for a stream that the sender has ended.
fn assert_ended_request_is_reset(seed: u64, bytes: &[u8], code: ErrorCode, violation: Violation) {
    in_virtual_time(async {
        let (mut bob, connection) = victim_and_attacker(seed).await;
        assert_eq!(ask(&connection, bytes).await, Err(code));
        let expected = (Fault::Wire(violation), STREAM_FAULT);
        assert_eq!(fault(&mut bob).await, expected);
    });
}

/// A unidirectional stream is stopped with `code`, and the fault is booked.
fn assert_messages_are_stopped(seed: u64, bytes: &[u8], code: ErrorCode, violation: Violation) {
    in_virtual_time(async {
        let (mut bob, connection) = victim_and_attacker(seed).await;
        assert_eq!(tell(&connection, bytes).await, code);
        let expected = (Fault::Wire(violation), STREAM_FAULT);
        assert_eq!(fault(&mut bob).await, expected);
    });
}

#[test]
fn an_unknown_protocol_is_answered_and_no_fault_the_first_time() {
    in_virtual_time(async {
        let (mut bob, connection) = victim_and_attacker(1).await;
        let unknown = [0x21, 1];
        let answered = Err(ErrorCode::UnknownProtocol);
        assert_eq!(ask(&connection, &unknown).await, answered);
        assert_eq!(ask(&connection, &unknown).await, answered);
        assert_eq!(bob.reputation(&attacker()), 0);
        pass(REFUSAL_ON_ITS_WAY).await;
        assert_eq!(ask(&connection, &unknown).await, answered);
        let expected = (Fault::RepeatedUnknown, STREAM_FAULT);
        assert_eq!(fault(&mut bob).await, expected);
    });
}

#[test]
fn an_unknown_version_is_answered_and_no_fault_the_first_time() {
    in_virtual_time(async {
        let (mut bob, connection) = victim_and_attacker(2).await;
        let unknown = [2, 9];
        let answered = Err(ErrorCode::UnknownVersion);
        assert_eq!(ask(&connection, &unknown).await, answered);
        assert_eq!(ask(&connection, &unknown).await, answered);
        assert_eq!(bob.reputation(&attacker()), 0);
        pass(REFUSAL_ON_ITS_WAY).await;
        assert_eq!(ask(&connection, &unknown).await, answered);
        let expected = (Fault::RepeatedUnknown, STREAM_FAULT);
        assert_eq!(fault(&mut bob).await, expected);
    });
}

#[test]
fn an_unknown_protocol_is_forgiven_again_on_a_new_connection() {
    in_virtual_time(async {
        let net = quiet_net(3);
        let bob = Peer::start(&net, ip(2), 2);
        let mallory = Attacker::new(&net, 66);
        for _ in 0..3 {
            let connection = mallory.dial(bob.socket()).await.unwrap();
            let answered = ask(&connection, &[0x21, 1]).await;
            assert_eq!(answered, Err(ErrorCode::UnknownProtocol));
            connection.close(0_u32.into(), &[]);
        }
        assert_eq!(bob.reputation(&attacker()), 0);
    });
}

#[test]
fn an_oversize_length_is_reset_before_its_body_is_sent() {
    let limit = request::MAX_BODY;
    // The announced length counts the type byte.
    let bytes = announced(u64::from(limit) + 2);
    let violation = Violation::OversizeFrame {
        kind: request::REQUEST,
        length: u64::from(limit) + 1,
        limit,
    };
    assert_request_is_reset(4, &bytes, ErrorCode::Oversize, violation);
}

#[test]
fn the_largest_request_is_answered_and_one_byte_more_is_not() {
    in_virtual_time(async {
        let (_bob, connection) = victim_and_attacker(5).await;
        let limit = request::MAX_BODY as usize;
        for size in [limit - 1, limit] {
            let mut bytes = announced(size as u64 + 1);
            bytes.resize(bytes.len() + size, 7);
            let reply = ask(&connection, &bytes).await.unwrap();
            assert_eq!(reply.iter().filter(|byte| **byte == 7).count(), size);
        }
        let beyond = announced(limit as u64 + 2);
        let (_send, receive) = open_bi(&connection, &beyond, End::LeaveOpen).await;
        assert_eq!(answer(receive).await, Err(ErrorCode::Oversize));
    });
}

#[test]
fn a_length_of_zero_is_reset() {
    let violation = Violation::ZeroLengthFrame;
    assert_request_is_reset(6, &frames(PING, &[0]), ErrorCode::ZeroLength, violation);
}

#[test]
fn trailing_bytes_in_a_message_are_reset() {
    let bytes = frames(PING, &[3, 1, 7, 7]);
    let violation = Violation::TrailingBytes;
    assert_ended_request_is_reset(7, &bytes, ErrorCode::TrailingBytes, violation);
}

#[test]
fn a_second_request_on_the_stream_is_reset() {
    let bytes = frames(PING, &[2, 1, 7, 2, 1, 8]);
    let violation = Violation::ExtraFrame;
    assert_request_is_reset(8, &bytes, ErrorCode::TrailingBytes, violation);
}

#[test]
fn a_non_shortest_varint_in_the_header_is_reset() {
    let violation = Violation::NonMinimalVarint;
    assert_request_is_reset(9, &[0x40, 2, 1], ErrorCode::NonShortestVarint, violation);
}

#[test]
fn a_non_shortest_varint_as_a_length_is_reset() {
    let bytes = frames(PING, &[0x40, 2, 1, 7]);
    let violation = Violation::NonMinimalVarint;
    assert_request_is_reset(10, &bytes, ErrorCode::NonShortestVarint, violation);
}

#[test]
fn an_unknown_frame_type_is_reset() {
    let violation = Violation::UnknownFrame { kind: 0x7f };
    let bytes = frames(PING, &[2, 0x7f, 7]);
    assert_request_is_reset(11, &bytes, ErrorCode::UnknownFrame, violation);
}

#[test]
fn an_answer_where_the_question_belongs_is_reset() {
    let violation = Violation::IllegalFrame { kind: 2 };
    let bytes = frames(PING, &[2, 2, 7]);
    assert_request_is_reset(12, &bytes, ErrorCode::IllegalFrame, violation);
}

#[test]
fn a_message_that_is_not_canonical_is_reset() {
    // bincode's form of integers below 251 is one byte; 251 announces two.
    let bytes = frames(PING, &[4, 1, 251, 7, 0]);
    let violation = Violation::NonCanonical;
    assert_ended_request_is_reset(13, &bytes, ErrorCode::Malformed, violation);
}

#[test]
fn a_stream_that_ends_inside_a_frame_is_reset() {
    let bytes = frames(PING, &[2, 1]);
    let violation = Violation::UnfinishedFrame;
    assert_ended_request_is_reset(14, &bytes, ErrorCode::Malformed, violation);
}

#[test]
fn a_stream_that_ends_inside_its_header_is_reset() {
    let violation = Violation::UnfinishedFrame;
    assert_ended_request_is_reset(15, &[2], ErrorCode::Malformed, violation);
}

#[test]
fn a_stream_that_ends_before_its_header_is_reset() {
    let violation = Violation::UnfinishedFrame;
    assert_ended_request_is_reset(21, &[], ErrorCode::Malformed, violation);
}

#[test]
fn a_request_stream_that_ends_after_its_header_is_reset() {
    let violation = Violation::MissingFrame;
    assert_ended_request_is_reset(22, &PING, ErrorCode::Malformed, violation);
}

#[test]
fn a_request_on_a_unidirectional_stream_is_stopped() {
    let bytes = frames(PING, &[2, 1, 7]);
    let violation = Violation::WrongStreamKind;
    assert_messages_are_stopped(16, &bytes, ErrorCode::IllegalFrame, violation);
}

#[test]
fn messages_on_a_bidirectional_stream_are_reset() {
    let violation = Violation::WrongStreamKind;
    assert_request_is_reset(17, &OBSERVED, ErrorCode::IllegalFrame, violation);
}

#[test]
fn a_length_of_zero_among_messages_is_stopped() {
    let bytes = frames(OBSERVED, &[0]);
    let violation = Violation::ZeroLengthFrame;
    assert_messages_are_stopped(18, &bytes, ErrorCode::ZeroLength, violation);
}

#[test]
fn an_unknown_frame_type_among_messages_is_stopped() {
    let bytes = frames(OBSERVED, &[2, 0x7f, 7]);
    let violation = Violation::UnknownFrame { kind: 0x7f };
    assert_messages_are_stopped(19, &bytes, ErrorCode::UnknownFrame, violation);
}

#[test]
fn a_truncated_message_is_stopped() {
    let bytes = frames(OBSERVED, &[2, 1, 7]);
    let violation = Violation::Truncated;
    assert_messages_are_stopped(20, &bytes, ErrorCode::Malformed, violation);
}
