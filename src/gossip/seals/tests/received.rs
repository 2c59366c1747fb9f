use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::crypto::{
    MAX_SEAL_LEAVES, Provider, RustCrypto, SIGNATURE_BYTES, SealFault, SigningSeed,
    VERIFYING_KEY_BYTES, VerifyingKey,
};
use crate::gossip::seals::testing::{NETWORK, key, topic};
use crate::gossip::{Fault, PublicationId, SealingConfig};
use crate::policy::Micros;
use crate::wire::codec::List;
use crate::wire::message::gossip as frame;

/// A frame with `leaves` different leaves.
fn seal_frame(first: u64, leaves: usize) -> frame::Seal {
    let leaves = (0..leaves).map(|number| *blake3::hash(&number.to_le_bytes()).as_bytes());
    frame::Seal {
        key: 0,
        topic: *topic(0).as_bytes(),
        epoch: 5,
        first,
        leaves: List::truncated(leaves),
        signature: [1; SIGNATURE_BYTES],
    }
}

fn with_leaves(leaves: Vec<[u8; 32]>) -> frame::Seal {
    frame::Seal {
        leaves: List::try_from(leaves).unwrap(),
        ..seal_frame(0, 0)
    }
}

fn check(frame: frame::Seal) -> Result<SharedSeal, Fault> {
    check_seal(&NETWORK, frame, &key(1))
}

#[test]
fn a_seal_without_leaves_is_refused() {
    assert_eq!(check(seal_frame(0, 0)), Err(Fault::InvalidSeal));
    assert!(check(seal_frame(0, 1)).is_ok());
    assert!(check(seal_frame(0, MAX_SEAL_LEAVES)).is_ok());
}

#[test]
fn a_seal_that_lists_a_leaf_twice_is_refused() {
    let leaves = seal_frame(0, MAX_SEAL_LEAVES).leaves.into_vec();
    for (one, other) in [(0, 1), (0, MAX_SEAL_LEAVES - 1), (500, 501)] {
        let mut twice = leaves.clone();
        twice[other] = twice[one];
        assert_eq!(check(with_leaves(twice)), Err(Fault::InvalidSeal));
    }
    let mut almost = leaves;
    almost[1] = almost[0];
    almost[1][31] ^= 1;
    assert!(check(with_leaves(almost)).is_ok());
}

#[test]
fn a_seal_with_counters_beyond_the_last_is_refused() {
    let last = u64::MAX - 10;
    assert!(check(seal_frame(last, 10)).is_ok());
    assert_eq!(check(seal_frame(last, 11)), Err(Fault::InvalidSeal));
    assert_eq!(check(seal_frame(u64::MAX, 1)), Err(Fault::InvalidSeal));
}

#[test]
fn a_seal_under_an_unknown_key_is_refused() {
    let mut references = ReceivedReferences::new();
    references.add_key(key(1));
    let fault = |ordinal| references.key(ordinal).map_err(Fault::from).err();
    assert_eq!(fault(0), None);
    assert_eq!(fault(1), Some(Fault::UnknownOrdinal));
}

#[test]
fn a_seal_belongs_to_the_holder_of_its_key() {
    let seal = check(seal_frame(3, 2)).unwrap();
    assert_eq!(seal.publisher(), key(1).hash().into());
    assert_eq!(seal.topic(), topic(0));
    assert_eq!((seal.body().epoch(), seal.body().first_counter()), (5, 3));
    assert_eq!(seal.key(), &key(1));
}

#[test]
fn a_key_of_an_unknown_suite_is_refused() {
    for (suite, is_known) in [(0, false), (1, true), (2, false), (255, false)] {
        let frame = frame::Key {
            suite,
            key: [3; VERIFYING_KEY_BYTES],
        };
        let expected = if is_known {
            Ok(VerifyingKey::ml_dsa_87(&frame.key))
        } else {
            Err(Fault::InvalidKey)
        };
        assert_eq!(check_key(&frame), expected);
    }
}

/// Everything from one program to another, but for the wire.
#[test]
fn what_one_node_seals_another_one_accepts() {
    let provider = RustCrypto::new();
    let signer = provider.signing_key(&SigningSeed::from_bytes(&[1; 32]));
    let signer = signer.unwrap();
    let own = VerifyingKey::ml_dsa_87(signer.verifying_key());
    let mut pacer = Pacer::new(SealingConfig::default(), NETWORK, &own, 5, Micros(0));
    let (mut leaves, mut seal) = (Vec::new(), None);
    for number in 0..20u64 {
        let message = Pending {
            publication: PublicationId(number),
            timestamp_ms: 900 + number,
            data: Bytes::copy_from_slice(&number.to_le_bytes()),
        };
        leaves.push(pacer.push(topic(0), message).unwrap());
    }
    while let Some(batch) = pacer.poll(Micros(0) + Duration::from_millis(1)) {
        let signed = batch.body.sign(&NETWORK, &*signer).unwrap();
        seal = Some((signed, batch.messages));
    }
    let (sent, messages) = seal.unwrap();

    let received = check_key(&frame::Key {
        suite: own.suite().byte(),
        key: *own.as_bytes(),
    });
    let received = received.unwrap();
    let frame = frame::Seal {
        key: 0,
        topic: *sent.body().topic(),
        epoch: sent.body().epoch(),
        first: sent.body().first_counter(),
        leaves: List::try_from(sent.body().leaves().to_vec()).unwrap(),
        signature: *sent.signature().as_bytes(),
    };
    let seal = check_seal(&NETWORK, frame.clone(), &received).unwrap();
    assert_eq!(seal.seal(), &sent);
    assert_eq!(seal.seal().verify(&provider, &NETWORK, seal.key()), Ok(()));
    for (index, message) in messages.into_iter().enumerate() {
        let frame = frame::Message {
            seal: 0,
            index: index as u16,
            timestamp_ms: message.timestamp_ms,
            data: message.data.try_into().unwrap(),
        };
        let listed = check_message(&NETWORK, &seal, &frame).unwrap();
        assert_eq!(listed.leaf(), leaves[index]);
        assert_eq!(listed.counter(), index as u64);
        refused_if_anything_differs(&seal, &frame);
    }
    let other = check_seal(&NETWORK, frame, &key(1)).unwrap();
    let stolen = other.seal().verify(&provider, &NETWORK, other.key());
    assert!(matches!(stolen, Err(SealFault::Signature(_))));
}

fn refused_if_anything_differs(seal: &SharedSeal, honest: &frame::Message) {
    let count = seal.body().leaves().len() as u16;
    let changed = [
        frame::Message {
            index: (honest.index + 1) % count,
            ..honest.clone()
        },
        frame::Message {
            index: count,
            ..honest.clone()
        },
        frame::Message {
            index: u16::MAX,
            ..honest.clone()
        },
        frame::Message {
            timestamp_ms: honest.timestamp_ms + 1,
            ..honest.clone()
        },
        frame::Message {
            data: Bytes::from_static(b"other").try_into().unwrap(),
            ..honest.clone()
        },
    ];
    for frame in changed {
        let refused = check_message(&NETWORK, seal, &frame);
        assert_eq!(refused, Err(Fault::NotInSeal), "{frame:?}");
    }
    let elsewhere = check_message(&[8; 32], seal, honest);
    assert_eq!(elsewhere, Err(Fault::NotInSeal));
}
