//! How a node shows its identity in TLS.

use std::sync::Arc;

use rcgen::{CertificateParams, DistinguishedName, PKCS_ML_DSA_87, PublicKeyData};
use rustls::client::ResolvesClientCert;
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::{Error, SignatureAlgorithm, SignatureScheme};
use serde::{Deserialize, Serialize};

use super::TlsError;
use crate::identity::Keypair;

/// What a node presents in the handshake. All nodes of a network use the same kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Credential {
    /// The bare public key (RFC 7250), 2.6 KB: first contact in one round trip.
    #[default]
    RawPublicKey,
    /// A self-signed certificate, 7.4 KB: for peers whose TLS library knows nothing else.
    X509,
}

/// Presents the node's one credential, whatever the other end asks for.
#[derive(Debug)]
pub(super) struct IdentityResolver {
    key: Arc<CertifiedKey>,
    credential: Credential,
}

impl IdentityResolver {
    pub(super) fn new(keypair: &Keypair, credential: Credential) -> Result<Self, TlsError> {
        let encoded = match credential {
            Credential::RawPublicKey => keypair.public_key().to_spki_der(),
            Credential::X509 => self_signed(keypair)?,
        };
        let signing_key = Arc::new(IdentityKey(keypair.clone()));
        let key = Arc::new(CertifiedKey::new(
            vec![CertificateDer::from(encoded)],
            signing_key,
        ));
        Ok(Self { key, credential })
    }
}

impl ResolvesServerCert for IdentityResolver {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.key.clone())
    }

    fn only_raw_public_keys(&self) -> bool {
        self.credential == Credential::RawPublicKey
    }
}

impl ResolvesClientCert for IdentityResolver {
    fn resolve(&self, _: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        schemes
            .contains(&SignatureScheme::ML_DSA_87)
            .then(|| self.key.clone())
    }

    fn only_raw_public_keys(&self) -> bool {
        self.credential == Credential::RawPublicKey
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// The identity key as rustls and rcgen see it. Both sign with the empty context of FIPS 204.
#[derive(Debug)]
struct IdentityKey(Keypair);

impl SigningKey for IdentityKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered
            .contains(&SignatureScheme::ML_DSA_87)
            .then(|| Box::new(Self(self.0.clone())) as Box<dyn Signer>)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(self.0.public_key().to_spki_der().into())
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::Unknown(0)
    }
}

impl Signer for IdentityKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature = self
            .0
            .sign(message)
            .map_err(|_| Error::FailedToGetRandomBytes)?;
        Ok(signature.as_bytes().to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ML_DSA_87
    }
}

impl PublicKeyData for IdentityKey {
    fn der_bytes(&self) -> &[u8] {
        self.0.public_key().as_bytes()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &PKCS_ML_DSA_87
    }
}

impl rcgen::SigningKey for IdentityKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let signature = self
            .0
            .sign(message)
            .map_err(|_| rcgen::Error::RingUnspecified)?;
        Ok(signature.as_bytes().to_vec())
    }
}

/// A certificate over the identity key, signed by itself, with an empty subject: the key is the
/// name. Its dates are rcgen's defaults (1975 to 4096); no verifier of ours reads them.
fn self_signed(keypair: &Keypair) -> Result<Vec<u8>, TlsError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    let certificate = params
        .self_signed(&IdentityKey(keypair.clone()))
        .map_err(TlsError::Certificate)?;
    Ok(certificate.der().to_vec())
}
