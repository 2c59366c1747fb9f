use std::sync::Arc;

use super::super::hybrid::{HybridSecret, Initiator, respond};
use super::super::*;
use super::providers;

/// Bytes that no innocent output contains, in hex or in decimal.
const MARKED: [u8; 32] = [0xd7; 32];

fn assert_silent(printed: &str) {
    for trace in ["d7", "D7", "215"] {
        assert!(!printed.contains(trace), "{printed:?} shows a secret");
    }
}

#[test]
fn no_secret_shows_in_debug_output() {
    assert_silent(&format!("{:?}", SigningSeed::from_bytes(&MARKED)));
    assert_silent(&format!("{:?}", X25519Scalar::from_bytes(&MARKED)));
    assert_silent(&format!("{:?}", SharedSecret::from_bytes(&MARKED)));
    assert_silent(&format!("{:?}", KemSeed::from_bytes(&[0xd7; 64])));
    assert_silent(&format!("{:?}", HybridSecret::from_bytes(&[0xd7; 64])));
    assert_silent(&format!("{:?}", SeededEntropy::new(MARKED)));
}

#[test]
fn key_pairs_print_a_name_and_nothing_they_hold() {
    for provider in providers() {
        let signing = provider
            .signing_key(&SigningSeed::from_bytes(&MARKED))
            .unwrap();
        assert!(format!("{signing:?}").ends_with("::MlDsaKey"));
        let kem = provider
            .decapsulation_key(&KemSeed::from_bytes(&[0xd7; 64]))
            .unwrap();
        assert!(format!("{kem:?}").ends_with("::MlKemKey"));
        let agreement = provider
            .agreement_key(&X25519Scalar::from_bytes(&MARKED))
            .unwrap();
        assert!(format!("{agreement:?}").ends_with("::X25519Key"));
    }
}

#[test]
fn the_halves_of_an_exchange_print_no_secret() {
    for provider in providers() {
        let initiator = Initiator::generate(&*provider).unwrap();
        let response = respond(&*provider, initiator.share()).unwrap();
        assert!(format!("{response:?}").contains("secret: HybridSecret(secret)"));
        let encapsulated = provider
            .encapsulate(initiator.share().first_chunk().unwrap())
            .unwrap();
        assert!(format!("{encapsulated:?}").contains("secret: SharedSecret(secret)"));
    }
}

#[test]
fn secrets_compare_by_value() {
    let secret = SharedSecret::from_bytes(&[1; 32]);
    assert_eq!(secret, secret.clone());
    let mut other = [1; 32];
    other[31] = 0;
    assert_ne!(secret, SharedSecret::from_bytes(&other));
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = || {
        let provider = RustCrypto::with_entropy(Arc::new(SeededEntropy::new([5; 32])));
        let seed = SigningSeed::try_fill(|bytes| provider.random(bytes)).unwrap();
        let signature = provider
            .signing_key(&seed)
            .unwrap()
            .sign(b"message")
            .unwrap();
        let share = *Initiator::generate(&provider).unwrap().share();
        let response = respond(&provider, &share).unwrap();
        (seed, signature, share, response.share, response.secret)
    };
    assert_eq!(run(), run());
}

#[derive(Debug)]
struct BrokenEntropy;

impl Entropy for BrokenEntropy {
    fn fill(&self, _: &mut [u8]) -> Result<(), EntropyFailure> {
        Err(EntropyFailure)
    }
}

#[test]
fn nothing_is_made_without_entropy() {
    let broken = RustCrypto::with_entropy(Arc::new(BrokenEntropy));
    let failure = ProviderFailure::Entropy(EntropyFailure);
    assert_eq!(broken.random(&mut [0; 32]), Err(failure));
    let signer = broken
        .signing_key(&SigningSeed::from_bytes(&[1; 32]))
        .unwrap();
    assert_eq!(signer.sign(b"message"), Err(failure));
    assert_eq!(Initiator::generate(&broken).unwrap_err(), failure);
    let key = RustCrypto::new().generate_decapsulation_key().unwrap();
    let refused = broken.encapsulate(key.encapsulation_key()).unwrap_err();
    assert_eq!(refused, KeyExchangeError::Provider(failure));
}
