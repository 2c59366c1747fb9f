use std::net::SocketAddr;

use super::*;

fn peer(number: u16) -> PeerId {
    let mut bytes = [0; 32];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    PeerId::from_bytes(bytes)
}

fn address(port: u16) -> Address {
    SocketAddr::from(([192, 0, 2, 1], port)).into()
}

fn lead(dials: &Dials, peer: PeerId, addresses: &[Address]) -> oneshot::Receiver<Outcome> {
    lead_with_more(dials, peer, addresses).0
}

fn lead_with_more(
    dials: &Dials,
    peer: PeerId,
    addresses: &[Address],
) -> (oneshot::Receiver<Outcome>, mpsc::Receiver<Address>) {
    match dials.enter(peer, addresses) {
        Part::Lead { outcome, more } => (outcome, more),
        other => panic!("{other:?}"),
    }
}

fn join(dials: &Dials, peer: PeerId, addresses: &[Address]) -> (oneshot::Receiver<Outcome>, bool) {
    match dials.enter(peer, addresses) {
        Part::Join { outcome, covers } => (outcome, covers),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_first_leads_and_the_others_join() {
    let dials = Dials::default();
    let mut first = lead(&dials, peer(1), &[address(1), address(2)]);
    let (mut same, covers) = join(&dials, peer(1), &[address(2)]);
    assert!(covers);
    let (mut other, covers) = join(&dials, peer(1), &[address(2), address(3)]);
    assert!(!covers);
    lead(&dials, peer(2), &[address(2)]);

    dials.finish(&peer(1), Ok(peer(1)));
    for outcome in [&mut first, &mut same, &mut other] {
        assert_eq!(outcome.try_recv(), Ok(Ok(peer(1))));
    }
    lead(&dials, peer(1), &[address(1)]);
}

#[test]
fn who_gives_up_waiting_takes_no_room_and_stops_nobody() {
    let dials = Dials::default();
    let first = lead(&dials, peer(1), &[address(1)]);
    drop(first);
    for _ in 0..1000 {
        drop(join(&dials, peer(1), &[address(1)]));
    }
    let (mut last, _) = join(&dials, peer(1), &[address(1)]);
    assert_eq!(dials.lock()[&peer(1)].waiting.len(), 1);
    dials.finish(&peer(1), Err(DialFailure::TimedOut));
    assert_eq!(last.try_recv(), Ok(Err(DialFailure::TimedOut)));
}

#[test]
fn one_dial_more_than_the_limit_is_refused_and_joining_is_not() {
    let dials = Dials::default();
    let limit = u16::try_from(MAX_DIALS).unwrap();
    let _waiting: Vec<_> = (0..limit)
        .map(|number| lead(&dials, peer(number), &[address(1)]))
        .collect();
    assert!(matches!(
        dials.enter(peer(limit), &[address(1)]),
        Part::TooMany
    ));
    join(&dials, peer(0), &[address(1)]);
    dials.finish(&peer(limit - 1), Err(DialFailure::TimedOut));
    lead(&dials, peer(limit), &[address(1)]);
}

#[test]
fn a_dial_takes_the_addresses_of_those_who_join_it_while_it_listens_and_has_room() {
    let dials = Dials::default();
    let (_first, mut more) = lead_with_more(&dials, peer(1), &[address(1)]);
    let most = u16::try_from(MAX_ADDRESSES).unwrap();
    for port in 2..=most {
        assert!(join(&dials, peer(1), &[address(1), address(port)]).1);
        assert!(
            join(&dials, peer(1), &[address(port)]).1,
            "it is tried already"
        );
        assert_eq!(more.try_recv(), Ok(address(port)));
        assert!(more.try_recv().is_err(), "once");
    }
    assert!(!join(&dials, peer(1), &[address(most + 1)]).1, "too many");
    let (_second, more) = lead_with_more(&dials, peer(2), &[address(1)]);
    drop(more);
    assert!(!join(&dials, peer(2), &[address(2)]).1, "it is over");
}
