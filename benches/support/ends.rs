//! Nodes and plain quinn endpoints, set up alike.

use std::net::SocketAddr;
use std::sync::Arc;

use cretoai_network::crypto::AwsLc;
use cretoai_network::identity::Keypair;
use cretoai_network::node::{P2PConfig, P2PNode};
use cretoai_network::transport::TransportConfig;
use cretoai_network::transport::environment::Environment;
use cretoai_network::transport::raw::RawQuinn;
use cretoai_network::wire::{Address, NetworkId};

use super::Failure;

/// Peers that an end is set up for; the memory rows connect 1 000.
pub(crate) const MAX_PEERS: u32 = 1024;

/// An application protocol.
pub(crate) const PROTOCOL: u32 = 0x40;

/// An end's address on loopback, on a port of the system's choice.
pub(crate) fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// A new identity.
pub(crate) fn keypair() -> Result<Keypair, Failure> {
    Ok(Keypair::generate(Arc::new(AwsLc))?)
}

/// A node with the default configuration but for its address and the number of peers.
pub(crate) fn node(environment: Environment, bind: SocketAddr) -> Result<P2PNode, Failure> {
    let config = P2PConfig {
        listen_addresses: vec![Address::from(bind)],
        max_peers: MAX_PEERS,
        ..P2PConfig::default()
    };
    let builder = P2PNode::builder(keypair()?).config(config);
    Ok(builder.environment(environment).spawn()?)
}

/// Where a node listens, without its identity: a dial to it remembers nothing.
pub(crate) fn anonymous_address(node: &P2PNode) -> Result<Address, Failure> {
    let address = node.listen_addresses().into_iter().next();
    let socket = address.and_then(|address| address.socket_addr());
    Ok(Address::from(socket.ok_or("the node listens nowhere")?))
}

/// Plain quinn with the configuration that such a node has.
pub(crate) fn raw(environment: Environment, bind: SocketAddr) -> Result<RawQuinn, Failure> {
    raw_as(&keypair()?, environment, bind)
}

/// The same under a given identity.
pub(crate) fn raw_as(
    keypair: &Keypair,
    environment: Environment,
    bind: SocketAddr,
) -> Result<RawQuinn, Failure> {
    let network = NetworkId::of(&P2PConfig::default().network);
    Ok(RawQuinn::new(
        transport_config(bind),
        keypair,
        network,
        environment,
    )?)
}

/// The transport settings that such a node has.
pub(crate) fn transport_config(bind: SocketAddr) -> TransportConfig {
    let node = P2PConfig::default();
    TransportConfig {
        bind_address: bind,
        max_idle_timeout: node.idle_timeout,
        keep_alive_interval: node.keep_alive,
        max_concurrent_streams: node.max_streams,
        enable_0rtt: node.enable_0rtt,
        credential: node.credential,
        max_peers: MAX_PEERS as usize,
    }
}

/// Two connected nodes.
pub(crate) struct Nodes {
    pub(crate) dialler: P2PNode,
    pub(crate) acceptor: P2PNode,
}

impl Nodes {
    pub(crate) async fn on_loopback() -> Result<Self, Failure> {
        let dialler = node(Environment::system(), loopback())?;
        let acceptor = node(Environment::system(), loopback())?;
        Self::connected(dialler, acceptor).await
    }

    pub(crate) async fn connected(dialler: P2PNode, acceptor: P2PNode) -> Result<Self, Failure> {
        let address = acceptor.listen_addresses().into_iter().next();
        let mut events = acceptor.events();
        dialler
            .dial(&address.ok_or("the node listens nowhere")?)
            .await?;
        while acceptor.peers().is_empty() {
            events.next().await;
        }
        Ok(Self { dialler, acceptor })
    }
}

/// Two connected endpoints of plain quinn. The connection of the acceptor is its second field.
pub(crate) struct Connections {
    pub(crate) dialler: quinn::Connection,
    pub(crate) acceptor: quinn::Connection,
    _endpoints: [quinn::Endpoint; 2],
}

impl Connections {
    pub(crate) async fn on_loopback() -> Result<Self, Failure> {
        let dialler = raw(Environment::system(), loopback())?;
        let acceptor = raw(Environment::system(), loopback())?;
        Self::connected(&dialler, &acceptor).await
    }

    pub(crate) async fn connected(
        dialler: &RawQuinn,
        acceptor: &RawQuinn,
    ) -> Result<Self, Failure> {
        let endpoints = [dialler.endpoint()?, acceptor.endpoint()?];
        let connecting = dialler.dial(&endpoints[0], endpoints[1].local_addr()?)?;
        let accept = async {
            let incoming = endpoints[1]
                .accept()
                .await
                .ok_or("the endpoint was closed")?;
            Ok::<_, Failure>(incoming.accept()?.await?)
        };
        let dial = async { Ok::<_, Failure>(connecting.await?) };
        let (dialler, acceptor) = tokio::try_join!(dial, accept)?;
        Ok(Self {
            dialler,
            acceptor,
            _endpoints: endpoints,
        })
    }
}

/// The runtime of every row on real sockets: one thread for both ends.
pub(crate) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}
