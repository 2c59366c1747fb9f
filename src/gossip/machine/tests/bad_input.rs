//! Seals and keys that do not fit. Others of the kind are in `attacks`, and one by one in the rooms of
//! seals and of the wire.

use super::attacks::{forged, now_ms, pair};
use super::rig::{Rig, sign, topic};
use crate::crypto::{MAX_SEAL_LEAVES, SealBody, Suite};
use crate::gossip::TopicHash;
use crate::gossip::machine::{Fault, Input, Link};
use crate::wire::Violation;
use crate::wire::codec::{List, encode};
use crate::wire::message::gossip as wire;

fn assert_refused(rig: &Rig, text: &[u8], fault: &Fault) {
    assert!(rig.receivers(text).is_empty());
    assert!(
        rig.faults.contains(&(0, Link(1), *fault)),
        "{:?}",
        rig.faults
    );
}

#[test]
fn a_seal_without_leaves_is_a_fault() {
    let mut rig = pair();
    let mut said = forged(1, 0, b"none", now_ms(&rig));
    said.seal.leaves = List::new();
    said.send(&mut rig);
    assert_refused(&rig, b"none", &Fault::InvalidSeal);
}

#[test]
fn a_seal_whose_counters_end_before_its_leaves_is_a_fault() {
    let mut rig = pair();
    let mut said = forged(1, 0, b"last", now_ms(&rig));
    said.seal.first = u64::MAX;
    said.send(&mut rig);
    assert_refused(&rig, b"last", &Fault::InvalidSeal);
}

/// The leaf binds the topic: under a true signature for another one it is in no list.
#[test]
fn a_seal_of_another_topic_carries_no_message_of_this_one() {
    let other = TopicHash::of("another topic");
    let mut rig = pair();
    let options = crate::gossip::TopicOptions::default();
    rig.tell(
        0,
        Input::Subscribe {
            topic: other,
            options,
        },
    );
    let mut said = forged(1, 0, b"moved", now_ms(&rig));
    let key = super::rig::key(1);
    let (epoch, leaves) = (said.seal.epoch, vec![said.seal.leaves[0]]);
    let body = SealBody::new(
        Suite::MlDsa87,
        key.hash(),
        *other.as_bytes(),
        epoch,
        0,
        leaves,
    );
    said.seal.topic = *other.as_bytes();
    said.seal.signature = *sign(&body.unwrap()).as_bytes();
    said.send(&mut rig);
    assert_refused(&rig, b"moved", &Fault::NotInSeal);
    // With the topic changed alone nobody signed it.
    let mut rig = pair();
    rig.tell(
        0,
        Input::Subscribe {
            topic: other,
            options,
        },
    );
    let mut said = forged(1, 0, b"moved", now_ms(&rig));
    said.seal.topic = *other.as_bytes();
    said.send(&mut rig);
    assert_refused(&rig, b"moved", &Fault::NotInSeal);
}

#[test]
fn a_seal_with_other_counters_than_its_leaves_carries_no_message() {
    let mut rig = pair();
    let mut said = forged(1, 0, b"counted", now_ms(&rig));
    said.seal.first = 1;
    said.send(&mut rig);
    assert_refused(&rig, b"counted", &Fault::NotInSeal);
    let mut rig = pair();
    let mut said = forged(1, 0, b"counted", now_ms(&rig));
    said.seal.epoch += 1;
    said.send(&mut rig);
    assert_refused(&rig, b"counted", &Fault::NotInSeal);
}

#[test]
fn a_leaf_list_longer_than_allowed_is_malformed() {
    let mut rig = pair();
    let mut said = forged(1, 0, b"long", now_ms(&rig));
    let leaf = |number: usize| *blake3::hash(&number.to_le_bytes()).as_bytes();
    said.seal.leaves = List::truncated((0..MAX_SEAL_LEAVES).map(leaf));
    rig.forge(1, 0, wire::KEY, &said.key);
    rig.forge(1, 0, wire::SEAL, &said.seal);
    assert_eq!(rig.faults, [], "as long as allowed");
    let body = encode(&said.seal);
    let head = 1 + 32 + 9 + 1;
    let length = [&[0xfb][..], &1_025_u16.to_le_bytes()].concat();
    let rest = &body[head + 3..];
    let body = [&body[..head], &length, &leaf(MAX_SEAL_LEAVES), rest].concat();
    let (link, kind) = (Link(1), wire::SEAL);
    let body = body.into();
    rig.tell(0, Input::Frame { link, kind, body });
    let (length, limit) = (1_025, 1_024);
    let over = Violation::OverLimit { length, limit };
    assert_eq!(rig.faults, [(0, link, Fault::Malformed(over))]);
    assert_eq!(topic().as_bytes(), &said.seal.topic);
}

#[test]
fn a_recycled_ordinal_names_nothing() {
    let mut rig = pair();
    let said = forged(1, 0, b"early", now_ms(&rig));
    rig.forge(1, 0, wire::KEY, &said.key);
    for counter in 0..=wire::SEAL_WINDOW {
        let later = forged(1, 1 + counter, b"later", now_ms(&rig));
        rig.forge(1, 0, wire::SEAL, &later.seal);
    }
    assert_eq!(rig.faults, []);
    rig.forge(1, 0, wire::MESSAGE, &said.message);
    assert_eq!(rig.faults, [(0, Link(1), Fault::UnknownOrdinal)]);
}

/// It counts on the topic that the body begins with, if it names one.
#[test]
fn a_message_that_does_not_decode_lowers_the_score_of_who_sent_it() {
    let counts = |kind, ordinal: u8| {
        let mut rig = pair();
        let said = forged(1, 0, b"whole", now_ms(&rig));
        rig.forge(1, 0, wire::KEY, &said.key);
        rig.forge(1, 0, wire::SEAL, &said.seal);
        let (link, body) = (Link(1), vec![ordinal, 250].into());
        rig.tell(0, Input::Frame { link, kind, body });
        let is_malformed = |fault: &Fault| matches!(fault, Fault::Malformed(_));
        assert!(rig.faults.iter().all(|(.., fault)| is_malformed(fault)));
        assert_eq!(rig.faults.len(), 1);
        let score = rig.nodes[0].score(link).unwrap();
        let topic_terms = score.topics.get(&topic());
        topic_terms.is_some_and(|terms| terms.invalid < 0.0)
    };
    for kind in [wire::MESSAGE, wire::LARGE, wire::UNSIGNED] {
        assert!(counts(kind, 0), "{kind}");
        assert!(!counts(kind, 7), "{kind}");
    }
}
