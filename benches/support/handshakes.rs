//! First contacts: dial, both ends confirmed, close; several at a time, without tickets.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use cretoai_network::transport::environment::Environment;
use cretoai_network::transport::raw::RawQuinn;
use cretoai_network::transport::{Path, QuicTransport};
use cretoai_network::wire::{ErrorCode, NetworkId};
use tokio::sync::Notify;

use super::diallers::{DIALLERS, Dialler, all};
use super::ends::{keypair, loopback, raw, runtime, transport_config};
use super::rounds::Comparison;
use super::{Failure, Options, Report};

/// Smallest ratio to plain quinn.
const LEAST: f64 = 0.95;

pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), Failure> {
    if !options.wants("handshakes") {
        return Ok(());
    }
    runtime()?.block_on(async {
        let ours = transports()?;
        let raw = endpoints()?;
        let comparison = Comparison::measure(
            options.pairs(),
            async || all(&ours, options.span()).await,
            async || all(&raw, options.span()).await,
        )
        .await?;
        report.ratio("handshakes", "/s", &comparison, Some(LEAST));
        Ok(())
    })
}

/// Diallers by port, told when the acceptor confirmed their handshake.
type Waiting = HashMap<u16, Arc<Notify>>;

#[derive(Clone)]
struct TransportDialler {
    transport: Arc<QuicTransport>,
    acceptor: SocketAddr,
    accepted: Arc<Notify>,
}

impl Dialler for TransportDialler {
    async fn once(&self) -> Result<(), Failure> {
        let dialing = self.transport.dial(self.acceptor, None)?;
        let connection = dialing.confirmed().await?;
        self.accepted.notified().await;
        connection.close(ErrorCode::Shutdown);
        Ok(())
    }
}

fn transport() -> Result<Arc<QuicTransport>, Failure> {
    let network = NetworkId::of("bench");
    let config = transport_config(loopback());
    let bound = QuicTransport::bind(config, &keypair()?, network, Environment::system())?;
    Ok(Arc::new(bound))
}

fn transports() -> Result<Vec<TransportDialler>, Failure> {
    let acceptor = transport()?;
    let address = acceptor.local_address()?;
    let mut waiting = Waiting::new();
    let mut diallers = Vec::new();
    for _ in 0..DIALLERS {
        let transport = transport()?;
        let accepted = Arc::new(Notify::new());
        waiting.insert(transport.local_address()?.port(), accepted.clone());
        diallers.push(TransportDialler {
            transport,
            acceptor: address,
            accepted,
        });
    }
    tokio::spawn(accept_at_transport(acceptor, waiting));
    Ok(diallers)
}

async fn accept_at_transport(acceptor: Arc<QuicTransport>, waiting: Waiting) {
    while let Some(incoming) = acceptor.accept().await {
        let accepted = match incoming.path() {
            Path::Direct { addr, .. } => waiting.get(&addr.port()).cloned(),
            Path::Relayed { .. } => None,
        };
        let Ok(accepting) = acceptor.begin(incoming) else {
            continue;
        };
        tokio::spawn(async move {
            let Ok(connection) = accepting.confirmed().await else {
                return;
            };
            if let Some(accepted) = accepted {
                accepted.notify_one();
            }
            connection.closed().await;
        });
    }
}

#[derive(Clone)]
struct RawDialler {
    identity: Arc<RawQuinn>,
    endpoint: quinn::Endpoint,
    acceptor: SocketAddr,
    accepted: Arc<Notify>,
}

impl Dialler for RawDialler {
    async fn once(&self) -> Result<(), Failure> {
        let connection = self.identity.dial(&self.endpoint, self.acceptor)?.await?;
        self.accepted.notified().await;
        connection.close(0_u32.into(), &[]);
        Ok(())
    }
}

fn endpoints() -> Result<Vec<RawDialler>, Failure> {
    let acceptor = raw(Environment::system(), loopback())?.endpoint()?;
    let address = acceptor.local_addr()?;
    let mut waiting = Waiting::new();
    let mut diallers = Vec::new();
    for _ in 0..DIALLERS {
        let identity = Arc::new(raw(Environment::system(), loopback())?);
        let endpoint = identity.endpoint()?;
        let accepted = Arc::new(Notify::new());
        waiting.insert(endpoint.local_addr()?.port(), accepted.clone());
        diallers.push(RawDialler {
            identity,
            endpoint,
            acceptor: address,
            accepted,
        });
    }
    tokio::spawn(accept_at_quinn(acceptor, waiting));
    Ok(diallers)
}

async fn accept_at_quinn(acceptor: quinn::Endpoint, waiting: Waiting) {
    while let Some(incoming) = acceptor.accept().await {
        let accepted = waiting.get(&incoming.remote_address().port()).cloned();
        let Ok(connecting) = incoming.accept() else {
            continue;
        };
        tokio::spawn(async move {
            let Ok(connection) = connecting.await else {
                return;
            };
            if let Some(accepted) = accepted {
                accepted.notify_one();
            }
            connection.closed().await;
        });
    }
}
