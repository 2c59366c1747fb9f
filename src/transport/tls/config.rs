//! The TLS configurations of a node, built once.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::{NoInitialCipherSuite, QuicClientConfig, QuicServerConfig};
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::pki_types::UnixTime;
use rustls::quic::Suite;
use rustls::time_provider::TimeProvider;
use rustls::version::TLS13;
use rustls::{ClientConfig, ServerConfig};

use super::backend::rustls_provider;
use super::credential::IdentityResolver;
use super::padding::padding_names;
use super::verifier::PeerVerifier;
use super::{Credential, ResumptionStores, ServerName, TicketStore};
use crate::identity::Keypair;
use crate::policy::IpGroup;
use crate::transport::TransportConfig;
use crate::transport::environment::Clock;
use crate::wire::NetworkId;

/// Early data is bounded by QUIC's flow control, not by TLS (RFC 9001 §4.6.1): the only values
/// that QUIC allows are zero and this one.
const QUIC_EARLY_DATA: u32 = u32::MAX;

/// Why TLS could not be set up. Nothing here depends on a peer.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// rustls refused the configuration.
    #[error("TLS configuration: {0}")]
    Configuration(#[from] rustls::Error),
    /// The self-signed certificate could not be made.
    #[error("self-signed certificate: {0}")]
    Certificate(rcgen::Error),
    /// The suite for QUIC's Initial packets is missing.
    #[error("no cipher suite for Initial packets")]
    NoInitialSuite,
}

impl From<NoInitialCipherSuite> for TlsError {
    fn from(_: NoInitialCipherSuite) -> Self {
        Self::NoInitialSuite
    }
}

/// What TLS needs to know of its node.
pub(crate) struct TlsSettings<'a> {
    pub(crate) keypair: &'a Keypair,
    pub(crate) network: NetworkId,
    pub(crate) credential: Credential,
    pub(crate) max_peers: usize,
    pub(crate) enable_0rtt: bool,
    pub(crate) clock: Arc<dyn Clock>,
}

impl<'a> TlsSettings<'a> {
    pub(crate) fn of(
        config: &TransportConfig,
        keypair: &'a Keypair,
        network: NetworkId,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            keypair,
            network,
            credential: config.credential,
            max_peers: config.max_peers,
            enable_0rtt: config.enable_0rtt,
            clock,
        }
    }
}

/// A node's side of every handshake: its ML-DSA-87 identity, and the hybrid X25519 + ML-KEM-768
/// exchange whose keys are made afresh each time.
///
/// One verifier, one resolver and one set of stores serve all its connections, on all its
/// transports.
pub struct PqcHandshake {
    credential: Credential,
    initial: Suite,
    server: ServerConfig,
    padded_client: Arc<QuicClientConfig>,
    plain_client: Arc<QuicClientConfig>,
    tickets: Arc<TicketStore>,
    stores: Arc<ResumptionStores>,
}

impl PqcHandshake {
    /// TLS of a node, for all its transports: `config` is that of any of them, since they differ in
    /// the address only.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn for_node(
        config: &TransportConfig,
        keypair: &Keypair,
        network: NetworkId,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, TlsError> {
        Self::new(&TlsSettings::of(config, keypair, network, clock))
    }

    pub(crate) fn new(settings: &TlsSettings<'_>) -> Result<Self, TlsError> {
        let initial = TLS13_AES_128_GCM_SHA256
            .tls13()
            .and_then(|suite| suite.quic_suite())
            .ok_or(TlsError::NoInitialSuite)?;
        let stores = Arc::new(ResumptionStores::new(settings.max_peers));
        let parts = Parts::new(settings)?;
        let plain = parts.client(&stores)?;
        let mut padded = plain.clone();
        padded.alpn_protocols.extend(padding_names());
        Ok(Self {
            credential: settings.credential,
            initial,
            server: parts.server()?,
            padded_client: quic_client(padded, initial)?,
            plain_client: quic_client(plain, initial)?,
            tickets: Arc::new(TicketStore::new(settings.max_peers)),
            stores,
        })
    }

    /// The configuration for a dial under `name`.
    pub(crate) fn client(&self, name: &ServerName) -> Arc<QuicClientConfig> {
        if self.stores.knows(name) {
            self.plain_client.clone()
        } else {
            self.padded_client.clone()
        }
    }

    /// The configuration for a connection from `group`, with its own view of the ticket store.
    pub(crate) fn server(&self, group: IpGroup) -> Result<QuicServerConfig, TlsError> {
        let mut config = self.server.clone();
        config.session_storage = Arc::new(self.tickets.view(group));
        Ok(QuicServerConfig::with_initial(
            Arc::new(config),
            self.initial,
        )?)
    }

    pub(crate) fn stores(&self) -> &Arc<ResumptionStores> {
        &self.stores
    }

    pub(crate) fn tickets(&self) -> &Arc<TicketStore> {
        &self.tickets
    }
}

impl fmt::Debug for PqcHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PqcHandshake")
            .field("credential", &self.credential)
            .finish_non_exhaustive()
    }
}

fn quic_client(config: ClientConfig, initial: Suite) -> Result<Arc<QuicClientConfig>, TlsError> {
    Ok(Arc::new(QuicClientConfig::with_initial(
        Arc::new(config),
        initial,
    )?))
}

/// What both directions share.
struct Parts {
    provider: Arc<rustls::crypto::CryptoProvider>,
    time: Arc<dyn TimeProvider>,
    verifier: Arc<PeerVerifier>,
    resolver: Arc<IdentityResolver>,
    alpn: Vec<u8>,
    enable_0rtt: bool,
}

impl Parts {
    fn new(settings: &TlsSettings<'_>) -> Result<Self, TlsError> {
        Ok(Self {
            provider: Arc::new(rustls_provider(settings.keypair.provider().clone())),
            time: Arc::new(WallClock(settings.clock.clone())),
            verifier: Arc::new(PeerVerifier::new(
                settings.keypair.provider().clone(),
                settings.credential,
            )),
            resolver: Arc::new(IdentityResolver::new(
                settings.keypair,
                settings.credential,
            )?),
            alpn: settings.network.alpn(),
            enable_0rtt: settings.enable_0rtt,
        })
    }

    fn client(&self, stores: &Arc<ResumptionStores>) -> Result<ClientConfig, TlsError> {
        let mut config =
            ClientConfig::builder_with_details(self.provider.clone(), self.time.clone())
                .with_protocol_versions(&[&TLS13])?
                .dangerous()
                .with_custom_certificate_verifier(self.verifier.clone())
                .with_client_cert_resolver(self.resolver.clone());
        config.alpn_protocols = vec![self.alpn.clone()];
        config.enable_sni = false;
        config.enable_early_data = self.enable_0rtt;
        config.resumption = Resumption::store(stores.clone());
        Ok(config)
    }

    fn server(&self) -> Result<ServerConfig, TlsError> {
        let mut config =
            ServerConfig::builder_with_details(self.provider.clone(), self.time.clone())
                .with_protocol_versions(&[&TLS13])?
                .with_client_cert_verifier(self.verifier.clone())
                .with_cert_resolver(self.resolver.clone());
        config.alpn_protocols = vec![self.alpn.clone()];
        config.send_tls13_tickets = 1;
        config.max_early_data_size = if self.enable_0rtt { QUIC_EARLY_DATA } else { 0 };
        Ok(config)
    }
}

/// Ticket ages follow the node's clock, so that a simulated day is a day for TLS too.
#[derive(Debug)]
struct WallClock(Arc<dyn Clock>);

impl TimeProvider for WallClock {
    fn current_time(&self) -> Option<UnixTime> {
        let since_epoch = Duration::from_millis(self.0.now().wall.0);
        Some(UnixTime::since_unix_epoch(since_epoch))
    }
}
