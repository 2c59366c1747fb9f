//! The fast backend: aws-lc.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::agreement::{self, X25519};
use aws_lc_rs::kem::{self, ML_KEM_768};
use aws_lc_rs::signature::{
    KeyPair, ML_DSA_87, ML_DSA_87_SIGNING, PqdsaKeyPair, UnparsedPublicKey,
};
use ml_kem::ml_kem_768;
use zeroize::Zeroizing;

use super::entropy::EntropyFailure;
use super::provider::{
    AgreementKey, CIPHERTEXT_BYTES, DecapsulationKey, ENCAPSULATION_KEY_BYTES, Encapsulated,
    InvalidSignature, KeyExchangeError, Primitive, Provider, ProviderFailure, SIGNATURE_BYTES,
    Signature, SigningKey, VERIFYING_KEY_BYTES, X25519_BYTES, boxed_array,
};
use super::secret::{KemSeed, SharedSecret, SigningSeed, X25519Scalar};
use super::spki;

/// ML-DSA-87, ML-KEM-768, X25519 and randomness from aws-lc: the default, and two to eleven
/// times as fast as [`RustCrypto`](super::RustCrypto).
#[derive(Debug, Clone, Copy, Default)]
pub struct AwsLc;

impl Provider for AwsLc {
    fn name(&self) -> &'static str {
        "aws-lc"
    }

    fn random(&self, out: &mut [u8]) -> Result<(), ProviderFailure> {
        aws_lc_rs::rand::fill(out).map_err(|_| EntropyFailure.into())
    }

    fn signing_key(&self, seed: &SigningSeed) -> Result<Arc<dyn SigningKey>, ProviderFailure> {
        let pair = PqdsaKeyPair::from_seed(&ML_DSA_87_SIGNING, seed.expose())
            .map_err(|_| ML_DSA_FAILURE)?;
        let public =
            boxed_array(pair.public_key().as_ref().to_vec()).map_err(|_| ML_DSA_FAILURE)?;
        Ok(Arc::new(MlDsaKey { pair, public }))
    }

    fn verify(
        &self,
        key: &[u8; VERIFYING_KEY_BYTES],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        // A raw key whose first bytes look like a DER key of another parameter set would be read
        // as that one: wrapped, it can be read in one way only.
        let key = spki::encode(key);
        UnparsedPublicKey::new(&ML_DSA_87, key)
            .verify(message, signature)
            .map_err(|_| InvalidSignature)
    }

    /// aws-lc takes the expanded form only, so the seed is expanded by `ml-kem`.
    fn decapsulation_key(
        &self,
        seed: &KemSeed,
    ) -> Result<Box<dyn DecapsulationKey>, ProviderFailure> {
        let key = ml_kem_768::DecapsulationKey::from_seed((*seed.expose()).into());
        #[allow(
            deprecated,
            reason = "the expanded form is the only one that aws-lc imports"
        )]
        let expanded = Zeroizing::new(ml_kem::ExpandedKeyEncoding::to_expanded_bytes(&key).0);
        let public = ml_kem::kem::KeyExport::to_bytes(key.encapsulation_key());
        let key = kem::DecapsulationKey::new(&ML_KEM_768, expanded.as_slice())
            .map_err(|_| ML_KEM_FAILURE)?;
        Ok(Box::new(MlKemKey {
            key,
            public: Box::new(public.0),
        }))
    }

    fn generate_decapsulation_key(&self) -> Result<Box<dyn DecapsulationKey>, ProviderFailure> {
        let key = kem::DecapsulationKey::generate(&ML_KEM_768).map_err(|_| ML_KEM_FAILURE)?;
        let public = key
            .encapsulation_key()
            .and_then(|public| public.key_bytes())
            .map_err(|_| ML_KEM_FAILURE)?;
        let public = boxed_array(public.as_ref().to_vec()).map_err(|_| ML_KEM_FAILURE)?;
        Ok(Box::new(MlKemKey { key, public }))
    }

    fn encapsulate(
        &self,
        key: &[u8; ENCAPSULATION_KEY_BYTES],
    ) -> Result<Encapsulated, KeyExchangeError> {
        // The length is right, so that either step can only fail on the modulus check.
        let (ciphertext, secret) = kem::EncapsulationKey::new(&ML_KEM_768, key)
            .map_err(|_| KeyExchangeError::EncapsulationKey)?
            .encapsulate()
            .map_err(|_| KeyExchangeError::EncapsulationKey)?;
        Ok(Encapsulated {
            ciphertext: boxed_array(ciphertext.as_ref().to_vec()).map_err(|_| ML_KEM_FAILURE)?,
            secret: shared_secret(secret.as_ref()).ok_or(ML_KEM_FAILURE)?,
        })
    }

    fn agreement_key(
        &self,
        scalar: &X25519Scalar,
    ) -> Result<Box<dyn AgreementKey>, ProviderFailure> {
        let key = agreement::PrivateKey::from_private_key(&X25519, scalar.expose())
            .map_err(|_| X25519_FAILURE)?;
        let public = key.compute_public_key().map_err(|_| X25519_FAILURE)?;
        let public = public.as_ref().try_into().map_err(|_| X25519_FAILURE)?;
        Ok(Box::new(X25519Key { key, public }))
    }
}

const ML_DSA_FAILURE: ProviderFailure = ProviderFailure::Backend(Primitive::MlDsa87);
const ML_KEM_FAILURE: ProviderFailure = ProviderFailure::Backend(Primitive::MlKem768);
const X25519_FAILURE: ProviderFailure = ProviderFailure::Backend(Primitive::X25519);

struct MlDsaKey {
    pair: PqdsaKeyPair,
    public: Box<[u8; VERIFYING_KEY_BYTES]>,
}

impl SigningKey for MlDsaKey {
    fn verifying_key(&self) -> &[u8; VERIFYING_KEY_BYTES] {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, ProviderFailure> {
        let mut signature = vec![0; SIGNATURE_BYTES];
        self.pair
            .sign(message, &mut signature)
            .map_err(|_| ML_DSA_FAILURE)?;
        Signature::try_from(signature).map_err(|_| ML_DSA_FAILURE)
    }
}

struct MlKemKey {
    key: kem::DecapsulationKey,
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
        let secret = self
            .key
            .decapsulate(ciphertext.as_slice().into())
            .map_err(|_| ML_KEM_FAILURE)?;
        shared_secret(secret.as_ref()).ok_or(ML_KEM_FAILURE)
    }
}

struct X25519Key {
    key: agreement::PrivateKey,
    public: [u8; X25519_BYTES],
}

impl AgreementKey for X25519Key {
    fn public_key(&self) -> &[u8; X25519_BYTES] {
        &self.public
    }

    fn agree(&self, peer: &[u8; X25519_BYTES]) -> Result<SharedSecret, KeyExchangeError> {
        // Every 32 bytes are a public key, so that only an all-zero secret can fail here.
        let peer = agreement::UnparsedPublicKey::new(&X25519, peer);
        agreement::agree(
            &self.key,
            peer,
            KeyExchangeError::ZeroSharedSecret,
            |secret| shared_secret(secret).ok_or(KeyExchangeError::Provider(X25519_FAILURE)),
        )
    }
}

fn shared_secret(bytes: &[u8]) -> Option<SharedSecret> {
    bytes.try_into().ok().map(SharedSecret::from_bytes)
}

/// Prints the name of a key type and nothing that it holds.
macro_rules! opaque_debug {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!("AwsLc::", stringify!($name)))
            }
        }
    )*};
}

opaque_debug!(MlDsaKey, MlKemKey, X25519Key);
