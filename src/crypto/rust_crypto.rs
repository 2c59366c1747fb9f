//! The pure Rust backend: `ml-dsa`, `ml-kem` and `x25519-dalek`.

use std::fmt;
use std::sync::Arc;

use ml_dsa::{ExpandedSigningKey, MlDsa87};
use ml_kem::{KeyExport as _, ml_kem_768};
use rand_core::{TryCryptoRng, TryRng};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroize;

use self::decoded_keys::DecodedKeys;
use super::entropy::{Entropy, EntropyFailure, OsEntropy};
use super::provider::{
    AgreementKey, CIPHERTEXT_BYTES, DecapsulationKey, ENCAPSULATION_KEY_BYTES, Encapsulated,
    InvalidSignature, KeyExchangeError, Primitive, Provider, ProviderFailure, Signature,
    SigningKey, VERIFYING_KEY_BYTES, X25519_BYTES,
};
use super::secret::{KemSeed, SharedSecret, SigningSeed, X25519Scalar};

mod decoded_keys;

/// ML-DSA-87, ML-KEM-768 and X25519 in Rust, with randomness from an injected [`Entropy`].
///
/// Clones share the entropy source and the cache of decoded verification keys (at most 256 of
/// 74 KB each).
#[derive(Debug, Clone)]
pub struct RustCrypto {
    entropy: Arc<dyn Entropy>,
    decoded: Arc<DecodedKeys>,
}

impl RustCrypto {
    /// With randomness from the operating system.
    #[must_use]
    pub fn new() -> Self {
        Self::with_entropy(Arc::new(OsEntropy))
    }

    /// With randomness from `entropy`, for every key, encapsulation and signature.
    #[must_use]
    pub fn with_entropy(entropy: Arc<dyn Entropy>) -> Self {
        Self {
            entropy,
            decoded: Arc::default(),
        }
    }
}

impl Default for RustCrypto {
    fn default() -> Self {
        Self::new()
    }
}

impl Provider for RustCrypto {
    fn name(&self) -> &'static str {
        "rust-crypto"
    }

    fn random(&self, out: &mut [u8]) -> Result<(), ProviderFailure> {
        Ok(self.entropy.fill(out)?)
    }

    fn signing_key(&self, seed: &SigningSeed) -> Result<Arc<dyn SigningKey>, ProviderFailure> {
        let mut xi = ml_dsa::B32::from(*seed.expose());
        let key = ExpandedSigningKey::<MlDsa87>::from_seed(&xi);
        xi.zeroize();
        let public = Box::new(key.verifying_key().encode().0);
        Ok(Arc::new(MlDsaKey {
            key,
            public,
            entropy: Arc::clone(&self.entropy),
        }))
    }

    fn verify(
        &self,
        key: &[u8; VERIFYING_KEY_BYTES],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let signature =
            ml_dsa::Signature::<MlDsa87>::try_from(signature).map_err(|_| InvalidSignature)?;
        let key = self.decoded.get(key);
        if key.verify_with_context(message, &[], &signature) {
            Ok(())
        } else {
            Err(InvalidSignature)
        }
    }

    fn decapsulation_key(
        &self,
        seed: &KemSeed,
    ) -> Result<Box<dyn DecapsulationKey>, ProviderFailure> {
        let key = ml_kem_768::DecapsulationKey::from_seed((*seed.expose()).into());
        let public = Box::new(key.encapsulation_key().to_bytes().0);
        Ok(Box::new(MlKemKey { key, public }))
    }

    fn encapsulate(
        &self,
        key: &[u8; ENCAPSULATION_KEY_BYTES],
    ) -> Result<Encapsulated, KeyExchangeError> {
        let key = ml_kem_768::EncapsulationKey::new(key.into())
            .map_err(|_| KeyExchangeError::EncapsulationKey)?;
        let mut message = ml_kem::B32::default();
        self.random(&mut message)?;
        let (ciphertext, mut secret) = key.encapsulate_deterministic(&message);
        let shared = SharedSecret::from_bytes(&secret.0);
        message.zeroize();
        secret.zeroize();
        Ok(Encapsulated {
            ciphertext: Box::new(ciphertext.0),
            secret: shared,
        })
    }

    fn agreement_key(
        &self,
        scalar: &X25519Scalar,
    ) -> Result<Box<dyn AgreementKey>, ProviderFailure> {
        let key = StaticSecret::from(*scalar.expose());
        let public = PublicKey::from(&key).to_bytes();
        Ok(Box::new(X25519Key { key, public }))
    }
}

struct MlDsaKey {
    key: ExpandedSigningKey<MlDsa87>,
    public: Box<[u8; VERIFYING_KEY_BYTES]>,
    entropy: Arc<dyn Entropy>,
}

impl SigningKey for MlDsaKey {
    fn verifying_key(&self) -> &[u8; VERIFYING_KEY_BYTES] {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, ProviderFailure> {
        let mut rng = EntropyRng {
            entropy: &*self.entropy,
            failure: None,
        };
        match self.key.sign_randomized(message, &[], &mut rng) {
            Ok(signature) => Ok(Signature::from(Box::new(signature.encode().0))),
            Err(_) => Err(rng.failure.map_or(
                ProviderFailure::Backend(Primitive::MlDsa87),
                ProviderFailure::Entropy,
            )),
        }
    }
}

struct MlKemKey {
    key: ml_kem_768::DecapsulationKey,
    public: Box<[u8; ENCAPSULATION_KEY_BYTES]>,
}

impl DecapsulationKey for MlKemKey {
    fn encapsulation_key(&self) -> &[u8; ENCAPSULATION_KEY_BYTES] {
        &self.public
    }

    fn decapsulate(
        &self,
        ciphertext: &[u8; CIPHERTEXT_BYTES],
    ) -> Result<SharedSecret, ProviderFailure> {
        let mut secret = ml_kem::Decapsulate::decapsulate(&self.key, ciphertext.into());
        let shared = SharedSecret::from_bytes(&secret.0);
        secret.zeroize();
        Ok(shared)
    }
}

struct X25519Key {
    key: StaticSecret,
    public: [u8; X25519_BYTES],
}

impl AgreementKey for X25519Key {
    fn public_key(&self) -> &[u8; X25519_BYTES] {
        &self.public
    }

    fn agree(&self, peer: &[u8; X25519_BYTES]) -> Result<SharedSecret, KeyExchangeError> {
        let secret = self.key.diffie_hellman(&PublicKey::from(*peer));
        if secret.was_contributory() {
            Ok(SharedSecret::from_bytes(secret.as_bytes()))
        } else {
            Err(KeyExchangeError::ZeroSharedSecret)
        }
    }
}

/// An [`Entropy`] as the random number generator that `ml-dsa` asks for. `ml-dsa` hides why it
/// failed, so that this remembers.
struct EntropyRng<'a> {
    entropy: &'a dyn Entropy,
    failure: Option<EntropyFailure>,
}

impl TryRng for EntropyRng<'_> {
    type Error = EntropyFailure;

    fn try_next_u32(&mut self) -> Result<u32, EntropyFailure> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, EntropyFailure> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), EntropyFailure> {
        self.entropy
            .fill(out)
            .inspect_err(|failure| self.failure = Some(*failure))
    }
}

impl TryCryptoRng for EntropyRng<'_> {}

/// Prints the name of a key type and nothing that it holds.
macro_rules! opaque_debug {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!("RustCrypto::", stringify!($name)))
            }
        }
    )*};
}

opaque_debug!(MlDsaKey, MlKemKey, X25519Key);
