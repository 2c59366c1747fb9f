use std::sync::OnceLock;

use ml_dsa::{ExpandedSigningKey, ExpandedSigningKeyBytes, MlDsa87, VerifyingKey};
use proptest::prelude::*;

use super::super::*;
use super::{pairings, providers};

const SEED: [u8; 32] = [7; 32];

#[test]
fn backends_agree_on_every_public_key() {
    for (first, second) in pairings() {
        let seed = SigningSeed::from_bytes(&SEED);
        let keys = [
            first.signing_key(&seed).unwrap(),
            second.signing_key(&seed).unwrap(),
        ];
        assert_eq!(keys[0].verifying_key(), keys[1].verifying_key());
        let seed = KemSeed::from_bytes(&[9; 64]);
        let keys = [
            first.decapsulation_key(&seed).unwrap(),
            second.decapsulation_key(&seed).unwrap(),
        ];
        assert_eq!(keys[0].encapsulation_key(), keys[1].encapsulation_key());
        let scalar = X25519Scalar::from_bytes(&SEED);
        let keys = [
            first.agreement_key(&scalar).unwrap(),
            second.agreement_key(&scalar).unwrap(),
        ];
        assert_eq!(keys[0].public_key(), keys[1].public_key());
    }
}

#[test]
fn each_backend_verifies_the_others_signatures() {
    for (signer, verifier) in pairings() {
        let key = signer.signing_key(&SigningSeed::from_bytes(&SEED)).unwrap();
        let signature = key.sign(b"message").unwrap();
        let verify = |message: &[u8], signature: &[u8]| {
            verifier.verify(key.verifying_key(), message, signature)
        };
        assert_eq!(verify(b"message", signature.as_bytes()), Ok(()));
        assert_eq!(
            verify(b"massage", signature.as_bytes()),
            Err(InvalidSignature)
        );
        assert_eq!(
            verify(b"message", &signature.as_bytes()[1..]),
            Err(InvalidSignature)
        );
        let longer = [signature.as_bytes().as_slice(), &[0]].concat();
        assert_eq!(verify(b"message", &longer), Err(InvalidSignature));
    }
}

#[test]
fn signatures_of_the_same_message_differ() {
    for provider in providers() {
        let key = provider
            .signing_key(&SigningSeed::from_bytes(&SEED))
            .unwrap();
        assert_ne!(
            key.sign(b"m").unwrap(),
            key.sign(b"m").unwrap(),
            "{}",
            provider.name()
        );
    }
}

#[test]
fn a_secret_encapsulated_by_one_backend_opens_in_the_other() {
    for (holder, sender) in pairings() {
        let seed = KemSeed::from_bytes(&[3; 64]);
        for key in [
            holder.generate_decapsulation_key().unwrap(),
            holder.decapsulation_key(&seed).unwrap(),
        ] {
            let sent = sender.encapsulate(key.encapsulation_key()).unwrap();
            assert_eq!(key.decapsulate(&sent.ciphertext).unwrap(), sent.secret);
        }
    }
}

#[test]
fn backends_agree_on_the_secret_of_a_tampered_ciphertext() {
    let ciphertext = Box::new([0x42; CIPHERTEXT_BYTES]);
    for (first, second) in pairings() {
        let seed = KemSeed::from_bytes(&[3; 64]);
        let rejected = |provider: &dyn Provider| {
            provider
                .decapsulation_key(&seed)
                .unwrap()
                .decapsulate(&ciphertext)
                .unwrap()
        };
        assert_eq!(rejected(&*first), rejected(&*second));
    }
}

#[test]
fn an_encapsulation_key_with_an_unreduced_coefficient_is_refused() {
    for provider in providers() {
        let key = provider.generate_decapsulation_key().unwrap();
        let mut unreduced = *key.encapsulation_key();
        // The first 12-bit coefficient becomes q = 3 329 = 0xd01, the smallest unreduced value.
        unreduced[0] = 0x01;
        unreduced[1] = (unreduced[1] & 0xf0) | 0x0d;
        let refused = provider.encapsulate(&unreduced).unwrap_err();
        assert_eq!(refused, KeyExchangeError::EncapsulationKey);
        unreduced[0] = 0x00;
        assert!(provider.encapsulate(&unreduced).is_ok(), "q − 1 is reduced");
    }
}

#[test]
fn a_public_key_of_small_order_is_refused() {
    for provider in providers() {
        let key = provider.generate_agreement_key().unwrap();
        let mut one = [0; X25519_BYTES];
        one[0] = 1;
        for peer in [[0; X25519_BYTES], one] {
            assert_eq!(key.agree(&peer), Err(KeyExchangeError::ZeroSharedSecret));
        }
    }
}

/// Everyone may choose the first 32 bytes of a verification key. Here they spell the DER header of
/// an ML-DSA-44 key, and t = 0, so that the key is valid and its holder can sign.
#[test]
fn a_key_disguised_as_der_of_another_parameter_set_splits_no_backends() {
    let header = [
        0x30, 0x82, 0x05, 0x32, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
        0x03, 0x11, 0x03, 0x82, 0x05, 0x21, 0x00,
    ];
    let mut verifying_key = [0; VERIFYING_KEY_BYTES];
    verifying_key[..header.len()].copy_from_slice(&header);
    let signature = sign_with_zero_t(&verifying_key);
    for provider in providers() {
        let verdict = provider.verify(&verifying_key, b"", &signature);
        assert_eq!(verdict, Ok(()), "{}", provider.name());
    }
}

/// Signs the empty message under the key ρ ‖ (t1 = 0), whose private half has s1 = s2 = t0 = 0.
fn sign_with_zero_t(verifying_key: &[u8; VERIFYING_KEY_BYTES]) -> Vec<u8> {
    let zero_s = packed(2, 3, 15 * 256);
    let zero_t0 = packed(1 << 12, 13, 8 * 256);
    let parts: [&[u8]; 5] = [&verifying_key[..32], &[1; 32], &[0; 64], &zero_s, &zero_t0];
    let expanded = ExpandedSigningKeyBytes::<MlDsa87>::try_from(parts.concat().as_slice()).unwrap();
    #[allow(deprecated, reason = "no seed leads to a chosen ρ")]
    let key = ExpandedSigningKey::<MlDsa87>::from_expanded(&expanded);
    let mu = VerifyingKey::<MlDsa87>::decode(verifying_key.into()).compute_mu(|_| Ok(()), &[]);
    key.sign_mu_deterministic(&mu.unwrap()).encode().to_vec()
}

/// `count` coefficients of `value`, packed into `bits` bits each, little-endian (FIPS 204,
/// algorithm 17).
fn packed(value: u32, bits: usize, count: usize) -> Vec<u8> {
    let mut packed = vec![0; bits * count / 8];
    for position in (0..count * bits).filter(|position| value >> (position % bits) & 1 == 1) {
        packed[position / 8] |= 1 << (position % 8);
    }
    packed
}

#[test]
fn a_signature_has_exactly_4627_bytes() {
    for length in [0, SIGNATURE_BYTES - 1, SIGNATURE_BYTES + 1] {
        let refused = Signature::try_from(vec![0; length]);
        assert_eq!(refused, Err(SignatureLength(length)));
    }
    let accepted = Signature::try_from(vec![5; SIGNATURE_BYTES]).unwrap();
    assert_eq!(accepted.as_bytes(), &[5; SIGNATURE_BYTES]);
}

fn signed() -> &'static ([u8; VERIFYING_KEY_BYTES], Signature) {
    static SIGNED: OnceLock<([u8; VERIFYING_KEY_BYTES], Signature)> = OnceLock::new();
    SIGNED.get_or_init(|| {
        let key = RustCrypto::new()
            .signing_key(&SigningSeed::from_bytes(&SEED))
            .unwrap();
        (*key.verifying_key(), key.sign(b"property").unwrap())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_backend_accepts_a_signature_with_a_flipped_bit(bit in 0..SIGNATURE_BYTES * 8) {
        let (key, signature) = signed();
        let mut tampered = *signature.as_bytes();
        tampered[bit / 8] ^= 1 << (bit % 8);
        for provider in providers() {
            prop_assert_eq!(provider.verify(key, b"property", &tampered), Err(InvalidSignature));
        }
    }

    #[test]
    fn no_backend_accepts_a_key_with_a_flipped_bit(bit in 0..VERIFYING_KEY_BYTES * 8) {
        let (key, signature) = signed();
        let mut tampered = *key;
        tampered[bit / 8] ^= 1 << (bit % 8);
        for provider in providers() {
            let verdict = provider.verify(&tampered, b"property", signature.as_bytes());
            prop_assert_eq!(verdict, Err(InvalidSignature));
        }
    }

    #[test]
    fn the_modulus_check_is_that_of_the_standard_in_every_backend(
        index in 0..768_usize,
        value in prop_oneof![0..4096_usize, 3320..3340_usize],
    ) {
        static KEY: OnceLock<[u8; ENCAPSULATION_KEY_BYTES]> = OnceLock::new();
        let mut key = *KEY.get_or_init(|| {
            *RustCrypto::new().generate_decapsulation_key().unwrap().encapsulation_key()
        });
        // Two coefficients of 12 bits share three bytes, the low bits first.
        let place = index / 2 * 3;
        let (low, high) = ((value & 0xff) as u8, (value >> 8) as u8);
        if index % 2 == 0 {
            key[place] = low;
            key[place + 1] = key[place + 1] & 0xf0 | high;
        } else {
            key[place + 1] = key[place + 1] & 0x0f | low << 4;
            key[place + 2] = low >> 4 | high << 4;
        }
        for provider in providers() {
            prop_assert_eq!(provider.encapsulate(&key).is_ok(), value < 3329);
        }
    }

    #[test]
    fn every_backend_agrees_with_every_x25519_key(scalar: [u8; 32], peer: [u8; 32]) {
        let scalar = X25519Scalar::from_bytes(&scalar);
        let agreed = providers()
            .iter()
            .map(|provider| provider.agreement_key(&scalar).unwrap().agree(&peer))
            .collect::<Vec<_>>();
        prop_assert!(agreed.iter().all(|secret| *secret == agreed[0]));
    }
}
