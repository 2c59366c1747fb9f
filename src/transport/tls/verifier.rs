//! Who the other end is: the one verifier of a node.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName as RustlsName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error};
use rustls::{PeerIncompatible, SignatureScheme};

use super::{Credential, ServerName};
use crate::crypto::Provider;
use crate::identity::{PublicKey, SpkiError};

/// Largest certificate that is parsed. One self-signed by ML-DSA-87 takes about 7.4 KB: a key of
/// 2 592 bytes, a signature of 4 627 and the names.
const MAX_CERTIFICATE: usize = 8 * 1024;

/// Why a credential was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(in crate::transport) enum CredentialError {
    /// Not exactly one well-formed credential of at most [`MAX_CERTIFICATE`] bytes.
    #[error("the peer must present exactly one well-formed credential of at most 8 KiB")]
    Shape,
    /// The public key is not an ML-DSA-87 key.
    #[error("the peer's key is not an ML-DSA-87 key")]
    KeyType,
}

impl From<CredentialError> for Error {
    fn from(error: CredentialError) -> Self {
        match error {
            CredentialError::Shape => CertificateError::BadEncoding.into(),
            CredentialError::KeyType => CertificateError::InvalidPurpose.into(),
        }
    }
}

/// Checks both directions; one `Arc` of it serves all connections of a node, because rustls
/// compares verifiers by pointer before it resumes a session.
#[derive(Debug)]
pub(super) struct PeerVerifier {
    provider: Arc<dyn Provider>,
    credential: Credential,
}

impl PeerVerifier {
    pub(super) fn new(provider: Arc<dyn Provider>, credential: Credential) -> Self {
        Self {
            provider,
            credential,
        }
    }

    fn key(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
    ) -> Result<PublicKey, CredentialError> {
        if !intermediates.is_empty() {
            return Err(CredentialError::Shape);
        }
        peer_key(self.credential, end_entity)
    }

    fn verify_signature(
        &self,
        message: &[u8],
        credential: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if signed.scheme != SignatureScheme::ML_DSA_87 {
            return Err(PeerIncompatible::NoSignatureSchemesInCommon.into());
        }
        let key = self.key(credential, &[])?;
        self.provider
            .verify(key.as_bytes(), message, signed.signature())
            .map_err(|_| CertificateError::BadSignature)?;
        Ok(HandshakeSignatureValid::assertion())
    }
}

impl ServerCertVerifier for PeerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &RustlsName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let key = self.key(end_entity, intermediates)?;
        match ServerName::expected(server_name) {
            Some(expected) if expected != key.peer_id() => {
                Err(CertificateError::ApplicationVerificationFailure.into())
            }
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(PeerIncompatible::Tls12NotOffered.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verify_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ML_DSA_87]
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.credential == Credential::RawPublicKey
    }
}

impl ClientCertVerifier for PeerVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.key(end_entity, intermediates)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(PeerIncompatible::Tls12NotOffered.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verify_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ML_DSA_87]
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.credential == Credential::RawPublicKey
    }
}

/// The public key in a credential. Of a certificate nothing else is looked at: names, dates and
/// its own signature carry no authority in a network without issuers.
pub(in crate::transport) fn peer_key(
    credential: Credential,
    encoded: &CertificateDer<'_>,
) -> Result<PublicKey, CredentialError> {
    if encoded.len() > MAX_CERTIFICATE {
        return Err(CredentialError::Shape);
    }
    let key = match credential {
        Credential::RawPublicKey => PublicKey::from_spki_der(encoded),
        Credential::X509 => {
            let parsed =
                ParsedCertificate::try_from(encoded).map_err(|_| CredentialError::Shape)?;
            PublicKey::from_spki_der(&parsed.subject_public_key_info())
        }
    };
    key.map_err(|error| match error {
        SpkiError::Malformed => CredentialError::Shape,
        SpkiError::Algorithm(_) => CredentialError::KeyType,
    })
}
