use super::super::*;
use super::{provider, published};
use crate::crypto::{InvalidSignature, Suite};

#[test]
fn a_seed_gives_the_published_peer_id() {
    let expected = "a4dktyu3rmejtls4cjklhvhul3h4r4xuk4p7z7tcazd46yo3i23a";
    assert_eq!(published().peer_id().to_string(), expected);
    assert_eq!(published().public_key().suite(), Suite::MlDsa87);
}

#[test]
fn what_a_key_pair_signs_its_public_key_verifies() {
    let keypair = published();
    let signature = keypair.sign(b"message").unwrap();
    let verify = |message| {
        keypair
            .public_key()
            .verify(&*provider(), message, signature.as_bytes())
    };
    assert_eq!(verify(b"message"), Ok(()));
    assert_eq!(verify(b"massage"), Err(InvalidSignature));
}

#[test]
fn generated_key_pairs_differ_and_come_back_from_their_seed() {
    let first = Keypair::generate(provider()).unwrap();
    let second = Keypair::generate(provider()).unwrap();
    assert_ne!(first.peer_id(), second.peer_id());
    let again = Keypair::from_seed(provider(), first.seed().clone()).unwrap();
    assert_eq!(again.public_key(), first.public_key());
}

#[test]
fn debug_prints_the_short_peer_id_only() {
    assert_eq!(format!("{:?}", published()), "Keypair(a4dktyu3…)");
    assert_eq!(
        format!("{:?}", published().public_key()),
        "PublicKey(a4dktyu3…)"
    );
}
