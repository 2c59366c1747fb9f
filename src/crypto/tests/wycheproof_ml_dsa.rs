//! Wycheproof's vectors for ML-DSA-87, through every backend.
//!
//! The protocol signs with the empty context only, and signs messages only, not precomputed
//! digests: vectors for anything else are counted and left out.

use std::sync::Arc;

use wycheproof::{ByteString, TestResult, mldsa_sign, mldsa_verify};

use super::super::*;
use super::{Scripted, providers};

#[derive(Debug, Default, PartialEq)]
struct Tally {
    valid: usize,
    refused: usize,
    wrong_key_length: usize,
    left_out: usize,
}

fn names_a_context(context: &Option<ByteString>) -> bool {
    context.as_ref().is_some_and(|context| !context.is_empty())
}

#[test]
fn every_signature_gets_the_published_verdict() {
    let set = mldsa_verify::TestSet::load(mldsa_verify::TestName::MlDsa87Verify).unwrap();
    for provider in providers() {
        let mut tally = Tally::default();
        for group in &set.test_groups {
            let key = group.pubkey.as_ref().try_into();
            for test in &group.tests {
                let Ok(key) = key else {
                    assert_eq!(test.result, TestResult::Invalid, "{}", test.tc_id);
                    tally.wrong_key_length += 1;
                    continue;
                };
                if names_a_context(&test.ctx) {
                    tally.left_out += 1;
                    continue;
                }
                let verdict = provider.verify(key, &test.msg, &test.sig);
                assert_eq!(
                    verdict.is_ok(),
                    test.result == TestResult::Valid,
                    "{}",
                    test.tc_id
                );
                if verdict.is_ok() {
                    tally.valid += 1
                } else {
                    tally.refused += 1
                }
            }
        }
        let expected = Tally {
            valid: 69,
            refused: 161,
            wrong_key_length: 4,
            left_out: 7,
        };
        assert_eq!(tally, expected, "{}", provider.name());
    }
}

fn sign(seed: &SigningSeed, test: &mldsa_sign::Test, message: &[u8]) -> Signature {
    // Zeros stand for the deterministic variant (FIPS 204, section 3.4).
    let hedge = test.rnd.as_ref().map_or(vec![0; 32], |rnd| rnd.to_vec());
    let provider = RustCrypto::with_entropy(Arc::new(Scripted(hedge)));
    provider.signing_key(seed).unwrap().sign(message).unwrap()
}

#[test]
fn every_published_signature_is_reproduced_from_its_seed() {
    let set = mldsa_sign::TestSet::load(mldsa_sign::TestName::MlDsa87SignSeed).unwrap();
    let mut tally = Tally::default();
    for group in &set.test_groups {
        let seed = group
            .privseed
            .as_ref()
            .and_then(|seed| seed.as_ref().try_into().ok());
        for test in &group.tests {
            let Some(seed) = seed.map(SigningSeed::from_bytes) else {
                assert_eq!(test.result, TestResult::Invalid, "{}", test.tc_id);
                tally.wrong_key_length += 1;
                continue;
            };
            match &test.msg {
                Some(message) if !names_a_context(&test.ctx) => {
                    let signature = sign(&seed, test, message);
                    assert_eq!(signature.as_bytes().as_slice(), test.sig.as_ref());
                    tally.valid += 1;
                }
                _ => tally.left_out += 1,
            }
        }
    }
    assert_eq!(
        tally,
        Tally {
            valid: 72,
            refused: 0,
            wrong_key_length: 3,
            left_out: 21
        }
    );
}

#[test]
fn every_seed_expands_to_its_key_and_signs_for_every_backend() {
    let set = mldsa_sign::TestSet::load(mldsa_sign::TestName::MlDsa87SignSeed).unwrap();
    for provider in providers() {
        let mut expanded = 0;
        for group in &set.test_groups {
            let (Some(seed), Some(public)) = (&group.privseed, &group.pubkey) else {
                continue;
            };
            let Ok(seed) = seed.as_ref().try_into() else {
                continue;
            };
            let key = provider
                .signing_key(&SigningSeed::from_bytes(seed))
                .unwrap();
            assert_eq!(key.verifying_key().as_slice(), public.as_ref());
            let signature = key.sign(b"message").unwrap();
            for verifier in providers() {
                let verdict =
                    verifier.verify(key.verifying_key(), b"message", signature.as_bytes());
                assert_eq!(verdict, Ok(()));
            }
            expanded += 1;
        }
        assert!(expanded > 0, "{}", provider.name());
    }
}
