//! Both crypto backends give the same verdict and the same result on every signature, key and
//! ciphertext: a disagreement would make honest peers ban each other.
//!
//! The first byte of the input, modulo their number, chooses the operation. Operations on whole inputs are seeded from
//! Wycheproof; the others change bytes of valid inputs, which lie where random bytes never get to.
#![no_main]

use std::sync::{Arc, LazyLock};

use cretoai_network::crypto::{
    AwsLc, CIPHERTEXT_BYTES, ENCAPSULATION_KEY_BYTES, KemSeed, KeyExchangeError, Provider,
    RustCrypto, SIGNATURE_BYTES, SeededEntropy, SigningSeed, VERIFYING_KEY_BYTES, X25519Scalar,
};
use libfuzzer_sys::fuzz_target;

static AWS_LC: AwsLc = AwsLc;
static RUST: LazyLock<RustCrypto> =
    LazyLock::new(|| RustCrypto::with_entropy(Arc::new(SeededEntropy::new([3; 32]))));
static VALID: LazyLock<Valid> = LazyLock::new(Valid::new);

/// Number of operations that [`run`] knows.
const OPERATIONS: u8 = 10;

const MESSAGE: &[u8] = b"message";

/// Inputs that both backends accept.
struct Valid {
    verifying_key: [u8; VERIFYING_KEY_BYTES],
    signature: [u8; SIGNATURE_BYTES],
    kem_seed: KemSeed,
    encapsulation_key: [u8; ENCAPSULATION_KEY_BYTES],
    ciphertext: [u8; CIPHERTEXT_BYTES],
}

impl Valid {
    fn new() -> Self {
        let signer = RUST
            .signing_key(&SigningSeed::from_bytes(&[1; 32]))
            .unwrap();
        let kem_seed = KemSeed::from_bytes(&[2; 64]);
        let decapsulation_key = RUST.decapsulation_key(&kem_seed).unwrap();
        let encapsulation_key = *decapsulation_key.encapsulation_key();
        Self {
            verifying_key: *signer.verifying_key(),
            signature: *signer.sign(MESSAGE).unwrap().as_bytes(),
            kem_seed,
            encapsulation_key,
            ciphertext: *RUST.encapsulate(&encapsulation_key).unwrap().ciphertext,
        }
    }
}

/// Changes bytes: each change is a position of two bytes and a mask.
fn changed<const N: usize>(valid: &[u8; N], changes: &[u8]) -> [u8; N] {
    let mut bytes = *valid;
    for change in changes.chunks_exact(3) {
        let position = usize::from(u16::from_le_bytes([change[0], change[1]]));
        bytes[position % N] ^= change[2];
    }
    bytes
}

fn verify(key: &[u8; VERIFYING_KEY_BYTES], message: &[u8], signature: &[u8]) {
    let verdict = RUST.verify(key, message, signature);
    assert_eq!(AWS_LC.verify(key, message, signature), verdict);
}

fn encapsulate(key: &[u8; ENCAPSULATION_KEY_BYTES]) {
    let refusal = |result: Result<_, KeyExchangeError>| result.map(drop).err();
    assert_eq!(
        refusal(AWS_LC.encapsulate(key)),
        refusal(RUST.encapsulate(key))
    );
}

fn decapsulate(seed: &KemSeed, ciphertext: &[u8; CIPHERTEXT_BYTES]) {
    let (aws_lc, rust) = (AWS_LC.decapsulation_key(seed), RUST.decapsulation_key(seed));
    let (aws_lc, rust) = (aws_lc.unwrap(), rust.unwrap());
    assert_eq!(aws_lc.encapsulation_key(), rust.encapsulation_key());
    let (ours, theirs) = (aws_lc.decapsulate(ciphertext), rust.decapsulate(ciphertext));
    assert_eq!(ours.unwrap().expose(), theirs.unwrap().expose());
}

fn agree(scalar: &[u8; 32], peer: &[u8; 32]) {
    let secret = |provider: &dyn Provider| {
        let key = provider
            .agreement_key(&X25519Scalar::from_bytes(scalar))
            .unwrap();
        (
            *key.public_key(),
            key.agree(peer).map(|secret| *secret.expose()),
        )
    };
    assert_eq!(secret(&AWS_LC), secret(&*RUST));
}

fn sign(seed: &[u8; 32], message: &[u8]) {
    let seed = SigningSeed::from_bytes(seed);
    let (aws_lc, rust) = (
        AWS_LC.signing_key(&seed).unwrap(),
        RUST.signing_key(&seed).unwrap(),
    );
    let key = aws_lc.verifying_key();
    assert_eq!(key, rust.verifying_key());
    let (by_aws_lc, by_rust) = (aws_lc.sign(message).unwrap(), rust.sign(message).unwrap());
    assert_eq!(RUST.verify(key, message, by_aws_lc.as_bytes()), Ok(()));
    assert_eq!(AWS_LC.verify(key, message, by_rust.as_bytes()), Ok(()));
}

fn run(data: &[u8]) -> Option<()> {
    let (&operation, rest) = data.split_first()?;
    match operation % OPERATIONS {
        0 => {
            let (key, rest) = rest.split_first_chunk()?;
            let (signature, message) = rest.split_at_checked(SIGNATURE_BYTES)?;
            verify(key, message, signature);
        }
        1 => verify(
            &VALID.verifying_key,
            MESSAGE,
            &changed(&VALID.signature, rest),
        ),
        2 => verify(
            &changed(&VALID.verifying_key, rest),
            MESSAGE,
            &VALID.signature,
        ),
        3 => verify(&VALID.verifying_key, MESSAGE, rest),
        4 => encapsulate(rest.first_chunk()?),
        5 => encapsulate(&changed(&VALID.encapsulation_key, rest)),
        6 => {
            let (seed, rest) = rest.split_first_chunk()?;
            decapsulate(&KemSeed::from_bytes(seed), rest.first_chunk()?);
        }
        7 => decapsulate(&VALID.kem_seed, &changed(&VALID.ciphertext, rest)),
        8 => {
            let (scalar, rest) = rest.split_first_chunk()?;
            agree(scalar, rest.first_chunk()?);
        }
        9 => {
            let (seed, message) = rest.split_first_chunk()?;
            sign(seed, message);
        }
        _ => {}
    }
    Some(())
}

fuzz_target!(|data: &[u8]| {
    let _ = run(data);
});
