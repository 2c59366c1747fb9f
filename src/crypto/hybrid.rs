//! X25519MLKEM768: the hybrid key exchange of TLS (group 0x11ec), over any [`Provider`].
//!
//! The initiator sends ML-KEM-768 encapsulation key ‖ X25519 public key, the responder answers
//! ML-KEM-768 ciphertext ‖ X25519 public key, and both hold ML-KEM secret ‖ X25519 secret
//! (draft-ietf-tls-ecdhe-mlkem, section 4). The secret stays safe while either part does. It is
//! not uniform: feed it to a KDF together with the transcript.

use super::provider::{
    AgreementKey, CIPHERTEXT_BYTES, DecapsulationKey, ENCAPSULATION_KEY_BYTES, KeyExchangeError,
    Provider, ProviderFailure, X25519_BYTES,
};
use super::secret::SharedSecret;

pub use super::secret::HybridSecret;

/// Length of the initiator's share.
pub const CLIENT_SHARE_BYTES: usize = ENCAPSULATION_KEY_BYTES + X25519_BYTES;
/// Length of the responder's share.
pub const SERVER_SHARE_BYTES: usize = CIPHERTEXT_BYTES + X25519_BYTES;

/// The initiator's half, waiting for the responder's share.
#[derive(Debug)]
pub struct Initiator {
    kem: Box<dyn DecapsulationKey>,
    agreement: Box<dyn AgreementKey>,
    share: Box<[u8; CLIENT_SHARE_BYTES]>,
}

impl Initiator {
    /// Fresh ephemeral keys.
    ///
    /// # Errors
    /// [`ProviderFailure`] if randomness or the backend fails.
    pub fn generate(provider: &dyn Provider) -> Result<Self, ProviderFailure> {
        let kem = provider.generate_decapsulation_key()?;
        let agreement = provider.generate_agreement_key()?;
        let share = join(kem.encapsulation_key(), agreement.public_key());
        Ok(Self {
            kem,
            agreement,
            share,
        })
    }

    /// The share to send.
    #[must_use]
    pub fn share(&self) -> &[u8; CLIENT_SHARE_BYTES] {
        &self.share
    }

    /// Ends the exchange with the responder's share. Consumes the keys: they are used once.
    ///
    /// # Errors
    /// [`KeyExchangeError::ShareLength`] for any length but [`SERVER_SHARE_BYTES`],
    /// [`KeyExchangeError::ZeroSharedSecret`] for an X25519 key of small order.
    pub fn complete(self, server_share: &[u8]) -> Result<HybridSecret, KeyExchangeError> {
        let (ciphertext, public) =
            split::<CIPHERTEXT_BYTES>(server_share).ok_or(KeyExchangeError::ShareLength {
                expected: SERVER_SHARE_BYTES,
                actual: server_share.len(),
            })?;
        let agreed = self.agreement.agree(public)?;
        let decapsulated = self.kem.decapsulate(ciphertext)?;
        combine(&decapsulated, &agreed)
    }
}

/// The responder's half: its share to send and the secret.
#[derive(Debug)]
pub struct Response {
    /// The share to send.
    pub share: Box<[u8; SERVER_SHARE_BYTES]>,
    /// The secret that the initiator will hold, too.
    pub secret: HybridSecret,
}

/// Answers an initiator's share.
///
/// # Errors
/// [`KeyExchangeError::ShareLength`] for any length but [`CLIENT_SHARE_BYTES`],
/// [`KeyExchangeError::EncapsulationKey`] for an ML-KEM key that fails the modulus check,
/// [`KeyExchangeError::ZeroSharedSecret`] for an X25519 key of small order.
pub fn respond(provider: &dyn Provider, client_share: &[u8]) -> Result<Response, KeyExchangeError> {
    let (encapsulation_key, public) =
        split::<ENCAPSULATION_KEY_BYTES>(client_share).ok_or(KeyExchangeError::ShareLength {
            expected: CLIENT_SHARE_BYTES,
            actual: client_share.len(),
        })?;
    let encapsulated = provider.encapsulate(encapsulation_key)?;
    let agreement = provider.generate_agreement_key()?;
    let agreed = agreement.agree(public)?;
    Ok(Response {
        share: join(&encapsulated.ciphertext, agreement.public_key()),
        secret: combine(&encapsulated.secret, &agreed)?,
    })
}

/// Splits a share into its ML-KEM part of `N` bytes and its X25519 part, or refuses its length.
fn split<const N: usize>(share: &[u8]) -> Option<(&[u8; N], &[u8; X25519_BYTES])> {
    let (kem, x25519) = share.split_first_chunk::<N>()?;
    Some((kem, x25519.try_into().ok()?))
}

fn join<const N: usize, const M: usize>(
    kem: &[u8; N],
    x25519: &[u8; X25519_BYTES],
) -> Box<[u8; M]> {
    let mut share = Box::new([0; M]);
    share
        .iter_mut()
        .zip(kem.iter().chain(x25519))
        .for_each(|(out, byte)| *out = *byte);
    share
}

fn combine(kem: &SharedSecret, x25519: &SharedSecret) -> Result<HybridSecret, KeyExchangeError> {
    HybridSecret::try_fill(|out| {
        let (first, second) = out.split_at_mut(SharedSecret::BYTES);
        first.copy_from_slice(kem.expose());
        second.copy_from_slice(x25519.expose());
        Ok(())
    })
}
