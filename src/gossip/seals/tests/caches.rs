use super::*;
use crate::crypto::SealFault;
use crate::gossip::seals::testing::{List, NETWORK, key, signature};
use crate::identity::PeerId;

fn name(number: u64) -> PeerId {
    key(number).hash().into()
}

fn seal(number: u64) -> SharedSeal {
    List::of(number, 1).seal(&key(0))
}

fn long(number: u64) -> SharedSeal {
    List::of(number * 1_024, 1_024).seal(&key(0))
}

fn verify(seals: &mut VerifiedSeals, seal: &SharedSeal, validity: Validity) {
    seals.begin(seal.clone()).unwrap();
    assert_eq!(seals.finish(&seal.id(), validity), Some(seal.clone()));
}

#[test]
fn keys_are_bounded_and_the_one_used_least_recently_leaves() {
    let mut cache = KeyCache::new();
    for number in 0..MAX_KEYS as u64 {
        cache.share(key(number));
    }
    assert_eq!(cache.len(), MAX_KEYS);
    assert!(cache.get(&name(0)).is_some());
    cache.share(key(1 << 20));
    assert_eq!(cache.len(), MAX_KEYS);
    assert!(cache.get(&name(0)).is_some());
    assert_eq!(cache.get(&name(1)), None);
    assert!(cache.get(&name(2)).is_some());
}

#[test]
fn a_key_that_comes_again_is_the_one_that_is_held() {
    let mut cache = KeyCache::new();
    let first = cache.share(key(1));
    let second = cache.share(key(1));
    assert!(std::ptr::eq(first.as_bytes(), second.as_bytes()));
    assert_eq!(cache.len(), 1);
}

#[test]
fn a_key_answers_to_its_own_hash_alone() {
    let mut cache = KeyCache::new();
    cache.share(key(1));
    assert_eq!(cache.get(&name(2)), None);
    assert_eq!(cache.get(&name(1)).unwrap().hash(), key(1).hash());
}

#[test]
fn a_seal_is_unknown_then_being_verified_then_settled() {
    let mut seals = VerifiedSeals::new();
    let (good, bad) = (seal(1), seal(2));
    assert_eq!(seals.state(&good.id()), SealState::Unknown);
    seals.begin(good.clone()).unwrap();
    assert_eq!(seals.state(&good.id()), SealState::BeingVerified);
    let known = NotBegun::Known(SealState::BeingVerified);
    assert_eq!(seals.begin(good.clone()), Err(known));
    seals.finish(&good.id(), Validity::Valid).unwrap();
    assert_eq!(seals.state(&good.id()), SealState::Valid);
    assert_eq!(seals.finish(&good.id(), Validity::Invalid), None);
    assert_eq!(seals.state(&good.id()), SealState::Valid);
    verify(&mut seals, &bad, Validity::Invalid);
    assert_eq!(seals.state(&bad.id()), SealState::Invalid);
    assert_eq!(seals.get(&bad.id()), None);
}

#[test]
fn a_forged_signature_says_nothing_about_the_valid_one() {
    let body = List::of(0, 3).body(&key(1));
    let valid = body.clone().with_signature(signature(1));
    let forged = body.with_signature(signature(2));
    let [valid, forged] = [valid, forged].map(|seal| {
        let shared = SharedSeal::new(&NETWORK, seal, key(1));
        shared.unwrap()
    });
    let mut seals = VerifiedSeals::new();
    verify(&mut seals, &forged, Validity::Invalid);
    assert_eq!(seals.state(&valid.id()), SealState::Unknown);
    verify(&mut seals, &valid, Validity::Valid);
    assert_eq!(seals.state(&forged.id()), SealState::Invalid);
    assert_eq!(seals.state(&valid.id()), SealState::Valid);
}

#[test]
fn everything_that_verification_looks_at_changes_the_name() {
    let list = List::of(4, 2);
    let original = list.seal(&key(1));
    let others = [
        List { topic: 1, ..list },
        List { epoch: 6, ..list },
        List { first: 5, ..list },
        List { leaves: 1, ..list },
        List { version: 1, ..list },
    ];
    for other in others {
        assert_ne!(other.seal(&key(1)).id(), original.id(), "{other:?}");
    }
    assert_ne!(list.seal(&key(2)).id(), original.id());
    let elsewhere = SharedSeal::new(&[8; 32], original.seal().clone(), key(1));
    assert_ne!(elsewhere.unwrap().id(), original.id());
    assert_eq!(list.seal(&key(1)).id(), original.id());
}

#[test]
fn no_seal_goes_under_a_key_of_somebody_else() {
    let seal = seal(1).seal().clone();
    let refused = SharedSeal::new(&NETWORK, seal, key(9));
    assert_eq!(refused, Err(SealFault::WrongKey));
}

#[test]
fn two_lists_contradict_each_other_if_one_counter_has_two_leaves() {
    let list = List::of(10, 10);
    let seal = list.seal(&key(1));
    let other = |change: List| change.seal(&key(1));
    let version = 1;
    let cases = [
        (other(List { version, ..list }), true),
        (
            other(List {
                version,
                first: 19,
                ..list
            }),
            true,
        ),
        (
            other(List {
                version,
                first: 20,
                ..list
            }),
            false,
        ),
        (
            other(List {
                version,
                topic: 1,
                ..list
            }),
            false,
        ),
        (
            other(List {
                version,
                epoch: 6,
                ..list
            }),
            false,
        ),
        (List { version, ..list }.seal(&key(2)), false),
        (other(List { first: 15, ..list }), false),
        (seal.clone(), false),
    ];
    for (other, is_contradiction) in cases {
        assert_eq!(seal.contradicts(&other), is_contradiction, "{other:?}");
        assert_eq!(other.contradicts(&seal), is_contradiction);
    }
}

#[test]
fn seals_being_verified_are_bounded() {
    let mut seals = VerifiedSeals::new();
    for number in 0..MAX_BEING_VERIFIED as u64 {
        assert_eq!(seals.begin(seal(number)), Ok(()));
    }
    assert_eq!(seals.begin(seal(1 << 20)), Err(NotBegun::TooMany));
    seals.finish(&seal(0).id(), Validity::Invalid).unwrap();
    assert_eq!(seals.begin(seal(1 << 20)), Ok(()));
}

#[test]
fn verdicts_are_bounded_and_the_oldest_leaves() {
    let mut seals = VerifiedSeals::new();
    let validity = |number| {
        if number % 3 == 0 {
            Validity::Invalid
        } else {
            Validity::Valid
        }
    };
    for number in 0..MAX_VERDICTS as u64 {
        verify(&mut seals, &seal(number), validity(number));
        assert!(seals.held_bytes() <= MAX_HELD_BYTES);
    }
    assert_eq!(seals.len(), MAX_VERDICTS);
    assert_eq!(seals.state(&seal(0).id()), SealState::Invalid);
    verify(&mut seals, &seal(1 << 20), Validity::Valid);
    assert_eq!(seals.len(), MAX_VERDICTS);
    assert_eq!(seals.state(&seal(0).id()), SealState::Unknown);
    assert_eq!(seals.state(&seal(1).id()), SealState::Valid);
}

#[test]
fn what_a_verdict_that_leaves_held_is_counted_no_more() {
    let mut seals = VerifiedSeals::new();
    verify(&mut seals, &seal(0), Validity::Valid);
    for number in 1..=MAX_VERDICTS as u64 {
        verify(&mut seals, &seal(number), Validity::Invalid);
    }
    assert_eq!(seals.state(&seal(0).id()), SealState::Unknown);
    assert_eq!(seals.held_bytes(), 0);
    let last = seal(1 << 20);
    verify(&mut seals, &last, Validity::Valid);
    assert_eq!(seals.get(&last.id()), Some(&last));
    assert_eq!(seals.held_bytes(), last.bytes());
}

#[test]
fn held_seals_are_bounded_in_bytes_and_their_verdicts_outlive_them() {
    let mut seals = VerifiedSeals::new();
    let fitting = (MAX_HELD_BYTES / long(0).bytes()) as u64;
    for number in 0..fitting {
        verify(&mut seals, &long(number), Validity::Valid);
    }
    assert!(seals.get(&long(0).id()).is_some());
    verify(&mut seals, &long(fitting), Validity::Valid);
    assert_eq!(seals.get(&long(0).id()), None);
    assert_eq!(seals.state(&long(0).id()), SealState::Valid);
    assert!(seals.get(&long(1).id()).is_some());
    assert_eq!(seals.held_bytes(), fitting as usize * long(0).bytes());
}

#[test]
fn what_several_neighbours_bring_is_held_once() {
    let mut seals = VerifiedSeals::new();
    let first = seal(1);
    seals.begin(first.clone()).unwrap();
    let same = |one: &SharedSeal| std::ptr::eq(one.seal(), first.seal());
    assert!(same(&seals.share(seal(1))));
    seals.finish(&first.id(), Validity::Valid).unwrap();
    assert!(same(&seals.share(seal(1))));
    assert!(!same(&seals.share(seal(2))));
}

#[test]
fn an_own_seal_needs_no_verification() {
    let mut seals = VerifiedSeals::new();
    seals.add_own(&seal(1));
    seals.add_own(&seal(1));
    assert_eq!(seals.state(&seal(1).id()), SealState::Valid);
    assert_eq!(seals.len(), 1);
}
