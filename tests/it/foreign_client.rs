//! A client built from plain quinn and rustls' own provider connects and pings.
//!
//! Nothing of this crate is used on the client's side but the ALPN string.

use std::net::SocketAddr;
use std::sync::Arc;

use aws_lc_rs::signature::{ML_DSA_87_SIGNING, PqdsaKeyPair};
use cretoai_network::crypto::AwsLc;
use cretoai_network::identity::Keypair;
use cretoai_network::node::{P2PConfig, P2PNode};
use cretoai_network::transport::Credential;
use cretoai_network::wire::NetworkId;
use quinn::crypto::rustls::QuicClientConfig;
use rustls::client::AlwaysResolvesClientRawPublicKeys;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, aws_lc_rs as rustls_aws_lc, verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{DigitallySignedStruct, Error, SignatureScheme};

/// Protocol 2 (ping), version 1; a frame of two bytes: PING, nonce 7.
const PING: &[u8] = &[2, 1, 2, 0x01, 7];

/// A frame of two bytes: PONG, nonce 7.
const PONG: &[u8] = &[2, 0x02, 7];

/// Accepts any raw public key that signs the handshake, by rustls' own verification.
#[derive(Debug)]
struct AnyRawKey(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyRawKey {
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
        Err(Error::General("TLS 1.2".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        key: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature_with_raw_key(message, &key.as_ref().into(), signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

fn foreign_client_config() -> quinn::ClientConfig {
    let provider = Arc::new(rustls_aws_lc::default_provider());
    let pkcs8 = PqdsaKeyPair::generate(&ML_DSA_87_SIGNING)
        .unwrap()
        .to_pkcs8v1()
        .unwrap();
    let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pkcs8.as_ref().to_vec()));
    let key = provider.key_provider.load_private_key(der).unwrap();
    let spki = CertificateDer::from(key.public_key().unwrap().to_vec());
    let certified = Arc::new(CertifiedKey::new(vec![spki], key));
    let mut tls = rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyRawKey(provider)))
        .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(certified)));
    tls.alpn_protocols = vec![NetworkId::of("foreign").alpn()];
    quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()))
}

fn node() -> P2PNode {
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let config = P2PConfig {
        network: "foreign".to_owned(),
        listen_addresses: vec![loopback.into()],
        credential: Credential::RawPublicKey,
        ..P2PConfig::default()
    };
    let keypair = Keypair::generate(Arc::new(AwsLc)).unwrap();
    P2PNode::builder(keypair).config(config).spawn().unwrap()
}

#[tokio::test]
async fn a_client_of_plain_quinn_and_rustls_connects_and_pings() {
    let node = node();
    let address = node.listen_addresses()[0].socket_addr().unwrap();
    let client = quinn::Endpoint::client(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let connecting = client
        .connect_with(foreign_client_config(), address, "peer.invalid")
        .unwrap();
    let connection = connecting.await.unwrap();
    let (mut send, mut receive) = connection.open_bi().await.unwrap();
    send.write_all(PING).await.unwrap();
    send.finish().unwrap();
    assert_eq!(receive.read_to_end(16).await.unwrap(), PONG);
    assert_eq!(node.peers().len(), 1);
    node.shutdown().await;
}
