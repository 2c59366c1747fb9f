//! TLS that offers and shows what a test wants, and believes everything.

use std::sync::Arc;

use cretoai_network::identity::Keypair;
use cretoai_network::wire::NetworkId;
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs::{default_provider, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::version::TLS13;
use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, SignatureAlgorithm, SignatureScheme,
};

use crate::support::nodes::config;

/// What the attacker's end of the handshake looks like.
#[derive(Clone)]
pub(crate) struct Handshake {
    pub(crate) network: String,
    pub(crate) group: &'static dyn SupportedKxGroup,
    /// `None` is a client that knows of no credentials.
    pub(crate) credential: Option<Credential>,
    /// Bytes of a stream that are taken and not read.
    pub(crate) window: u32,
}

/// What quinn takes of a stream by default.
const QUINN_WINDOW: u32 = 1_250_000;

impl Handshake {
    /// What an honest node with this credential does.
    pub(crate) fn with(credential: Credential) -> Self {
        Self {
            network: config().network,
            group: kx_group::X25519MLKEM768,
            credential: Some(credential),
            window: QUINN_WINDOW,
        }
    }

    /// Without post-quantum key exchange.
    pub(crate) fn classical(self) -> Self {
        Self {
            group: kx_group::X25519,
            ..self
        }
    }

    pub(super) fn client(&self) -> quinn::ClientConfig {
        let builder = rustls::ClientConfig::builder_with_provider(self.provider())
            .with_protocol_versions(&[&TLS13])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Gullible));
        let mut config = match &self.credential {
            Some(credential) => builder.with_client_cert_resolver(Arc::new(credential.clone())),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![self.alpn()];
        config.enable_early_data = true;
        let crypto = QuicClientConfig::try_from(config).unwrap();
        let mut transport = quinn::TransportConfig::default();
        transport.stream_receive_window(self.window.into());
        let mut client = quinn::ClientConfig::new(Arc::new(crypto));
        client.transport_config(Arc::new(transport));
        client
    }

    pub(super) fn server(&self) -> Option<quinn::ServerConfig> {
        let credential = self.credential.clone()?;
        let mut config = rustls::ServerConfig::builder_with_provider(self.provider())
            .with_protocol_versions(&[&TLS13])
            .unwrap()
            .with_client_cert_verifier(Arc::new(Gullible))
            .with_cert_resolver(Arc::new(credential));
        config.alpn_protocols = vec![self.alpn()];
        let crypto = QuicServerConfig::try_from(config).unwrap();
        Some(quinn::ServerConfig::with_crypto(Arc::new(crypto)))
    }

    fn alpn(&self) -> Vec<u8> {
        NetworkId::of(&self.network).alpn()
    }

    fn provider(&self) -> Arc<CryptoProvider> {
        Arc::new(CryptoProvider {
            kx_groups: vec![self.group],
            ..default_provider()
        })
    }
}

/// A public key to show, and a key to sign with: they need not belong together.
#[derive(Debug, Clone)]
pub(crate) struct Credential(Option<Arc<CertifiedKey>>);

impl Credential {
    /// An honest node's.
    pub(crate) fn of(keypair: &Keypair) -> Self {
        let sign = sign_with(keypair);
        Self::new(keypair.public_key().to_spki_der(), sign)
    }

    /// `shown` as the identity, proved with the key of `signer`.
    pub(crate) fn forged(shown: &Keypair, signer: &Keypair) -> Self {
        let sign = sign_with(signer);
        Self::new(shown.public_key().to_spki_der(), sign)
    }

    /// A SubjectPublicKeyInfo of any kind, with whatever `sign` makes as its proof.
    pub(crate) fn new(
        spki: Vec<u8>,
        sign: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let key = Arc::new(Key(Arc::new(sign)));
        let shown = vec![CertificateDer::from(spki)];
        Self(Some(Arc::new(CertifiedKey::new(shown, key))))
    }

    /// Offers to show a key, and shows none when asked.
    pub(crate) fn withheld() -> Self {
        Self(None)
    }
}

fn sign_with(keypair: &Keypair) -> impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static {
    let keypair = keypair.clone();
    move |message| keypair.sign(message).unwrap().as_bytes().to_vec()
}

impl ResolvesClientCert for Credential {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.clone()
    }

    fn only_raw_public_keys(&self) -> bool {
        true
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl ResolvesServerCert for Credential {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.clone()
    }

    fn only_raw_public_keys(&self) -> bool {
        true
    }
}

/// Makes a proof of possession, true or not, for a message.
type Sign = dyn Fn(&[u8]) -> Vec<u8> + Send + Sync;

#[derive(Clone)]
struct Key(Arc<Sign>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

impl SigningKey for Key {
    fn choose_scheme(&self, _: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        Some(Box::new(self.clone()))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::Unknown(0)
    }
}

impl Signer for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        Ok((self.0)(message))
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ML_DSA_87
    }
}

/// Believes whatever the other end shows.
#[derive(Debug)]
struct Gullible;

impl ServerCertVerifier for Gullible {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ML_DSA_87]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

impl ClientCertVerifier for Gullible {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        ServerCertVerifier::verify_tls12_signature(self, message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        ServerCertVerifier::verify_tls13_signature(self, message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ML_DSA_87]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}
