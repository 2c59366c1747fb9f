//! Messages whose seals are not verified, or never will be.

use std::time::Duration;

use bytes::Bytes;

use super::attacks::{forged, ids, now_ms, pair};
use super::rig::{NETWORK, Rig, WALL, key, topic};
use crate::crypto::{ContentDigest, LeafInput, MAX_SEAL_LEAVES};
use crate::gossip::GossipConfig;
use crate::gossip::machine::arrivals::MAX_UNPROVEN_BYTES;
use crate::gossip::machine::missing::{MAX_MISSING, MAX_MISSING_OF_LINK};
use crate::gossip::machine::parcel::PLACE_BYTES;
use crate::gossip::machine::{Fault, Link};
use crate::wire::codec::{List, Payload};
use crate::wire::message::gossip as wire;

const SECOND: Duration = Duration::from_secs(1);

/// A seal of node 1 that nobody signed, over so many messages, and all of these.
fn send_unsigned_list(rig: &mut Rig, ordinal: u64, count: usize, timestamp_ms: u64) {
    let (key, topic) = (key(1), topic());
    let first = ordinal * MAX_SEAL_LEAVES as u64;
    let leaf = |counter| LeafInput {
        network: &NETWORK,
        topic: topic.as_bytes(),
        publisher: key.hash(),
        epoch: WALL,
        counter,
        timestamp_ms,
        content: ContentDigest::of(b"soon"),
    };
    let leaves = (first..first + count as u64).map(|counter| leaf(counter).leaf().0);
    let mut false_one = forged(1, 0, b"soon", timestamp_ms);
    (false_one.seal.key, false_one.seal.first) = (ordinal, first);
    false_one.seal.leaves = List::truncated(leaves);
    rig.forge(1, 0, wire::KEY, &false_one.key);
    rig.forge(1, 0, wire::SEAL, &false_one.seal);
    for index in 0..count {
        let message = wire::Message {
            seal: ordinal,
            index: index as u16,
            timestamp_ms,
            data: Payload::try_from(Bytes::from_static(b"soon")).unwrap(),
        };
        rig.forge(1, 0, wire::MESSAGE, &message);
    }
}

/// Of a message of tomorrow nobody knows whether it will ever come: its seal is not looked at.
#[test]
fn attack_messages_of_the_future_take_no_room_and_keep_no_announcement_away() {
    let mut rig = Rig::all_connected(3, &GossipConfig::default());
    rig.run_for(SECOND);
    rig.silent.extend([1, 2]);
    let tomorrow = now_ms(&rig) + 3_600_000;
    let seals = (MAX_MISSING / MAX_SEAL_LEAVES) as u64 + 1;
    for ordinal in 0..seals {
        send_unsigned_list(&mut rig, ordinal, MAX_SEAL_LEAVES, tomorrow);
    }
    assert_eq!(rig.nodes[0].store.entries(), 0);
    assert_eq!(rig.faults, []);
    let since = rig.now;
    let ids = ids(0, 1);
    rig.forge(2, 0, wire::IHAVE, &wire::IHave { topic: 0, ids });
    rig.run_for(SECOND / 10);
    assert_eq!(rig.count(wire::IWANT, since), 1);
}

/// What was announced before is asked for as if the early copy had not come.
#[test]
fn a_message_that_came_too_early_is_taken_when_its_time_has_come() {
    let mut rig = pair();
    let early = forged(1, 0, b"early", now_ms(&rig) + 31_000);
    early.send(&mut rig);
    assert!(rig.receivers(b"early").is_empty());
    rig.run_for(SECOND * 2);
    rig.forge(1, 0, wire::MESSAGE, &early.message);
    rig.run_for(SECOND / 10);
    assert_eq!(rig.receivers(b"early"), [0]);
}

/// They are forgotten when their turn does not come: what is then missing counts against who brought it.
#[test]
fn attack_messages_whose_seals_are_given_up_take_no_more_room_than_announcements() {
    let mut rig = pair();
    rig.hold_verdicts = true;
    let now = now_ms(&rig);
    for ordinal in 0..15 {
        send_unsigned_list(&mut rig, ordinal, MAX_SEAL_LEAVES, now);
    }
    assert_eq!(rig.nodes[0].store.missing(), 0);
    rig.run_for(SECOND * 2);
    let waiting = rig.nodes[0].admission.waiting();
    assert_eq!(waiting, 0, "all but those that are being verified");
    assert_eq!(rig.nodes[0].store.missing(), MAX_MISSING_OF_LINK);
}

/// Four seals are kept beside one message; the fifth is not looked at, and the true one is among them.
#[test]
fn attack_9_forged_seals_over_a_true_message_are_bounded() {
    let mut rig = pair();
    rig.hold_verdicts = true;
    let said_at = now_ms(&rig);
    for ordinal in 0..6_u64 {
        let mut one = forged(1, 0, b"true", said_at);
        (one.seal.key, one.message.seal) = (ordinal, ordinal);
        if ordinal != 3 {
            one.seal.signature[200] ^= u8::try_from(ordinal).unwrap() + 1;
        }
        one.send(&mut rig);
    }
    let cost = PLACE_BYTES + b"true".len();
    assert_eq!(rig.nodes[0].unproven(Link(1)), 4 * cost);
    assert!(rig.receivers(b"true").is_empty());
    rig.release_verdicts();
    rig.run_for(SECOND);
    assert_eq!(rig.receivers(b"true"), [0]);
    let invalid = (0, Link(1), Fault::InvalidSignature);
    assert!(rig.faults.contains(&invalid));
    assert_eq!(rig.nodes[0].unproven(Link(1)), 0);
}

/// Verdicts do not come: then a neighbour has four mebibytes waiting for them and no more, also of messages
/// that say nothing.
#[test]
fn attack_9_messages_under_seals_that_are_not_verified_are_bounded() {
    let mut rig = pair();
    rig.hold_verdicts = true;
    let text: &'static [u8] = Box::leak(vec![7; wire::MAX_DATA].into_boxed_slice());
    let cost = PLACE_BYTES + text.len();
    let fit = MAX_UNPROVEN_BYTES / cost;
    for counter in 0..fit as u64 + 1 {
        let mut one = forged(1, counter, text, now_ms(&rig));
        (one.seal.key, one.message.seal) = (counter, counter);
        rig.forge(1, 0, wire::KEY, &one.key);
        rig.forge(1, 0, wire::SEAL, &one.seal);
        rig.forge(1, 0, wire::MESSAGE, &one.message);
        let expected = fit.min(counter as usize + 1) * cost;
        assert_eq!(rig.nodes[0].unproven(Link(1)), expected, "after {counter}");
    }
    assert_eq!(rig.faults, []);
    assert_eq!(rig.nodes[0].store.missing(), 0);
}
