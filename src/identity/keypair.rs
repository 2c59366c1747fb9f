//! A node's own key pair.

use std::fmt;
use std::sync::Arc;

use super::{PeerId, PublicKey};
use crate::crypto::{Provider, ProviderFailure, Signature, SigningKey, SigningSeed};

/// A node's own ML-DSA-87 key pair and the provider that computes with it.
///
/// The seed is expanded once; clones share everything. `Debug` prints the peer id only.
#[derive(Clone)]
pub struct Keypair(Arc<Inner>);

struct Inner {
    provider: Arc<dyn Provider>,
    seed: SigningSeed,
    signer: Arc<dyn SigningKey>,
    public_key: PublicKey,
}

impl Keypair {
    /// A fresh key pair from the provider's randomness.
    ///
    /// # Errors
    /// [`ProviderFailure`] if randomness or the backend fails.
    pub fn generate(provider: Arc<dyn Provider>) -> Result<Self, ProviderFailure> {
        let seed = SigningSeed::try_fill(|bytes| provider.random(bytes))?;
        Self::from_seed(provider, seed)
    }

    /// The key pair of `seed`: the same one for every provider.
    ///
    /// # Errors
    /// [`ProviderFailure`] if the backend fails.
    pub fn from_seed(
        provider: Arc<dyn Provider>,
        seed: SigningSeed,
    ) -> Result<Self, ProviderFailure> {
        let signer = provider.signing_key(&seed)?;
        let public_key = PublicKey::ml_dsa_87(signer.verifying_key());
        Ok(Self(Arc::new(Inner {
            provider,
            seed,
            signer,
            public_key,
        })))
    }

    /// The name of this node.
    #[must_use]
    pub fn peer_id(&self) -> PeerId {
        self.0.public_key.peer_id()
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.0.public_key
    }

    /// The provider that this key pair computes with.
    #[must_use]
    pub fn provider(&self) -> &Arc<dyn Provider> {
        &self.0.provider
    }

    /// The expanded private half.
    #[must_use]
    pub fn signer(&self) -> &Arc<dyn SigningKey> {
        &self.0.signer
    }

    /// The secret from which the key pair and the node's transport keys derive.
    #[must_use]
    pub fn seed(&self) -> &SigningSeed {
        &self.0.seed
    }

    /// Signs `message` with the empty context. Messages of the protocol are written by
    /// [`SignedInput`](crate::crypto::SignedInput).
    ///
    /// # Errors
    /// [`ProviderFailure`] if randomness or the backend fails.
    pub fn sign(&self, message: &[u8]) -> Result<Signature, ProviderFailure> {
        self.0.signer.sign(message)
    }
}

impl fmt::Debug for Keypair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keypair({:?})", self.peer_id())
    }
}
