use super::super::hybrid::*;
use super::super::*;
use super::{pairings, providers};

#[test]
fn both_sides_hold_the_same_secret_in_every_pairing() {
    for (client, server) in pairings() {
        let initiator = Initiator::generate(&*client).unwrap();
        let response = respond(&*server, initiator.share()).unwrap();
        let secret = initiator.complete(response.share.as_slice()).unwrap();
        assert_eq!(
            secret,
            response.secret,
            "{} with {}",
            client.name(),
            server.name()
        );
    }
}

#[test]
fn the_secret_is_the_kem_secret_then_the_x25519_secret() {
    let provider = RustCrypto::new();
    let initiator = Initiator::generate(&provider).unwrap();
    let kem = provider
        .decapsulation_key(&KemSeed::from_bytes(&[1; 64]))
        .unwrap();
    let agreement = provider
        .agreement_key(&X25519Scalar::from_bytes(&[2; 32]))
        .unwrap();
    assert_eq!(initiator.share().len(), 1216);
    let share = [kem.encapsulation_key().as_slice(), agreement.public_key()].concat();
    let response = respond(&provider, &share).unwrap();
    let (ciphertext, public) = response
        .share
        .split_first_chunk::<CIPHERTEXT_BYTES>()
        .unwrap();
    let expected = [
        *kem.decapsulate(ciphertext).unwrap().expose(),
        *agreement
            .agree(public.try_into().unwrap())
            .unwrap()
            .expose(),
    ];
    assert_eq!(response.secret.expose().as_slice(), expected.as_flattened());
}

#[test]
fn shares_of_any_other_length_are_refused() {
    for provider in providers() {
        for actual in [0, CLIENT_SHARE_BYTES - 1, CLIENT_SHARE_BYTES + 1] {
            let refused = respond(&*provider, &vec![0; actual]).unwrap_err();
            let expected = CLIENT_SHARE_BYTES;
            assert_eq!(refused, KeyExchangeError::ShareLength { expected, actual });
        }
        for actual in [0, SERVER_SHARE_BYTES - 1, SERVER_SHARE_BYTES + 1] {
            let initiator = Initiator::generate(&*provider).unwrap();
            let refused = initiator.complete(&vec![0; actual]).unwrap_err();
            let expected = SERVER_SHARE_BYTES;
            assert_eq!(refused, KeyExchangeError::ShareLength { expected, actual });
        }
    }
}

#[test]
fn a_share_with_an_x25519_key_of_small_order_is_refused_by_either_side() {
    for provider in providers() {
        let initiator = Initiator::generate(&*provider).unwrap();
        let mut share = *initiator.share();
        share[ENCAPSULATION_KEY_BYTES..].fill(0);
        let refused = respond(&*provider, &share).unwrap_err();
        assert_eq!(refused, KeyExchangeError::ZeroSharedSecret);

        let mut answer = respond(&*provider, initiator.share()).unwrap().share;
        answer[CIPHERTEXT_BYTES..].fill(0);
        let refused = initiator.complete(answer.as_slice()).unwrap_err();
        assert_eq!(refused, KeyExchangeError::ZeroSharedSecret);
    }
}

#[test]
fn a_share_with_an_unreduced_encapsulation_key_is_refused() {
    for provider in providers() {
        let initiator = Initiator::generate(&*provider).unwrap();
        let mut share = *initiator.share();
        share[..3].fill(0xff);
        let refused = respond(&*provider, &share).unwrap_err();
        assert_eq!(refused, KeyExchangeError::EncapsulationKey);
    }
}

#[test]
fn a_tampered_ciphertext_gives_the_sides_different_secrets() {
    for provider in providers() {
        let initiator = Initiator::generate(&*provider).unwrap();
        let mut response = respond(&*provider, initiator.share()).unwrap();
        response.share[0] ^= 1;
        let secret = initiator.complete(response.share.as_slice()).unwrap();
        assert_ne!(secret, response.secret);
    }
}
