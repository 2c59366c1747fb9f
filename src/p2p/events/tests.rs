use std::num::NonZeroUsize;
use std::time::Duration;

use super::*;
use crate::identity::PeerId;
use crate::p2p::{DialFailure, Direction, Fault, PathKind, RefuseReason};
use crate::policy::Micros;
use crate::transport::CloseReason;
use crate::wire::{Address, ErrorCode, Violation};

const PEER: PeerId = PeerId::from_bytes([0; 32]);

fn hub(capacity: usize) -> EventHub {
    EventHub::new(NonZeroUsize::new(capacity).unwrap())
}

fn event(number: u64) -> SwarmEvent {
    SwarmEvent::PeerConnected {
        peer: PEER,
        direction: Direction::Incoming,
        path: PathKind::Direct,
        generation: number,
    }
}

fn address() -> Address {
    "/ip4/11.22.33.44/udp/9000/quic-v1".parse().unwrap()
}

fn assert_line(what: SwarmEvent, text: &str) {
    let line = Event {
        at: Micros(7),
        what,
    }
    .to_string();
    assert_eq!(
        line,
        format!("7 {}", text.replace("PEER", &PEER.to_string()))
    );
}

#[test]
fn each_reader_gets_every_event_in_order() {
    let hub = hub(8);
    let mut readers = [hub.subscribe(), hub.subscribe()];
    for number in 0..8 {
        hub.emit(Micros(number), event(number));
    }
    for reader in &mut readers {
        for number in 0..8 {
            let expected = Event {
                at: Micros(number),
                what: event(number),
            };
            assert_eq!(reader.try_next(), Some(Ok(expected)));
        }
        assert_eq!(reader.try_next(), None);
    }
}

#[test]
fn a_reader_that_lags_learns_how_many_events_it_lost() {
    let hub = hub(8);
    let mut reader = hub.subscribe();
    for number in 0..11 {
        hub.emit(Micros(number), event(number));
    }
    assert_eq!(reader.try_next(), Some(Err(Lagged { lost: 3 })));
    assert_eq!(reader.try_next().unwrap().unwrap().at, Micros(3));
}

#[test]
fn a_reader_that_never_reads_does_not_hold_up_the_node_or_other_readers() {
    let hub = hub(4);
    let _asleep = hub.subscribe();
    let mut awake = hub.subscribe();
    for number in 0..100_000 {
        hub.emit(Micros(number), event(number));
        assert_eq!(awake.try_next().unwrap().unwrap().at, Micros(number));
    }
}

#[test]
fn a_flood_from_outside_does_not_flush_what_the_application_waits_for() {
    let hub = hub(64);
    let mut reader = hub.subscribe();
    hub.emit(Micros(0), event(1));
    let flood = IncomingRefusal::Limit(RefuseReason::Unconfirmed);
    for _ in 0..100_000 {
        hub.emit(Micros(0), SwarmEvent::IncomingRefused { reason: flood });
    }
    let other = IncomingRefusal::Peer(DialFailure::Banned);
    hub.emit(Micros(0), SwarmEvent::IncomingRefused { reason: other });
    assert_eq!(reader.try_next().unwrap().unwrap().what, event(1));
    let mut refusals = || {
        let read = std::iter::from_fn(|| reader.try_next());
        read.map(|read| match read.unwrap().what {
            SwarmEvent::IncomingRefused { reason } => reason,
            other => panic!("{other}"),
        })
        .collect::<Vec<_>>()
    };
    let told = refusals();
    assert_eq!(told[..16], [flood; 16]);
    assert_eq!(told[16..], [other], "the rate of one kind is not another's");
    for at in [249_999, 250_000, 250_001] {
        hub.emit(Micros(at), SwarmEvent::IncomingRefused { reason: flood });
    }
    assert_eq!(refusals(), [flood], "one more in a quarter of a second");
}

#[test]
fn events_without_readers_are_nobodys() {
    let hub = hub(4);
    hub.emit(Micros(1), event(1));
    assert_eq!(hub.subscribe().try_next(), None);
}

#[tokio::test]
async fn the_stream_ends_with_its_node() {
    let hub = hub(4);
    let mut reader = hub.subscribe();
    hub.emit(Micros(1), event(1));
    drop(hub);
    assert!(reader.next().await.is_some_and(|read| read.is_ok()));
    assert_eq!(reader.next().await, None);
}

#[test]
fn the_text_of_an_event_is_one_stable_line() {
    let connected = "peer-connected peer=PEER direction=incoming path=direct generation=2";
    assert_line(event(2), connected);
    let reason = CloseReason::Peer(ErrorCode::Redundant);
    let line = "peer-disconnected peer=PEER reason=closed by the peer: REDUNDANT (0x101)";
    assert_line(SwarmEvent::PeerDisconnected { peer: PEER, reason }, line);
    let reason = IncomingRefusal::Limit(RefuseReason::PerIp);
    assert_line(
        SwarmEvent::IncomingRefused { reason },
        "incoming-refused reason=limit: too many connections from one address",
    );
    let reason = DialFailure::Banned;
    assert_line(
        SwarmEvent::DialFailed { peer: None, reason },
        "dial-failed reason=the peer is banned",
    );
    let fault = Fault::Wire(Violation::ZeroLengthFrame);
    let line = "fault-recorded peer=PEER protocol=0x40 score=-10 fault=wire: frame of length zero";
    assert_line(
        SwarmEvent::FaultRecorded {
            peer: PEER,
            protocol: 0x40,
            fault,
            score: -10,
        },
        line,
    );
    let span = Duration::from_secs(600);
    assert_line(
        SwarmEvent::PeerBanned { peer: PEER, span },
        "peer-banned peer=PEER ms=600000",
    );
}

#[test]
fn no_form_of_an_event_shows_an_address() {
    let events = [SwarmEvent::ObservedAddress {
        peer: PEER,
        address: address(),
    }];
    for event in events {
        let text = format!("{event} {event:?} {event:#?}");
        assert!(
            !text.contains("11.22") && text.contains("[redacted]"),
            "{text}"
        );
    }
}
