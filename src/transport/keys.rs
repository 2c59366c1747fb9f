//! Keys of the QUIC endpoint that must survive a restart.
//!
//! quinn has implementations of these traits for keys of ring or of aws-lc, whichever some package in
//! the tree asked for: with types of our own this crate works beside both.

use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::{hkdf, hmac};
use quinn::crypto::{AeadKey, CryptoError, HandshakeTokenKey, HmacKey};

use crate::crypto::{Label, derive_secret};
use crate::identity::Keypair;

/// All three derive from the identity seed: after a restart the node recognises its connection
/// ids, and its stateless resets end the stale connections of its peers at once instead of after
/// the idle timeout; address tokens that it gave out stay good.
pub(super) struct EndpointKeys {
    pub(super) reset: Arc<dyn HmacKey>,
    pub(super) token: Arc<dyn HandshakeTokenKey>,
    pub(super) connection_id: [u8; 32],
}

impl EndpointKeys {
    pub(super) fn derive(keypair: &Keypair) -> Self {
        let secret = |label| derive_secret(label, &[keypair.seed().expose()]);
        let reset = secret(Label::ResetKey);
        let token = secret(Label::TokenKey);
        let token = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(token.expose());
        Self {
            reset: Arc::new(ResetKey(hmac::Key::new(hmac::HMAC_SHA256, reset.expose()))),
            token: Arc::new(TokenKey(token)),
            connection_id: *secret(Label::ConnectionIdKey).expose(),
        }
    }
}

/// Names the stateless reset of a connection id.
struct ResetKey(hmac::Key);

impl HmacKey for ResetKey {
    fn sign(&self, data: &[u8], signature_out: &mut [u8]) {
        let tag = hmac::sign(&self.0, data);
        signature_out.copy_from_slice(tag.as_ref());
    }

    fn signature_len(&self) -> usize {
        hmac::HMAC_SHA256.digest_algorithm().output_len()
    }

    fn verify(&self, data: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        hmac::verify(&self.0, data, signature).map_err(|_| CryptoError)
    }
}

/// Seals address tokens, each under a key of its own.
struct TokenKey(hkdf::Prk);

impl TokenKey {
    fn of(&self, random: &[u8]) -> Result<LessSafeKey, Unspecified> {
        let mut key = [0; 32];
        self.0
            .expand(&[random], hkdf::HKDF_SHA256)?
            .fill(&mut key)?;
        Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key)?))
    }
}

impl HandshakeTokenKey for TokenKey {
    fn aead_from_hkdf(&self, random_bytes: &[u8]) -> Box<dyn AeadKey> {
        Box::new(OneTokenKey(self.of(random_bytes).ok()))
    }
}

/// Seals one token. The key is missing only if the library fails to make one of 32 bytes.
struct OneTokenKey(Option<LessSafeKey>);

impl OneTokenKey {
    /// The key, and a nonce that it is used with once.
    fn parts(&self) -> Result<(&LessSafeKey, Nonce), CryptoError> {
        let key = self.0.as_ref().ok_or(CryptoError)?;
        Ok((key, Nonce::assume_unique_for_key([0; 12])))
    }
}

impl AeadKey for OneTokenKey {
    fn seal(&self, data: &mut Vec<u8>, additional_data: &[u8]) -> Result<(), CryptoError> {
        let (key, nonce) = self.parts()?;
        key.seal_in_place_append_tag(nonce, Aad::from(additional_data), data)
            .map_err(|_| CryptoError)
    }

    fn open<'a>(
        &self,
        data: &'a mut [u8],
        additional_data: &[u8],
    ) -> Result<&'a mut [u8], CryptoError> {
        let (key, nonce) = self.parts()?;
        key.open_in_place(nonce, Aad::from(additional_data), data)
            .map_err(|_| CryptoError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{AwsLc, SigningSeed};

    fn keys(seed: u8) -> EndpointKeys {
        let seed = SigningSeed::from_bytes(&[seed; 32]);
        EndpointKeys::derive(&Keypair::from_seed(Arc::new(AwsLc), seed).unwrap())
    }

    /// What a node sealed before a restart it opens after it, and nobody else does.
    #[test]
    fn a_token_is_opened_by_the_same_identity_alone() {
        let mut token = b"an address".to_vec();
        let sealing = keys(1).token.aead_from_hkdf(&[7; 32]);
        sealing.seal(&mut token, b"who").unwrap();
        let open = |seed, random, about: &[u8]| {
            let opening = keys(seed).token.aead_from_hkdf(&[random; 32]);
            let opened = opening
                .open(&mut token.clone(), about)
                .map(|text| text.to_vec());
            opened.ok()
        };
        assert_eq!(open(1, 7, b"who").unwrap(), b"an address");
        assert_eq!(open(2, 7, b"who"), None, "another identity");
        assert_eq!(open(1, 8, b"who"), None, "another token's number");
        assert_eq!(open(1, 7, b"whom"), None, "other data");
    }

    #[test]
    fn a_reset_is_named_by_the_same_identity_alone() {
        let reset = keys(1).reset;
        let mut name = vec![0; reset.signature_len()];
        reset.sign(b"id", &mut name);
        assert!(keys(1).reset.verify(b"id", &name).is_ok());
        assert!(keys(2).reset.verify(b"id", &name).is_err());
        assert!(reset.verify(b"another", &name).is_err());
    }
}
