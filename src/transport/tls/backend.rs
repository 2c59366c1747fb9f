//! What rustls needs from a [`Provider`]: a key-exchange group and randomness.

use std::sync::Arc;

use rustls::crypto::{
    ActiveKeyExchange, CompletedKeyExchange, CryptoProvider, GetRandomFailed, SecureRandom,
    SharedSecret, SupportedKxGroup, WebPkiSupportedAlgorithms, aws_lc_rs,
};
use rustls::{Error, NamedGroup, PeerMisbehaved};

use crate::crypto::hybrid::{self, Initiator};
use crate::crypto::{KeyExchangeError, Provider, ProviderFailure};

/// The rustls provider of a node whose primitives come from `provider`.
///
/// rustls holds its groups by `'static` reference, so one small object is leaked for each call:
/// a node builds its TLS once in its life. Signatures do not pass through here: the verifier and
/// the signing key call the provider themselves, so the list of algorithms is empty.
pub(super) fn rustls_provider(provider: Arc<dyn Provider>) -> CryptoProvider {
    let backend: &'static Backend = Box::leak(Box::new(Backend { provider }));
    let packet_protection = aws_lc_rs::default_provider();
    CryptoProvider {
        cipher_suites: vec![
            aws_lc_rs::cipher_suite::TLS13_AES_256_GCM_SHA384,
            aws_lc_rs::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
        ],
        kx_groups: vec![backend],
        signature_verification_algorithms: WebPkiSupportedAlgorithms {
            all: &[],
            mapping: &[],
        },
        secure_random: backend,
        key_provider: packet_protection.key_provider,
    }
}

#[derive(Debug)]
struct Backend {
    provider: Arc<dyn Provider>,
}

impl SecureRandom for Backend {
    fn fill(&self, out: &mut [u8]) -> Result<(), GetRandomFailed> {
        self.provider.random(out).map_err(|_| GetRandomFailed)
    }
}

impl SupportedKxGroup for Backend {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let initiator = Initiator::generate(&*self.provider).map_err(failure)?;
        Ok(Box::new(Started { initiator }))
    }

    fn start_and_complete(&self, client_share: &[u8]) -> Result<CompletedKeyExchange, Error> {
        let response = hybrid::respond(&*self.provider, client_share).map_err(blame)?;
        Ok(CompletedKeyExchange {
            group: NamedGroup::X25519MLKEM768,
            pub_key: response.share.to_vec(),
            secret: SharedSecret::from(response.secret.expose().as_slice()),
        })
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::X25519MLKEM768
    }
}

struct Started {
    initiator: Initiator,
}

impl ActiveKeyExchange for Started {
    fn complete(self: Box<Self>, server_share: &[u8]) -> Result<SharedSecret, Error> {
        let secret = self.initiator.complete(server_share).map_err(blame)?;
        Ok(SharedSecret::from(secret.expose().as_slice()))
    }

    fn pub_key(&self) -> &[u8] {
        self.initiator.share()
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X25519MLKEM768
    }
}

/// A bad share is the peer's fault; anything else is ours.
fn blame(error: KeyExchangeError) -> Error {
    match error {
        KeyExchangeError::Provider(error) => failure(error),
        _ => PeerMisbehaved::InvalidKeyShare.into(),
    }
}

fn failure(_: ProviderFailure) -> Error {
    Error::FailedToGetRandomBytes
}
