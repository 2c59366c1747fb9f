//! What others say costs nobody else anything: neither reputation nor a place.

use super::*;
use crate::discovery::testing::{contact_at, contact_of, endpoint};

fn group(number: u8) -> IpGroup {
    IpGroup::V4([20, 0, number])
}

fn other_identity(group: IpGroup) -> CallFailure {
    CallFailure::OtherIdentity { group }
}

/// Peer 1 names a node, at whose address somebody else answers, in a network.
fn lie(rig: &mut Rig, number: u64, network: u8) -> Vec<Fault> {
    let (operation, outputs) = rig.start(Command::Closest(beside(number)));
    let teller = called(&outputs, peer(1)).unwrap();
    let outputs = rig.names(teller, &[contact_of(peer(number), network.into())]);
    let call = called(&outputs, peer(number)).unwrap();
    let why = other_identity(group(network));
    let outputs = rig.feed(Input::Failed { call, why });
    rig.feed(Input::Cancel(operation));
    faults(&outputs, 1)
}

#[test]
fn a_teller_is_blamed_after_three_wrong_identities_in_three_networks() {
    let mut rig = Rig::new();
    rig.meet_many(1);
    assert_eq!(lie(&mut rig, 50, 1), []);
    assert_eq!(lie(&mut rig, 51, 2), []);
    assert_eq!(lie(&mut rig, 52, 3), [Fault::WrongAddresses]);
    assert_eq!(
        lie(&mut rig, 53, 4),
        [],
        "it is counted from the start again"
    );
}

#[test]
fn one_network_cannot_have_an_honest_teller_blamed() {
    let mut rig = Rig::new();
    rig.meet_many(1);
    // Whoever holds it changes identities there as often as it likes.
    for number in 50..80 {
        assert_eq!(lie(&mut rig, number, 7), []);
    }
    for number in 50..80 {
        assert_eq!(lie(&mut rig, number, 8), [], "nor can two");
    }
}

#[test]
fn a_teller_is_not_blamed_for_an_address_that_this_node_had_from_elsewhere() {
    let mut rig = Rig::new();
    rig.meet_many(4);
    for number in 2..=4 {
        // The node is asked where this node knows it to be; somebody else is there now.
        let (operation, outputs) = rig.start(Command::Closest(beside(number)));
        let moved = contact_of(peer(number), 90 + number);
        let teller = called(&outputs, peer(1)).unwrap();
        let asked = called(&outputs, peer(number)).unwrap();
        rig.names(teller, &[moved]);
        let why = other_identity(group(u8::try_from(number).unwrap()));
        let outputs = rig.feed(Input::Failed { call: asked, why });
        assert_eq!(faults(&outputs, 1), [], "it told another address");
        rig.feed(Input::Cancel(operation));
    }
}

/// Somebody names a good node at an address where nobody, a node of another network, or somebody else
/// answers: the node keeps its place.
#[test]
fn attack_a_lie_about_where_a_node_is_does_not_evict_it() {
    let failures = [
        CallFailure::Unreachable,
        CallFailure::OtherNetwork,
        other_identity(group(9)),
    ];
    for why in failures {
        let mut rig = Rig::new();
        rig.meet_many(3);
        rig.feed(Input::Disconnected(peer(2)));
        for _ in 0..3 {
            let lie = contact_at(peer(2), &[&endpoint(200, 66)]);
            let (operation, outputs) = rig.start(Command::Bootstrap { seeds: vec![lie] });
            let call = called(&outputs, peer(2)).unwrap();
            rig.feed(Input::Failed { call, why });
            rig.feed(Input::Cancel(operation));
        }
        assert_eq!(rig.failures(&peer(2)), Some(0), "{why:?}");
        // Silence says as little.
        let lie = contact_at(peer(2), &[&endpoint(200, 66)]);
        let (operation, _) = rig.start(Command::Bootstrap { seeds: vec![lie] });
        // Until it is given up; then the node itself is asked, where it is.
        rig.run_to(rig.now + Duration::from_millis(600));
        rig.feed(Input::Cancel(operation));
        assert_eq!(rig.failures(&peer(2)), Some(0), "{why:?}");
    }
}

#[test]
fn what_the_peer_itself_does_at_its_own_address_counts() {
    let failures = [
        (CallFailure::Unreachable, Some(1)),
        (CallFailure::Busy, Some(0)),
        (CallFailure::Unsupported, Some(0)),
        (CallFailure::NotDialled, Some(0)),
        (CallFailure::NoAddress, Some(1)),
        (CallFailure::Malformed, Some(0)),
        (CallFailure::Refused, None),
        (CallFailure::OtherNetwork, None),
        (other_identity(group(9)), None),
    ];
    for (why, expected) in failures {
        let mut rig = Rig::new();
        rig.meet_many(3);
        let (_, outputs) = rig.start(Command::Closest(key(9)));
        let call = called(&outputs, peer(2)).unwrap();
        let outputs = rig.feed(Input::Failed { call, why });
        assert_eq!(rig.failures(&peer(2)), expected, "{why:?}");
        let is_fault = |one: &Output| matches!(one, Output::Fault { .. });
        assert!(!outputs.iter().any(is_fault), "{why:?} is nobody's fault");
        let removed = Output::Event(Event::Removed(peer(2)));
        let is_told = outputs
            .iter()
            .any(|one| format!("{one:?}") == format!("{removed:?}"));
        assert_eq!(is_told, expected.is_none());
    }
}

/// A teller adds the address of a victim to those of a node that is there.
#[test]
fn attack_a_lie_about_further_addresses_does_not_travel() {
    let mut rig = Rig::new();
    rig.meet_many(1);
    let (_, outputs) = rig.start(Command::Closest(beside(2)));
    let teller = called(&outputs, peer(1)).unwrap();
    let (own, victim) = (endpoint(2, 7), endpoint(66, 66));
    let padded = contact_at(peer(2), &[&own, &victim]);
    let outputs = rig.names(teller, &[padded]);
    let call = called(&outputs, peer(2)).unwrap();
    // The dial reached it at its own address; it says who it is, and answers.
    rig.feed(Input::Connected {
        peer: peer(2),
        rtt: RTT,
    });
    let contact = contact_at(peer(2), &[&own]);
    rig.feed(Input::Met {
        contact: contact.clone(),
        is_server: true,
    });
    rig.names(call, &[]);
    let told = rig.told(&beside(2));
    assert!(told.contains(&contact), "{told:?}");
}
