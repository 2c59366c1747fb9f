//! Known answers, checked at start-up.
//!
//! A miscompiled or broken backend would sign what nobody accepts and derive keys that nobody
//! shares. The answers were computed by an implementation that is neither of ours (OpenSSL) or are
//! printed in the standards.

use thiserror::Error;

use super::provider::{
    CIPHERTEXT_BYTES, Primitive, Provider, ProviderFailure, SIGNATURE_BYTES, VERIFYING_KEY_BYTES,
};
use super::{KemSeed, KeyHash, Label, SharedSecret, SignedInput, SigningSeed, Suite, X25519Scalar};

/// Seed of the ML-DSA-87 key pair: the bytes 0 to 31.
const SIGNING_SEED: [u8; 32] = counting();
/// Seed of the ML-KEM-768 key pair: the bytes 0 to 63.
const KEM_SEED: [u8; 64] = counting();
/// [`KeyHash`] of the verification key of [`SIGNING_SEED`].
const KEY_HASH: [u8; 32] = hex(b"0706a9e29b8b0899ae5c1254b3d4f45ecfc8f2f4571ffcfe620647cf61db46b6");
/// A hedged signature under [`SIGNING_SEED`] of the self-test's signed input.
const SIGNATURE: &[u8; SIGNATURE_BYTES] = include_bytes!("self_test/ml_dsa_87.signature");
/// BLAKE3 of the encapsulation key of [`KEM_SEED`].
const ENCAPSULATION_KEY_HASH: [u8; 32] =
    hex(b"cc4b207d7b69fc89154fcfc6f0b96f989939873391969bc1fe2eea03e6f389aa");
/// A ciphertext for [`KEM_SEED`], and the secret in it.
const CIPHERTEXT: &[u8; CIPHERTEXT_BYTES] = include_bytes!("self_test/ml_kem_768.ciphertext");
const ENCAPSULATED: [u8; 32] =
    hex(b"9e8a5f51bd33de7ca794b3f87b3e081466a8379495b50c75ccba96e8673b78ed");
/// The secret that implicit rejection gives for [`CIPHERTEXT`] with its first bit flipped.
const REJECTED: [u8; 32] = hex(b"0d1a37064613a5fdfdf047ee7406826ca9834f43270338009385fad681174787");
/// First test vector of RFC 7748, section 5.2: scalar, u-coordinate, result.
const X25519: [[u8; 32]; 3] = [
    hex(b"a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
    hex(b"e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"),
    hex(b"c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"),
];
/// BLAKE3 of the published test input of 1 025 bytes, the first length that needs a tree.
const BLAKE3: [u8; 32] = hex(b"d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444");

/// A provider that must not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("self-test of the {provider} provider: {primitive} {check}")]
pub struct SelfTestFailure {
    /// [`Provider::name`].
    pub provider: &'static str,
    /// The primitive that failed.
    pub primitive: Primitive,
    /// What it failed at.
    pub check: SelfTestCheck,
}

/// A check of the self-test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SelfTestCheck {
    /// The result differs from the known answer.
    #[error("gave a wrong answer")]
    KnownAnswer,
    /// What was just made does not open or verify.
    #[error("does not understand itself")]
    RoundTrip,
    /// Bad input was accepted.
    #[error("accepted bad input")]
    Refusal,
    /// The backend refused to compute.
    #[error("failed: {0}")]
    Provider(ProviderFailure),
}

type Check = fn(&dyn Provider) -> Result<(), SelfTestCheck>;

/// Checks every primitive of `provider` against known answers: below 1 ms with aws-lc, 4 ms with
/// the pure Rust backend.
///
/// # Errors
/// The first [`SelfTestFailure`]; the provider must not be used then.
pub fn self_test(provider: &dyn Provider) -> Result<(), SelfTestFailure> {
    let checks: [(Primitive, Check); 5] = [
        (Primitive::Blake3, |_| blake3()),
        (Primitive::Randomness, randomness),
        (Primitive::MlDsa87, ml_dsa_87),
        (Primitive::MlKem768, ml_kem_768),
        (Primitive::X25519, x25519),
    ];
    checks.into_iter().try_for_each(|(primitive, check)| {
        check(provider).map_err(|check| SelfTestFailure {
            provider: provider.name(),
            primitive,
            check,
        })
    })
}

fn blake3() -> Result<(), SelfTestCheck> {
    let input: Vec<u8> = (0..=250).cycle().take(1025).collect();
    known(blake3::hash(&input).as_bytes() == &BLAKE3)
}

fn randomness(provider: &dyn Provider) -> Result<(), SelfTestCheck> {
    let mut draws = [[0; 32]; 2];
    for draw in &mut draws {
        provider.random(draw).map_err(SelfTestCheck::Provider)?;
    }
    known(draws[0] != draws[1] && !draws.contains(&[0; 32]))
}

fn ml_dsa_87(provider: &dyn Provider) -> Result<(), SelfTestCheck> {
    let seed = SigningSeed::from_bytes(&SIGNING_SEED);
    let signer = provider
        .signing_key(&seed)
        .map_err(SelfTestCheck::Provider)?;
    let key: &[u8; VERIFYING_KEY_BYTES] = signer.verifying_key();
    known(KeyHash::of(Suite::MlDsa87, key).as_bytes() == &KEY_HASH)?;

    let input = SignedInput::new(Label::SelfTest, &[0; 32]);
    known(provider.verify(key, input.as_bytes(), SIGNATURE).is_ok())?;
    let signature = signer
        .sign(input.as_bytes())
        .map_err(SelfTestCheck::Provider)?;
    let verdict = provider.verify(key, input.as_bytes(), signature.as_bytes());
    verdict.map_err(|_| SelfTestCheck::RoundTrip)?;

    let mut tampered = *SIGNATURE;
    tampered[0] ^= 1;
    refused(provider.verify(key, input.as_bytes(), &tampered).is_err())
}

fn ml_kem_768(provider: &dyn Provider) -> Result<(), SelfTestCheck> {
    let seed = KemSeed::from_bytes(&KEM_SEED);
    let key = provider
        .decapsulation_key(&seed)
        .map_err(SelfTestCheck::Provider)?;
    let public = key.encapsulation_key();
    known(blake3::hash(public).as_bytes() == &ENCAPSULATION_KEY_HASH)?;

    let opens_to = |ciphertext, secret| {
        let opened = key
            .decapsulate(ciphertext)
            .map_err(SelfTestCheck::Provider)?;
        known(opened == SharedSecret::from_bytes(&secret))
    };
    opens_to(CIPHERTEXT, ENCAPSULATED)?;
    let mut tampered = *CIPHERTEXT;
    tampered[0] ^= 1;
    opens_to(&tampered, REJECTED)?;

    let sent = provider
        .encapsulate(public)
        .map_err(|_| SelfTestCheck::RoundTrip)?;
    let opened = key
        .decapsulate(&sent.ciphertext)
        .map_err(SelfTestCheck::Provider)?;
    if opened != sent.secret {
        return Err(SelfTestCheck::RoundTrip);
    }
    let mut unreduced = *public;
    unreduced[..3].fill(0xff);
    refused(provider.encapsulate(&unreduced).is_err())
}

fn x25519(provider: &dyn Provider) -> Result<(), SelfTestCheck> {
    let [scalar, peer, expected] = X25519;
    let scalar = X25519Scalar::from_bytes(&scalar);
    let key = provider
        .agreement_key(&scalar)
        .map_err(SelfTestCheck::Provider)?;
    let agreed = key.agree(&peer).map_err(|_| SelfTestCheck::KnownAnswer)?;
    known(agreed == SharedSecret::from_bytes(&expected))?;
    refused(key.agree(&[0; 32]).is_err())
}

fn known(holds: bool) -> Result<(), SelfTestCheck> {
    if holds {
        Ok(())
    } else {
        Err(SelfTestCheck::KnownAnswer)
    }
}

fn refused(holds: bool) -> Result<(), SelfTestCheck> {
    if holds {
        Ok(())
    } else {
        Err(SelfTestCheck::Refusal)
    }
}

/// The bytes 0, 1, 2, … of a test seed.
const fn counting<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let mut next = 1;
    while next < N {
        bytes[next] = bytes[next - 1] + 1;
        next += 1;
    }
    bytes
}

/// 32 bytes from 64 lower-case hexadecimal digits, at compile time.
const fn hex(digits: &[u8; 64]) -> [u8; 32] {
    let mut bytes = [0; 32];
    let mut next = 0;
    while next < 32 {
        bytes[next] = digit(digits[2 * next]) << 4 | digit(digits[2 * next + 1]);
        next += 1;
    }
    bytes
}

const fn digit(character: u8) -> u8 {
    match character {
        b'0'..=b'9' => character - b'0',
        _ => character - b'a' + 10,
    }
}
