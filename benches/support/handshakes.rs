//! First contacts: dial, both ends confirmed, close; several at a time, without tickets.

use std::collections::HashMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cretoai_network::identity::PeerId;
use cretoai_network::node::P2PNode;
use cretoai_network::p2p::{EventStream, SwarmEvent};
use cretoai_network::transport::environment::Environment;
use cretoai_network::transport::raw::RawQuinn;
use cretoai_network::wire::Address;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::ends::{anonymous_address, loopback, node, raw, runtime};
use super::rounds::{Comparison, Sample, sample};
use super::{Failure, Options, Report};

/// Diallers, each with an identity and a socket: their handshakes overlap.
const DIALLERS: usize = 8;

/// Smallest ratio to plain quinn.
const LEAST: f64 = 0.95;

pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), Failure> {
    if !options.wants("handshakes") {
        return Ok(());
    }
    runtime()?.block_on(async {
        let nodes = nodes()?;
        let endpoints = endpoints()?;
        let comparison = Comparison::measure(
            options.pairs(),
            async || all(&nodes, options.span()).await,
            async || all(&endpoints, options.span()).await,
        )
        .await?;
        report.ratio("handshakes", "/s", &comparison, Some(LEAST));
        Ok(())
    })
}

/// One of the diallers of a side.
trait Dialler: Clone + Send + 'static {
    /// A connection from its first packet until both ends confirmed it, and its end.
    fn once(&self) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// Lets all diallers run for a while and adds up what they did.
async fn all<D: Dialler>(diallers: &[D], span: Duration) -> Result<Sample, Failure> {
    sample(async || {
        let end = Instant::now() + span;
        let mut running = JoinSet::new();
        for dialler in diallers {
            running.spawn(until(dialler.clone(), end));
        }
        let mut done = 0.0;
        while let Some(outcome) = running.join_next().await {
            done += outcome??;
        }
        Ok(done)
    })
    .await
}

async fn until<D: Dialler>(dialler: D, end: Instant) -> Result<f64, Failure> {
    let mut done = 0.0;
    while Instant::now() < end {
        dialler.once().await?;
        done += 1.0;
    }
    Ok(done)
}

#[derive(Clone)]
struct NodeDialler {
    node: P2PNode,
    /// Without an identity, so that nothing is remembered.
    acceptor: Address,
    accepted: Arc<Notify>,
}

impl Dialler for NodeDialler {
    async fn once(&self) -> Result<(), Failure> {
        let peer = self.node.dial(&self.acceptor).await?;
        self.accepted.notified().await;
        self.node.disconnect(&peer);
        Ok(())
    }
}

fn nodes() -> Result<Vec<NodeDialler>, Failure> {
    let acceptor = node(Environment::system(), loopback())?;
    let address = anonymous_address(&acceptor)?;
    let mut waiting = HashMap::new();
    let mut diallers = Vec::new();
    for _ in 0..DIALLERS {
        let node = node(Environment::system(), loopback())?;
        let accepted = Arc::new(Notify::new());
        waiting.insert(node.peer_id(), accepted.clone());
        diallers.push(NodeDialler {
            node,
            acceptor: address.clone(),
            accepted,
        });
    }
    tokio::spawn(announce(acceptor.events(), waiting, acceptor));
    Ok(diallers)
}

/// Tells each dialler that the acceptor confirmed its connection.
async fn announce(
    mut events: EventStream,
    waiting: HashMap<PeerId, Arc<Notify>>,
    _acceptor: P2PNode,
) {
    while let Some(event) = events.next().await {
        let Ok(event) = event else { continue };
        if let SwarmEvent::PeerConnected { peer, .. } = event.what
            && let Some(accepted) = waiting.get(&peer)
        {
            accepted.notify_one();
        }
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
    let mut waiting = HashMap::new();
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
    tokio::spawn(accept(acceptor, waiting));
    Ok(diallers)
}

async fn accept(acceptor: quinn::Endpoint, waiting: HashMap<u16, Arc<Notify>>) {
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
