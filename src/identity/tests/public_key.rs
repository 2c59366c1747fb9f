use proptest::prelude::*;

use super::super::*;
use super::published;

const OPENSSL: &[u8] = include_bytes!("fixtures/ml_dsa_87.spki");

#[test]
fn the_der_form_is_the_one_openssl_writes() {
    assert_eq!(published().public_key().to_spki_der(), OPENSSL);
    assert_eq!(
        PublicKey::from_spki_der(OPENSSL).as_ref(),
        Ok(published().public_key())
    );
}

#[test]
fn a_key_of_another_algorithm_is_named() {
    for (der, algorithm) in [
        (
            include_bytes!("fixtures/ml_dsa_44.spki").as_slice(),
            KeyAlgorithm::MlDsa44,
        ),
        (
            include_bytes!("fixtures/ml_dsa_65.spki"),
            KeyAlgorithm::MlDsa65,
        ),
        (
            include_bytes!("fixtures/ed25519.spki"),
            KeyAlgorithm::Classical,
        ),
        (
            include_bytes!("fixtures/p256.spki"),
            KeyAlgorithm::Classical,
        ),
    ] {
        assert_eq!(
            PublicKey::from_spki_der(der),
            Err(SpkiError::Algorithm(algorithm))
        );
    }
    let mut slh_dsa = include_bytes!("fixtures/ed25519.spki").to_vec();
    slh_dsa[8] = 0x7f;
    let refused = PublicKey::from_spki_der(&slh_dsa);
    assert_eq!(refused, Err(SpkiError::Algorithm(KeyAlgorithm::Other)));
}

#[test]
fn any_other_length_is_malformed() {
    for length in [0, 21, 22, OPENSSL.len() - 1] {
        assert_eq!(
            PublicKey::from_spki_der(&OPENSSL[..length]),
            Err(SpkiError::Malformed)
        );
    }
    let longer = [OPENSSL, &[0]].concat();
    assert_eq!(PublicKey::from_spki_der(&longer), Err(SpkiError::Malformed));
}

#[test]
fn algorithm_parameters_are_malformed_even_if_null() {
    let mut der = OPENSSL.to_vec();
    // The lengths of both sequences grow by the two bytes of NULL.
    der[3] += 2;
    der[5] += 2;
    der.splice(17..17, [0x05, 0x00]);
    assert_eq!(PublicKey::from_spki_der(&der), Err(SpkiError::Malformed));
}

#[test]
fn keys_are_equal_by_value() {
    let first = published().public_key().clone();
    let mut bytes = *first.as_bytes();
    assert_eq!(first, PublicKey::ml_dsa_87(&bytes));
    bytes[2591] ^= 1;
    assert_ne!(first, PublicKey::ml_dsa_87(&bytes));
    assert_ne!(first.peer_id(), PublicKey::ml_dsa_87(&bytes).peer_id());
}

proptest! {
    #[test]
    fn no_byte_of_the_header_may_change(position in 0..22_usize, flip in 1..=255_u8) {
        let mut der = OPENSSL.to_vec();
        der[position] ^= flip;
        prop_assert!(PublicKey::from_spki_der(&der).is_err());
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>) {
        prop_assert!(PublicKey::from_spki_der(&bytes).is_err());
    }
}
