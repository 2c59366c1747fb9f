//! What a neighbour brought that has left since.

use std::time::Duration;

use super::attacks::{forged, now_ms, pair};
use super::rig::Rig;
use crate::gossip::machine::arrivals::MAX_UNPROVEN_BYTES;
use crate::gossip::machine::parcel::PLACE_BYTES;
use crate::gossip::machine::{Fault, Link};
use crate::wire::message::gossip as wire;

const SECOND: Duration = Duration::from_secs(1);

/// More seals than are verified of one neighbour at once.
const SEALS: u64 = 20;

/// Messages of node 1 under a seal each, from one counter up to another.
fn bring(rig: &mut Rig, first: u64, end: u64, text: &'static [u8], is_forged: bool) {
    for counter in first..end {
        let mut one = forged(1, counter, text, now_ms(rig));
        (one.seal.key, one.message.seal) = (counter - first, counter - first);
        one.seal.signature[200] ^= u8::from(is_forged);
        rig.forge(1, 0, wire::KEY, &one.key);
        rig.forge(1, 0, wire::SEAL, &one.seal);
        rig.forge(1, 0, wire::MESSAGE, &one.message);
    }
}

#[test]
fn what_a_neighbour_brought_before_it_left_is_verified_in_its_turn() {
    let mut rig = pair();
    rig.hold_verdicts = true;
    bring(&mut rig, 0, SEALS, b"and so I go", false);
    rig.disconnect(0, 1);
    rig.release_verdicts();
    rig.run_for(SECOND / 10);
    let heard = rig.receivers(b"and so I go");
    assert_eq!(heard.len() as u64, SEALS);
    assert_eq!(rig.nodes[0].unproven(Link(1)), 0);
}

/// A new connection begins while what came on the one before is verified.
#[test]
fn what_a_neighbour_brought_before_it_came_back_is_verified_in_its_turn() {
    let mut rig = pair();
    rig.hold_verdicts = true;
    bring(&mut rig, 0, SEALS, b"and here I am", false);
    rig.connect(1, 0);
    rig.release_verdicts();
    rig.run_for(SECOND / 10);
    let heard = rig.receivers(b"and here I am");
    assert_eq!(heard.len() as u64, SEALS);
    assert_eq!(rig.nodes[0].unproven(Link(1)), 0);
}

/// One of them that was verified is enough.
#[test]
fn attack_forged_seals_of_who_has_left_are_given_up_and_told_of() {
    let mut rig = pair();
    rig.hold_verdicts = true;
    bring(&mut rig, 0, SEALS, b"catch me", true);
    let waiting = rig.nodes[0].admission.waiting();
    rig.disconnect(0, 1);
    assert_eq!(rig.nodes[0].admission.waiting(), waiting);
    rig.release_verdicts();
    assert_eq!(rig.nodes[0].admission.waiting(), 0);
    let invalid = (0, Link(1), Fault::InvalidSignature);
    assert!(rig.faults.contains(&invalid));
    let verified = SEALS as usize - waiting;
    assert_eq!(rig.faults.len(), verified, "those that were under way");
    assert_eq!(rig.nodes[0].unproven(Link(1)), 0);
}

#[test]
fn attack_who_comes_and_goes_has_no_more_waiting_than_who_stays() {
    let mut rig = pair();
    rig.hold_verdicts = true;
    let text: &'static [u8] = Box::leak(vec![7; wire::MAX_DATA].into_boxed_slice());
    let cost = PLACE_BYTES + text.len();
    let fit = MAX_UNPROVEN_BYTES / cost;
    for round in 0..3 {
        let first = round * fit as u64;
        bring(&mut rig, first, first + fit as u64, text, false);
        assert_eq!(rig.nodes[0].unproven(Link(1)), fit * cost);
        assert_eq!(rig.nodes[0].store.entries(), fit, "after {round}");
        rig.disconnect(0, 1);
        rig.connect(1, 0);
        rig.run_for(SECOND / 10);
    }
}
