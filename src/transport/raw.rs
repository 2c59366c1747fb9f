//! Plain quinn under this node's TLS and settings: what the stack is measured against.
//!
//! The TLS configuration, its verifier and its stores, and quinn's transport settings are those of
//! [`QuicTransport`](super::QuicTransport). What is missing is all that this crate adds: no
//! path-switching socket, no congestion controller around CUBIC, no server configuration for each
//! connection.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use super::endpoint::{BindError, bind_socket, nonce, seed};
use super::environment::Environment;
use super::keys::EndpointKeys;
use super::tls::{PqcHandshake, ServerName, TlsSettings};
use super::{DialError, TransportConfig, settings};
use crate::identity::Keypair;
use crate::policy::IpGroup;
use crate::wire::NetworkId;

/// One identity's quinn configurations.
pub struct RawQuinn {
    handshake: PqcHandshake,
    server: quinn::ServerConfig,
    transport: Arc<quinn::TransportConfig>,
    keys: EndpointKeys,
    config: TransportConfig,
    environment: Environment,
}

impl RawQuinn {
    /// Builds the configurations that a transport with these arguments would use.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn new(
        config: TransportConfig,
        keypair: &Keypair,
        network: NetworkId,
        environment: Environment,
    ) -> Result<Self, BindError> {
        let handshake = PqcHandshake::new(&TlsSettings::of(
            &config,
            keypair,
            network,
            environment.clock.clone(),
        ))?;
        let keys = EndpointKeys::derive(keypair);
        let transport = || settings::transport(&config, settings::congestion());
        let crypto = Arc::new(handshake.server(IpGroup::Local)?);
        let server = settings::server(crypto, &keys, transport()?, environment.clock.clone());
        let transport = Arc::new(transport()?);
        Ok(Self {
            handshake,
            server,
            transport,
            keys,
            config,
            environment,
        })
    }

    /// An endpoint that accepts under this identity, on the configured address.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn endpoint(&self) -> Result<quinn::Endpoint, BindError> {
        let address = self.config.bind_address;
        let environment = &self.environment;
        quinn::Endpoint::new_with_abstract_socket(
            settings::endpoint(&self.keys, seed(environment)?, seed(environment)?),
            Some(self.server.clone()),
            bind_socket(environment, address)?,
            environment.runtime.clone(),
        )
        .map_err(|error| BindError::Socket { address, error })
    }

    /// Dials under this identity, over any endpoint. Whoever answers is accepted and nothing is
    /// remembered, as with [`QuicTransport::dial`](super::QuicTransport::dial) without a peer.
    ///
    /// # Errors
    /// See [`DialError`].
    pub fn dial(
        &self,
        endpoint: &quinn::Endpoint,
        address: SocketAddr,
    ) -> Result<quinn::Connecting, DialError> {
        let name = ServerName::unknown(nonce(&self.environment)?);
        let mut client = quinn::ClientConfig::new(self.handshake.client(&name));
        client
            .transport_config(self.transport.clone())
            .token_store(self.handshake.stores().clone());
        Ok(endpoint.connect_with(client, address, name.as_str())?)
    }
}

impl fmt::Debug for RawQuinn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawQuinn")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
