//! Plain quinn endpoints for tests, with nothing of ours above the socket.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{AsyncUdpSocket, ClientConfig, Endpoint, EndpointConfig, ServerConfig};
use rcgen::{CertificateParams, KeyPair, PKCS_ED25519, SerialNumber};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::transport::environment::Environment;

/// The name in every test certificate.
pub(crate) const SERVER_NAME: &str = "test.invalid";

/// One certificate that all endpoints of a test present and trust. Its encoding has the same
/// length in every run, and so have all packets that carry it.
pub(crate) struct Credential {
    certificate: CertificateDer<'static>,
    key: Vec<u8>,
}

impl Credential {
    pub(crate) fn generate() -> Self {
        let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        let mut params = CertificateParams::new(vec![SERVER_NAME.to_owned()]).unwrap();
        params.serial_number = Some(SerialNumber::from(1_u64));
        let certificate = params.self_signed(&key).unwrap();
        Self {
            certificate: certificate.der().clone(),
            key: key.serialize_der(),
        }
    }

    pub(crate) fn server_config(&self) -> ServerConfig {
        let key = PrivateKeyDer::try_from(self.key.clone()).unwrap();
        let tls = rustls::ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], key)
            .unwrap();
        ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls).unwrap()))
    }

    pub(crate) fn client_config(&self) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let tls = rustls::ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()))
    }

    /// An endpoint that dials and accepts over `socket`.
    pub(crate) fn endpoint(
        &self,
        environment: &Environment,
        socket: Arc<dyn AsyncUdpSocket>,
    ) -> Endpoint {
        let mut seed = [0; 32];
        environment.entropy.fill(&mut seed).unwrap();
        let mut config = EndpointConfig::default();
        config.rng_seed(Some(seed));
        // Under the path-switching socket a cleared QUIC bit means "not QUIC".
        config.grease_quic_bit(false);
        let runtime = Arc::clone(&environment.runtime);
        let server = Some(self.server_config());
        let mut endpoint =
            Endpoint::new_with_abstract_socket(config, server, socket, runtime).unwrap();
        endpoint.set_default_client_config(self.client_config());
        endpoint
    }
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
