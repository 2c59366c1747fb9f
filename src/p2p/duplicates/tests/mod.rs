//! The rule of one connection a pair: first one end alone, then both ends against each other.

mod model;
mod pair;

use std::time::Duration;

use super::*;
use crate::identity::PeerId;
use crate::policy::Micros;

const RTT: Duration = Duration::from_millis(50);
const A: ConnectionId = ConnectionId(1);
const B: ConnectionId = ConnectionId(2);
const C: ConnectionId = ConnectionId(3);

/// How long a connection of [`RTT`] must have been without a stream.
fn quiet() -> Duration {
    QUIET + QUIET_ROUND_TRIPS * RTT
}

fn ms(millis: u64) -> Micros {
    Micros(millis * 1_000)
}

fn smaller_end() -> Duplicates {
    Duplicates::new(PeerId::from_bytes([1; 32]), PeerId::from_bytes([2; 32]))
}

fn larger_end() -> Duplicates {
    Duplicates::new(PeerId::from_bytes([2; 32]), PeerId::from_bytes([1; 32]))
}

fn confirmed(connection: ConnectionId, direction: Direction) -> Input {
    Input::Confirmed {
        connection,
        direction,
        rtt: RTT,
    }
}

fn step(machine: &mut Duplicates, now: Micros, input: Input) -> Vec<Output> {
    machine.handle(now, input);
    std::iter::from_fn(|| machine.poll_output()).collect()
}

fn surviving(connection: ConnectionId, generation: u64) -> Output {
    Output::Surviving {
        connection,
        generation,
    }
}

#[test]
fn a_single_connection_survives_and_needs_no_timer() {
    let mut end = smaller_end();
    assert_eq!(
        step(&mut end, ms(0), confirmed(A, Direction::Incoming)),
        [surviving(A, 1)]
    );
    assert_eq!(end.poll_timeout(), None);
    assert_eq!(end.current(), Some((A, 1)));
}

#[test]
fn the_dial_of_the_smaller_survives_at_once_when_it_is_the_newer() {
    let mut end = smaller_end();
    step(&mut end, ms(0), confirmed(B, Direction::Incoming));
    assert_eq!(
        step(&mut end, ms(5), confirmed(A, Direction::Outgoing)),
        [surviving(A, 2)]
    );
    assert_eq!(end.poll_timeout(), Some(ms(5) + quiet()));
    assert_eq!(
        step(&mut end, ms(5) + quiet(), Input::Timer),
        [Output::Close(B)]
    );
    assert_eq!(end.len(), 1);
}

#[test]
fn the_older_dial_of_the_smaller_survives_when_it_answers_the_probe() {
    let mut end = smaller_end();
    step(&mut end, ms(0), confirmed(A, Direction::Outgoing));
    let asked = step(&mut end, ms(5), confirmed(B, Direction::Incoming));
    assert_eq!(asked, [Output::Probe(A), surviving(B, 2)]);
    assert_eq!(step(&mut end, ms(55), Input::Packet(A)), [surviving(A, 3)]);
    assert_eq!(
        step(&mut end, ms(55) + quiet(), Input::Timer),
        [Output::Close(B)]
    );
}

#[test]
fn a_dead_connection_never_beats_a_live_one() {
    let mut end = smaller_end();
    step(&mut end, ms(0), confirmed(A, Direction::Outgoing));
    step(&mut end, ms(1_000), confirmed(B, Direction::Incoming));
    let verdict = ms(1_000) + RTT + PROBE_MARGIN;
    assert_eq!(end.poll_timeout(), Some(verdict));
    assert_eq!(step(&mut end, verdict, Input::Timer), []);
    assert_eq!(end.current(), Some((B, 2)));
    assert_eq!(
        step(&mut end, verdict + quiet(), Input::Timer),
        [Output::Close(A)]
    );
}

#[test]
fn a_packet_from_before_the_newer_was_confirmed_is_no_sign_of_life() {
    let mut end = smaller_end();
    step(&mut end, ms(0), confirmed(A, Direction::Outgoing));
    step(&mut end, ms(5), Input::Packet(A));
    let asked = step(&mut end, ms(5), confirmed(B, Direction::Incoming));
    assert_eq!(asked, [Output::Probe(A), surviving(B, 2)]);
}

#[test]
fn the_wait_for_a_distant_peer_ends_after_the_limit() {
    let mut end = smaller_end();
    step(&mut end, ms(0), confirmed(A, Direction::Outgoing));
    let rtt = Duration::from_millis(900);
    let far = Input::Confirmed {
        connection: C,
        direction: Direction::Outgoing,
        rtt,
    };
    step(&mut end, ms(1), far);
    step(&mut end, ms(10), confirmed(B, Direction::Incoming));
    let deadlines = [ms(10) + PROBE_LIMIT, ms(1) + quiet()];
    assert_eq!(end.poll_timeout(), Some(deadlines[0]));
    assert_eq!(step(&mut end, deadlines[0], Input::Timer), []);
    assert_eq!(end.poll_timeout(), Some(deadlines[1]), "A lost against C");
    assert_eq!(
        step(&mut end, deadlines[1], Input::Timer),
        [Output::Close(A)]
    );
}

#[test]
fn a_newer_connection_replaces_an_older_of_the_same_direction() {
    let mut end = smaller_end();
    step(&mut end, ms(0), confirmed(A, Direction::Outgoing));
    assert_eq!(
        step(&mut end, ms(5), confirmed(C, Direction::Outgoing)),
        [surviving(C, 2)]
    );
    assert_eq!(
        step(&mut end, ms(5) + quiet(), Input::Timer),
        [Output::Close(A)]
    );
}

#[test]
fn the_loser_is_closed_after_its_streams_ended() {
    let mut end = smaller_end();
    step(&mut end, ms(0), confirmed(B, Direction::Incoming));
    step(
        &mut end,
        ms(1),
        Input::Streams {
            connection: B,
            open: 2,
        },
    );
    step(&mut end, ms(5), confirmed(A, Direction::Outgoing));
    assert_eq!(end.poll_timeout(), Some(ms(5) + DRAIN_LIMIT));
    step(
        &mut end,
        ms(500),
        Input::Streams {
            connection: B,
            open: 1,
        },
    );
    assert_eq!(step(&mut end, ms(1_000), Input::Timer), []);
    step(
        &mut end,
        ms(1_200),
        Input::Streams {
            connection: B,
            open: 0,
        },
    );
    assert_eq!(end.poll_timeout(), Some(ms(1_200) + quiet()));
    assert_eq!(step(&mut end, ms(1_600), Input::Timer), [Output::Close(B)]);
}

#[test]
fn a_stream_that_does_not_end_keeps_the_loser_for_two_seconds() {
    let mut end = smaller_end();
    step(&mut end, ms(0), confirmed(B, Direction::Incoming));
    step(
        &mut end,
        ms(1),
        Input::Streams {
            connection: B,
            open: 1,
        },
    );
    step(&mut end, ms(5), confirmed(A, Direction::Outgoing));
    assert_eq!(step(&mut end, ms(2_004), Input::Timer), []);
    assert_eq!(step(&mut end, ms(2_005), Input::Timer), [Output::Close(B)]);
}

#[test]
fn the_larger_end_leaves_the_closing_to_the_smaller() {
    let mut end = larger_end();
    step(&mut end, ms(0), confirmed(B, Direction::Outgoing));
    assert_eq!(
        step(&mut end, ms(5), confirmed(A, Direction::Incoming)),
        [surviving(A, 2)]
    );
    assert_eq!(step(&mut end, ms(4_000), Input::Timer), []);
    let late = ms(5) + FOLLOWER_PATIENCE;
    assert_eq!(step(&mut end, late, Input::Timer), [Output::Probe(A)]);
    assert_eq!(step(&mut end, late, Input::Packet(A)), [Output::Close(B)]);
}

#[test]
fn the_larger_end_closes_nothing_for_a_connection_of_which_the_smaller_has_no_memory() {
    let mut end = larger_end();
    step(&mut end, ms(0), confirmed(B, Direction::Incoming));
    assert_eq!(
        step(&mut end, ms(5), confirmed(A, Direction::Incoming)),
        [surviving(A, 2)]
    );
    for asked in [5, 10] {
        let now = ms(5 + asked * 1_000);
        assert_eq!(end.poll_timeout(), Some(now));
        assert_eq!(step(&mut end, now, Input::Timer), [Output::Probe(A)]);
    }
    // Its reset.
    let back = step(&mut end, ms(11_000), Input::Closed(A));
    assert_eq!((back, end.poll_timeout()), (vec![surviving(B, 3)], None));
    // What was asked then says nothing of the next one.
    let next = step(&mut end, ms(60_000), confirmed(C, Direction::Incoming));
    assert_eq!(next, [surviving(C, 4)]);
    let late = ms(60_000) + FOLLOWER_PATIENCE;
    assert_eq!(end.poll_timeout(), Some(late));
    assert_eq!(step(&mut end, late, Input::Timer), [Output::Probe(C)]);
}

#[test]
fn only_the_end_that_closes_it_lets_go_of_a_connection_and_only_when_it_has_lost_for_good() {
    let (mut smaller, mut larger) = (smaller_end(), larger_end());
    step(&mut smaller, ms(0), confirmed(A, Direction::Outgoing));
    step(&mut larger, ms(0), confirmed(A, Direction::Incoming));
    step(&mut smaller, ms(5), confirmed(B, Direction::Incoming));
    step(&mut larger, ms(5), confirmed(B, Direction::Outgoing));
    // B has the new streams while A is asked for a sign of life, and when there is none.
    for now in [ms(10), ms(500)] {
        step(&mut smaller, now, Input::Timer);
        assert!(![A, B].iter().any(|id| smaller.is_ours_to_close(*id)));
    }
    step(&mut smaller, ms(501), Input::Packet(A));
    step(&mut larger, ms(501), Input::Packet(A));
    assert!(smaller.is_ours_to_close(B) && !smaller.is_ours_to_close(A));
    assert!(![A, B].iter().any(|id| larger.is_ours_to_close(*id)));
    // Between two of one direction the dialler decides.
    step(&mut larger, ms(510), confirmed(C, Direction::Incoming));
    step(&mut smaller, ms(510), confirmed(C, Direction::Outgoing));
    assert!(smaller.is_ours_to_close(A) && !larger.is_ours_to_close(A));
}

#[test]
fn the_larger_end_returns_to_what_the_smaller_left_open() {
    let mut end = larger_end();
    step(&mut end, ms(0), confirmed(B, Direction::Outgoing));
    step(&mut end, ms(5), confirmed(A, Direction::Incoming));
    assert_eq!(step(&mut end, ms(30), Input::Closed(A)), [surviving(B, 3)]);
    assert_eq!(end.poll_timeout(), None);
}

#[test]
fn the_peer_that_restarted_and_dialled_again_is_served_on_its_new_connection_at_once() {
    let mut end = larger_end();
    step(&mut end, ms(0), confirmed(A, Direction::Incoming));
    step(
        &mut end,
        ms(1),
        Input::Streams {
            connection: A,
            open: 3,
        },
    );
    assert_eq!(
        step(&mut end, ms(9_000), confirmed(C, Direction::Incoming)),
        [surviving(C, 2)]
    );
    assert_eq!(step(&mut end, ms(14_000), Input::Timer), [Output::Probe(C)]);
    let answered = step(&mut end, ms(14_050), Input::Packet(C));
    assert_eq!(answered, [Output::Close(A)]);
}

#[test]
fn a_probe_whose_rival_vanished_leaves_no_timer_behind() {
    let mut end = smaller_end();
    step(&mut end, ms(0), confirmed(A, Direction::Outgoing));
    step(&mut end, ms(5), confirmed(B, Direction::Incoming));
    assert_eq!(step(&mut end, ms(10), Input::Closed(B)), [surviving(A, 3)]);
    assert_eq!(end.poll_timeout(), None);
}

#[test]
fn a_peer_that_keeps_dialling_holds_four_connections_at_most() {
    let mut end = larger_end();
    for number in 0..4 {
        let connection = ConnectionId(number);
        let outputs = step(
            &mut end,
            ms(number),
            confirmed(connection, Direction::Incoming),
        );
        assert!(
            !outputs
                .iter()
                .any(|output| matches!(output, Output::Close(_))),
            "n fit"
        );
    }
    assert_eq!(end.len(), MAX_CONNECTIONS_PER_PEER);
    let outputs = step(
        &mut end,
        ms(4),
        confirmed(ConnectionId(4), Direction::Incoming),
    );
    assert!(
        outputs.contains(&Output::Close(ConnectionId(0))),
        "{outputs:?}"
    );
    assert_eq!(end.len(), MAX_CONNECTIONS_PER_PEER);
}

#[test]
fn the_last_connection_gone_leaves_nothing() {
    let mut end = smaller_end();
    step(&mut end, ms(0), confirmed(A, Direction::Outgoing));
    assert_eq!(step(&mut end, ms(1), Input::Closed(A)), []);
    assert!(end.is_empty());
    assert_eq!(end.current(), None);
    assert_eq!(
        step(&mut end, ms(2), Input::Packet(A)),
        [],
        "a packet that came late"
    );
    assert_eq!(
        step(&mut end, ms(3), confirmed(C, Direction::Incoming)),
        [surviving(C, 2)]
    );
}

#[test]
fn an_answer_that_comes_after_the_verdict_but_before_the_close_still_counts() {
    let mut end = smaller_end();
    step(&mut end, ms(0), confirmed(A, Direction::Outgoing));
    step(&mut end, ms(5), confirmed(B, Direction::Incoming));
    step(&mut end, ms(80), Input::Timer);
    assert_eq!(end.current(), Some((B, 2)));
    assert_eq!(step(&mut end, ms(90), Input::Packet(A)), [surviving(A, 3)]);
    assert_eq!(
        step(&mut end, ms(90) + quiet(), Input::Timer),
        [Output::Close(B)]
    );
}
