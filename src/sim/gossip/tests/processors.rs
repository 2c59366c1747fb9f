//! Signatures: what they cost, and which are valid.

use super::*;
use crate::crypto::{
    SIGNATURE_BYTES, Seal, SealBody, Signature, Suite, VERIFYING_KEY_BYTES, VerifyingKey,
};
use crate::gossip::Sharing;
use crate::gossip::{CheckId, Message, SharedSeal, SigningId, TopicHash, TopicOptions};

fn body(world: &World, node: u32, first: u64) -> SealBody {
    let key = world.identity(NodeId(node)).key.hash();
    let leaves = vec![[7; 32], [9; 32]];
    SealBody::new(Suite::MlDsa87, key, [1; 32], 5, first, leaves).unwrap()
}

fn sign(world: &mut World, node: u32, id: u64, body: SealBody) {
    let id = SigningId(id);
    world.emit(NodeId(node), Output::Sign { id, body });
}

fn verify(world: &mut World, node: u32, id: u64, seal: Seal, of: u32) {
    let (id, key) = (CheckId(id), world.identity(NodeId(of)).key.clone());
    let seal = SharedSeal::new(&[0; 32], seal, key).unwrap();
    world.emit(NodeId(node), Output::Verify { id, seal });
}

/// Jobs that are done: when, and which.
fn done(log: &Log) -> Vec<(u64, u64)> {
    log.select(|at, input| match input {
        Input::Signed { id, .. } => Some((at.0 - 1_000_000, id.0)),
        Input::Verified { id, .. } => Some((at.0 - 1_000_000, id.0)),
        _ => None,
    })
}

/// The seal that node 0 signed.
fn signed(world: &mut World, logs: &[Log]) -> Seal {
    let signed = body(world, 0, 3);
    sign(world, 0, 0, signed.clone());
    world.run_for(MILLISECOND);
    let signatures = logs[0].select(|_, input| match input {
        Input::Signed { signature, .. } => signature.clone(),
        _ => None,
    });
    signed.with_signature(signatures[0].clone())
}

fn verdict(world: &mut World, logs: &[Log], seal: Seal, of: u32) -> bool {
    logs[1].clear();
    verify(world, 1, 0, seal, of);
    world.run_for(MILLISECOND);
    let verdicts = logs[1].select(|_, input| match input {
        Input::Verified { is_valid, .. } => Some(*is_valid),
        _ => None,
    });
    assert_eq!(verdicts.len(), 1);
    verdicts[0]
}

#[test]
fn a_core_does_one_job_after_the_other() {
    let (mut world, logs) = star(1, exact(), 2);
    let seal = body(&world, 0, 0).with_signature(numbered(0));
    for id in 0..3 {
        verify(&mut world, 1, id, seal.clone(), 0);
    }
    let own = body(&world, 1, 0);
    sign(&mut world, 1, 3, own);
    verify(&mut world, 1, 4, seal.clone(), 0);
    // Another node has a core of its own.
    verify(&mut world, 0, 0, seal.clone(), 0);
    world.run_for(SECOND);
    let expected = [(80, 0), (160, 1), (240, 2), (490, 3), (570, 4)];
    assert_eq!(done(&logs[1]), expected);
    assert_eq!(done(&logs[0]), [(80, 0)]);
    verify(&mut world, 1, 5, seal, 0);
    world.run_for(SECOND);
    assert_eq!(done(&logs[1])[5], (1_000_080, 5), "it was idle");
}

#[test]
fn without_authentication_signatures_take_no_time() {
    let model = NetworkModel {
        authentication: Authentication::Free,
        ..exact()
    };
    let (mut world, logs) = star(2, model, 2);
    let own = body(&world, 1, 0);
    sign(&mut world, 1, 0, own);
    world.run_for(SECOND);
    assert_eq!(done(&logs[1]), [(0, 0)]);
}

#[test]
fn a_seal_is_valid_as_it_was_signed_and_not_otherwise() {
    let (mut world, logs) = star(3, exact(), 2);
    let seal = signed(&mut world, &logs);
    assert!(verdict(&mut world, &logs, seal.clone(), 0));
    assert!(verdict(&mut world, &logs, seal.clone(), 0), "again");
    let signature = seal.signature().clone();
    let other = body(&world, 0, 4).with_signature(signature.clone());
    assert!(!verdict(&mut world, &logs, other, 0), "another counter");
    let stolen = body(&world, 1, 3).with_signature(signature.clone());
    assert!(!verdict(&mut world, &logs, stolen, 1), "another publisher");
    for place in [0, 7, 8, SIGNATURE_BYTES - 1] {
        let mut bytes = Box::new(*signature.as_bytes());
        bytes[place] ^= 1;
        let bent = body(&world, 0, 3).with_signature(bytes.into());
        assert!(!verdict(&mut world, &logs, bent, 0), "byte {place}");
    }
    let garbage = body(&world, 0, 3).with_signature(numbered(77));
    assert!(!verdict(&mut world, &logs, garbage, 0));
    let traffic = world.take_traffic();
    assert_eq!((traffic.seals_verified, traffic.seals_refused), (9, 7));
    assert_eq!(traffic.seals_made, 1);
    assert_eq!(traffic.verifying, Duration::from_micros(9 * 80));
}

/// A signature like those that the world makes, by somebody who knows how.
fn numbered(number: u64) -> Signature {
    let mut bytes = Box::new([0x5a; SIGNATURE_BYTES]);
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes.into()
}

#[test]
fn nobody_signs_for_somebody_else() {
    let (mut world, logs) = star(4, exact(), 2);
    let foreign = body(&world, 1, 3);
    sign(&mut world, 0, 0, foreign.clone());
    world.run_for(MILLISECOND);
    let signatures = logs[0].select(|_, input| match input {
        Input::Signed { signature, .. } => signature.clone(),
        _ => None,
    });
    let forged = foreign.with_signature(signatures[0].clone());
    assert!(!verdict(&mut world, &logs, forged, 1));
}

#[test]
fn a_program_accepts_after_the_time_that_it_takes() {
    for (judging, expected) in [(Duration::ZERO, 0), (3 * MILLISECOND, 3_000)] {
        let model = NetworkModel {
            judging: Some(judging),
            ..exact()
        };
        let (mut world, logs) = star(5, model, 2);
        for number in [4, 5] {
            world.emit(
                NodeId(1),
                Output::Judge(Message {
                    id: [number; 32],
                    topic: TopicHash::of(""),
                    source: None,
                    data: Bytes::new(),
                }),
            );
        }
        world.run_for(SECOND);
        let judged = logs[1].select(|at, input| match input {
            Input::Judged { id, verdict } => Some((at.0 - 1_000_000, id[0], *verdict)),
            _ => None,
        });
        let accept = crate::gossip::Verdict::Accept;
        assert_eq!(judged, [(expected, 4, accept), (expected, 5, accept)]);
    }
}

#[test]
fn a_program_is_asked_only_if_it_judges() {
    for (judging, is_judged) in [(None, false), (Some(Duration::ZERO), true)] {
        let log = Log::default();
        let mut world = World::new(6, NetworkModel { judging, ..exact() });
        let probe = |_| Box::new(Probe::new(&log)) as Box<dyn Machine>;
        world.add(Role::Honest, &Settings::default(), &probe);
        let subscribed = log.select(|_, input| match input {
            Input::Subscribe { topic, options } => Some((*topic, *options)),
            _ => None,
        });
        let options = TopicOptions {
            is_unsigned: false,
            is_judged,
        };
        assert_eq!(subscribed, [(world.topic(), options)]);
    }
}

#[test]
fn a_machine_that_asks_for_the_past_does_not_stop_time() {
    let log = Log::default();
    let mut world = World::new(7, exact());
    let probe = |_| Box::new(Probe::asking(&log, Micros(10))) as Box<dyn Machine>;
    world.add(Role::Honest, &Settings::default(), &probe);
    world.run_until(Micros(100));
    let timers = log.select(|at, input| matches!(input, Input::Timer).then_some(at.0));
    assert_eq!(timers, (10..=100).collect::<Vec<_>>());
}

fn numbered_seal(number: u64) -> SharedSeal {
    let key = VerifyingKey::ml_dsa_87(&[3; VERIFYING_KEY_BYTES]);
    let leaves = vec![[0; 32]];
    let body = SealBody::new(Suite::MlDsa87, key.hash(), [0; 32], 0, number, leaves).unwrap();
    SharedSeal::new(&[0; 32], body.with_signature(numbered(number)), key).unwrap()
}

/// A thousand machines would hold 20 GB of the same seals otherwise.
#[test]
fn as_long_as_there_is_a_world_equal_seals_are_one() {
    let is_one = || {
        let (one, other) = (numbered_seal(1), numbered_seal(1));
        let another = numbered_seal(2);
        assert!(one == other && one != another);
        assert!(!std::ptr::eq(one.seal(), another.seal()));
        std::ptr::eq(one.seal(), other.seal())
    };
    assert!(!is_one());
    {
        let first = World::new(1, exact());
        let second = World::new(2, exact());
        assert!(is_one());
        drop(first);
        assert!(is_one());
        drop(second);
    }
    assert!(!is_one());
}

#[test]
fn seals_that_nobody_holds_are_forgotten() {
    let _world = World::new(1, exact());
    let held: Vec<_> = (0..100).map(numbered_seal).collect();
    for number in 100..20_000 {
        numbered_seal(number);
    }
    assert!(Sharing::count() <= 1_024, "{}", Sharing::count());
    for (number, seal) in (0..).zip(&held) {
        assert!(std::ptr::eq(seal.seal(), numbered_seal(number).seal()));
    }
}
