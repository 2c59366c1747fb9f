use super::super::*;
use super::pairings;

const NETWORK: [u8; 32] = [1; 32];
const TOPIC: [u8; 32] = [2; 32];
const PUBLISHER: KeyHash = KeyHash::from_bytes([3; 32]);

fn body(first: u64, leaves: usize) -> Result<SealBody, SealBounds> {
    let leaves = (0..leaves)
        .map(|number| [(number % 256) as u8; 32])
        .collect();
    SealBody::new(Suite::MlDsa87, PUBLISHER, TOPIC, 5, first, leaves)
}

fn leaf_input() -> LeafInput<'static> {
    LeafInput {
        network: &NETWORK,
        topic: &TOPIC,
        publisher: PUBLISHER,
        epoch: 5,
        counter: 6,
        timestamp_ms: 7,
        content: ContentDigest::of(b"data"),
    }
}

#[test]
fn a_seal_covers_one_to_1024_messages() {
    assert_eq!(body(0, 0), Err(SealBounds::LeafCount(0)));
    assert!(body(0, 1).is_ok());
    assert!(body(0, MAX_SEAL_LEAVES - 1).is_ok());
    assert!(body(0, MAX_SEAL_LEAVES).is_ok());
    let refused = body(0, MAX_SEAL_LEAVES + 1);
    assert_eq!(refused, Err(SealBounds::LeafCount(MAX_SEAL_LEAVES + 1)));
}

#[test]
fn counters_never_overflow() {
    let last = body(u64::MAX - 10, 10).unwrap();
    assert_eq!(last.counter(9), Some(u64::MAX - 1));
    assert_eq!(last.next_counter(), u64::MAX);
    assert!(body(u64::MAX - 11, 10).is_ok());
    let first = u64::MAX - 9;
    assert_eq!(
        body(first, 10),
        Err(SealBounds::CounterOverflow { first, leaves: 10 })
    );
}

#[test]
fn leaves_and_counters_end_with_the_list() {
    let body = body(100, 3).unwrap();
    assert_eq!(body.leaf(2), Some(Leaf([2; 32])));
    assert_eq!(body.leaf(3), None);
    assert_eq!(body.counter(2), Some(102));
    assert_eq!(body.counter(3), None);
    let indices = [99, 100, 102, 103, u64::MAX].map(|counter| body.index_of(counter));
    assert_eq!(indices, [None, Some(0), Some(2), None, None]);
    assert_eq!(body.next_counter(), 103);
}

#[test]
fn the_signed_input_has_the_published_layout() {
    let body = body(0x0102, 2).unwrap();
    let expected = [
        Label::Seal.hash().as_slice(),
        &NETWORK,
        PUBLISHER.as_bytes(),
        &TOPIC,
        &[5, 0, 0, 0, 0, 0, 0, 0],
        &[2, 1, 0, 0, 0, 0, 0, 0],
        &[2, 0],
        blake3::hash(&[[0; 32], [1; 32]].concat()).as_bytes(),
    ]
    .concat();
    assert_eq!(body.input(&NETWORK).as_bytes(), expected);
}

#[test]
fn a_leaf_has_the_published_layout() {
    let input = [
        NETWORK.as_slice(),
        &TOPIC,
        PUBLISHER.as_bytes(),
        &[5, 0, 0, 0, 0, 0, 0, 0],
        &[6, 0, 0, 0, 0, 0, 0, 0],
        &[7, 0, 0, 0, 0, 0, 0, 0],
        &[4, 0, 0, 0, 0, 0, 0, 0],
        blake3::hash(b"data").as_bytes(),
    ]
    .concat();
    let expected = blake3::derive_key("creto/1 leaf", &input);
    assert_eq!(leaf_input().leaf(), Leaf(expected));
}

#[test]
fn every_field_changes_the_leaf() {
    let original = leaf_input();
    let other = [9; 32];
    let changed = [
        LeafInput {
            network: &other,
            ..original
        },
        LeafInput {
            topic: &other,
            ..original
        },
        LeafInput {
            publisher: KeyHash::from_bytes(other),
            ..original
        },
        LeafInput {
            epoch: 9,
            ..original
        },
        LeafInput {
            counter: 9,
            ..original
        },
        LeafInput {
            timestamp_ms: 9,
            ..original
        },
        LeafInput {
            content: ContentDigest::of(b"date"),
            ..original
        },
    ];
    for input in changed {
        assert_ne!(input.leaf(), original.leaf(), "{input:?}");
    }
}

fn public(key: &dyn SigningKey) -> VerifyingKey {
    VerifyingKey::ml_dsa_87(key.verifying_key())
}

fn sealed(key: &dyn SigningKey) -> Seal {
    SealBody::new(
        Suite::MlDsa87,
        public(key).hash(),
        TOPIC,
        5,
        6,
        vec![[8; 32]; 20],
    )
    .unwrap()
    .sign(&NETWORK, key)
    .unwrap()
}

#[test]
fn a_seal_of_one_backend_verifies_in_the_other() {
    for (signer, verifier) in pairings() {
        let key = signer
            .signing_key(&SigningSeed::from_bytes(&[1; 32]))
            .unwrap();
        let seal = sealed(&*key);
        assert_eq!(seal.verify(&*verifier, &NETWORK, &public(&*key)), Ok(()));
    }
}

#[test]
fn a_seal_under_another_key_or_network_is_refused() {
    let provider = RustCrypto::new();
    let key = provider
        .signing_key(&SigningSeed::from_bytes(&[1; 32]))
        .unwrap();
    let other = provider
        .signing_key(&SigningSeed::from_bytes(&[2; 32]))
        .unwrap();
    let seal = sealed(&*key);
    let verify = |network, key| seal.verify(&provider, &network, &public(key));
    assert_eq!(verify(NETWORK, &*other), Err(SealFault::WrongKey));
    let refused = Err(SealFault::Signature(InvalidSignature));
    assert_eq!(verify([9; 32], &*key), refused);
}

#[test]
fn a_seal_with_any_field_changed_is_refused() {
    let provider = RustCrypto::new();
    let key = provider
        .signing_key(&SigningSeed::from_bytes(&[1; 32]))
        .unwrap();
    let seal = sealed(&*key);
    let original = seal.body();
    let rebuilt = |topic, epoch, first, leaves: Vec<[u8; 32]>| {
        SealBody::new(
            Suite::MlDsa87,
            original.publisher(),
            topic,
            epoch,
            first,
            leaves,
        )
        .unwrap()
        .with_signature(seal.signature().clone())
        .verify(&provider, &NETWORK, &public(&*key))
    };
    let leaves = original.leaves().to_vec();
    let mut swapped = leaves.clone();
    swapped[3] = [0; 32];
    let refused = Err(SealFault::Signature(InvalidSignature));
    assert_eq!(rebuilt(TOPIC, 5, 6, leaves.clone()), Ok(()));
    assert_eq!(rebuilt([9; 32], 5, 6, leaves.clone()), refused);
    assert_eq!(rebuilt(TOPIC, 9, 6, leaves.clone()), refused);
    assert_eq!(rebuilt(TOPIC, 5, 9, leaves.clone()), refused);
    assert_eq!(rebuilt(TOPIC, 5, 6, leaves[1..].to_vec()), refused);
    assert_eq!(rebuilt(TOPIC, 5, 6, swapped), refused);
}
