//! Figures, against what is counted by hand.

use super::*;
use crate::crypto::{SIGNATURE_BYTES, VERIFYING_KEY_BYTES};
use crate::gossip::{Message, NotPublished, PublicationId, Source};
use crate::sim::gossip::frames::Parts;

/// Bytes of the frames that the flood sends: the key once a stream, a seal of one leaf and a message.
const KEY: u64 = 2 + 1 + 1 + VERIFYING_KEY_BYTES as u64;
/// Key ordinal, topic, epoch of nine bytes, counter, list of one leaf.
const SEAL: u64 = 2 + 1 + 1 + 32 + 9 + 1 + 1 + 32 + SIGNATURE_BYTES as u64;
/// Seal ordinal and index.
const REFERENCE: u64 = 1 + 1;
/// Head, timestamp of nine bytes, length of three bytes.
const ENVELOPE: u64 = 2 + 1 + 9 + 3;

/// Three in a row: what the middle one says reaches both, what an end says takes two steps.
fn row(model: NetworkModel) -> World {
    let mut world = World::new(1, model);
    for _ in 0..3 {
        world.add(Role::Honest, &Settings::default(), &Flood::build);
    }
    world.connect(NodeId(0), NodeId(1));
    world.connect(NodeId(1), NodeId(2));
    world.run_until(Micros(10_000_000));
    world.take_traffic();
    world
}

#[test]
fn copies_proofs_and_references_are_counted_where_they_arrive() {
    let mut world = row(exact());
    world.publish(NodeId(0), 1_000);
    world.run_for(SECOND);
    let traffic = world.take_traffic();
    assert_eq!((traffic.copies(), traffic.deliveries), (2, 2));
    assert_eq!(traffic.payload_bytes, 2_000);
    assert_eq!(traffic.reference_bytes, 2 * REFERENCE);
    assert_eq!(traffic.envelope_bytes(), 2 * ENVELOPE);
    assert_eq!(traffic.bytes(wire::KEY), 2 * KEY);
    assert_eq!(traffic.bytes(wire::SEAL), 2 * SEAL);
    assert_eq!(traffic.proof_bytes(), 2 * (KEY + SEAL));
    assert_eq!(traffic.control_bytes(), 0);
    assert_eq!((traffic.seals_made, traffic.seals_verified), (1, 2));
    let sent = 2 * (KEY + SEAL + REFERENCE + ENVELOPE + 1_000);
    assert_eq!((traffic.sent_bytes, traffic.sent_batches), (sent, 2));
    // 8.3 KB in packets of 1.2 KB.
    assert_eq!(traffic.sent_packets, 14);
    assert_eq!(traffic.header_bytes(), 14 * 63);
    // The second message needs no key.
    world.publish(NodeId(0), 1_000);
    world.run_for(SECOND);
    assert_eq!(world.take_traffic().proof_bytes(), 2 * SEAL);
}

#[test]
fn control_frames_are_counted_with_their_heads() {
    let (mut world, _) = star(2, exact(), 2);
    world.take_traffic();
    send(&mut world, 0, 0, batch(&[graft(), graft()]));
    world.run_for(SECOND);
    let traffic = world.take_traffic();
    assert_eq!(
        (traffic.frames(wire::GRAFT), traffic.bytes(wire::GRAFT)),
        (2, 8)
    );
    assert_eq!(traffic.control_bytes(), 8);
    assert_eq!((traffic.copies(), traffic.proof_bytes()), (0, 0));
}

#[test]
fn a_second_copy_is_a_copy_and_no_delivery() {
    let mut world = ring(3, exact(), 3, 1);
    world.run_until(Micros(10_000_000));
    world.publish(NodeId(0), 500);
    world.run_for(SECOND);
    let traffic = world.take_traffic();
    // Both neighbours get it at once, and each sends it to the other.
    assert_eq!((traffic.copies(), traffic.deliveries), (4, 2));
    assert_eq!(traffic.repeated + traffic.foreign, 0);
}

#[test]
fn latency_runs_from_publication_to_delivery_with_signatures_in_it() {
    let mut world = row(exact());
    world.publish(NodeId(0), 1_000);
    world.run_for(SECOND);
    let reach = world.reach(0);
    let first = Duration::from_micros(250 + 25_000 + 80);
    let second = first + Duration::from_micros(25_000 + 80);
    assert_eq!(reach.latency.len(), 2);
    assert_eq!(reach.latency.max(), Some(second));
    let median = reach.latency.quantile(0.5).unwrap();
    assert!(
        (first..first * 1_003 / 1_000).contains(&median),
        "{median:?}"
    );
    assert_eq!((reach.published, reach.refused), (1, 0));
    assert_eq!((reach.expected, reach.missing), (2, 0));
}

#[test]
fn attackers_and_the_dead_are_not_counted() {
    let mut world = World::new(4, exact());
    for role in [Role::Honest, Role::Attacker, Role::Honest, Role::Honest] {
        world.add(role, &Settings::default(), &Flood::build);
    }
    for node in 1..4 {
        world.connect(NodeId(0), NodeId(node));
    }
    world.run_until(Micros(10_000_000));
    world.take_traffic();
    world.crash(NodeId(3));
    world.publish(NodeId(0), 1_000);
    world.run_for(SECOND);
    let traffic = world.take_traffic();
    assert_eq!((traffic.copies(), traffic.deliveries), (1, 1));
    assert_eq!((traffic.seals_verified, traffic.sent_batches), (1, 3));
    let reach = world.reach(0);
    assert_eq!((reach.expected, reach.missing), (1, 0));
}

pub(super) fn message(world: &World, publisher: u32, data: Bytes) -> Output {
    Output::Deliver(Message {
        id: [0; 32],
        topic: world.topic(),
        source: Some(Source {
            publisher: world.identity(NodeId(publisher)).peer,
            epoch: 0,
            counter: 0,
            timestamp_ms: 0,
        }),
        data,
    })
}

#[test]
fn what_nobody_said_or_was_said_before_is_no_delivery() {
    let (mut world, logs) = star(5, exact(), 3);
    world.publish(NodeId(0), 100);
    let data = logs[0].select(|_, input| match input {
        Input::Publish { data, .. } => Some(data.clone()),
        _ => None,
    });
    let data = data[0].clone();
    assert_eq!(data.len(), 100);
    let mut other = data.to_vec();
    other[7] ^= 1;
    for (node, said) in [
        // Its own, once right and once again, then bytes and publishers that are wrong.
        (0, message(&world, 0, data.clone())),
        (1, message(&world, 0, data.clone())),
        (1, message(&world, 0, data.clone())),
        (2, message(&world, 1, data.clone())),
        (2, message(&world, 0, data.slice(..99))),
        (2, message(&world, 0, other.into())),
        (2, message(&world, 0, Bytes::new())),
    ] {
        world.emit(NodeId(node), said);
    }
    let traffic = world.take_traffic();
    let counts = (traffic.deliveries, traffic.repeated, traffic.foreign);
    assert_eq!(counts, (1, 1, 4));
    world.run_for(10 * SECOND);
    let reach = world.reach(0);
    assert_eq!((reach.expected, reach.missing), (2, 1));
    let missing = (NodeId(0), Micros(1_000_000), NodeId(2));
    assert_eq!(world.missing(9), [missing]);
}

#[test]
fn a_message_that_is_refused_is_expected_nowhere() {
    let (mut world, _) = star(6, exact(), 3);
    world.publish(NodeId(0), 100);
    world.emit(
        NodeId(0),
        Output::Published {
            publication: PublicationId(0),
            outcome: Err(NotPublished::Busy),
        },
    );
    let reach = world.reach(0);
    assert_eq!((reach.published, reach.refused), (1, 1));
    assert_eq!((reach.expected, reach.missing), (0, 0));
}

#[test]
fn stages_are_reported_apart() {
    let mut world = row(exact());
    world.publish(NodeId(0), 100);
    world.begin_stage(1);
    world.publish(NodeId(1), 100);
    world.publish(NodeId(1), 100);
    world.run_for(SECOND);
    let (first, second) = (world.reach(0), world.reach(1));
    assert_eq!((first.published, second.published), (1, 2));
    assert_eq!((first.latency.len(), second.latency.len()), (2, 4));
    // The middle one is one step from both.
    assert!(second.latency.max() < first.latency.max());
    let mut both = first.clone();
    both.merge(&second);
    assert_eq!((both.published, both.expected), (3, 6));
    assert_eq!(both.latency.max(), first.latency.max());
}

#[test]
fn what_a_message_says_is_told_from_its_references() {
    for (seal, index, timestamp_ms, bytes, reference) in [
        (0, 0, 0, 16, 2),
        (250, 250, 250, 250, 2),
        (251, 251, 251, 251, 6),
        (70_000, 1_023, 1_735_689_600_000, 16_384, 8),
        (u64::MAX, u16::MAX, u64::MAX, 0, 12),
    ] {
        let data = Bytes::from(vec![0xff; bytes]).try_into().unwrap();
        let body = encode(&wire::Message {
            seal,
            index,
            timestamp_ms,
            data,
        });
        let parts = Parts::of(wire::MESSAGE, &body);
        assert_eq!((parts.data, parts.reference), (bytes, reference));
        let data = Bytes::from(vec![0xff; bytes]).try_into().unwrap();
        let body = encode(&wire::Unsigned { topic: seal, data });
        let parts = Parts::of(wire::UNSIGNED, &body);
        assert_eq!((parts.data, parts.reference), (bytes, 0));
    }
    assert_eq!(Parts::of(wire::SEAL, &[0; 50]), Parts::default());
    assert_eq!(Parts::of(wire::MESSAGE, &[1, 253, 0]).data, 0);
}
