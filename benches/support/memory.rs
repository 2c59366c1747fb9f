//! What an idle peer costs: 1 000 peers at one node, beside the same at plain quinn.
//!
//! The peers are plain quinn on one endpoint in both cases, so that the difference of the two sums
//! is what the node itself keeps for its end of a connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cretoai_network::identity::Keypair;
use cretoai_network::node::P2PNode;
use cretoai_network::transport::environment::Environment;
use cretoai_network::transport::raw::RawQuinn;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::ends::{keypair, loopback, node, raw, raw_as, runtime};
use super::introduction::{accept, introduce};
use super::process::{live_bytes, resident_bytes};
use super::report::Better;
use super::{Failure, Options, Report};

/// Peers whose handshakes overlap: below the number at which a node asks for Retry.
const AT_ONCE: usize = 32;

/// After so long, handshake keys are dropped, path MTU is found and acknowledgements are sent.
const SETTLE: Duration = Duration::from_secs(3);

/// Most that the node may keep for a peer beyond what quinn keeps.
const OWN_MOST: f64 = 16.0 * 1024.0;

/// Most resident memory of a connection, both ends together.
const RESIDENT_MOST: f64 = 1e6;

pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), Failure> {
    if !options.wants("memory") {
        return Ok(());
    }
    let peers = if options.quick { 100 } else { 1000 };
    let identities = (0..peers)
        .map(|_| keypair())
        .collect::<Result<Vec<_>, _>>()?;
    // Each on a runtime of its own: what the first leaves behind would be freed while the second
    // is measured.
    let ours = runtime()?.block_on(at_node(&identities, report))?;
    let raw = runtime()?.block_on(at_quinn(&identities))?;
    report.value(
        "memory_own_state",
        "bytes",
        ours.live - raw.live,
        Some((Better::Less, OWN_MOST)),
    );
    report.value("memory_live_ours", "bytes", ours.live, None);
    report.value("memory_live_raw", "bytes", raw.live, None);
    report.value(
        "memory_resident",
        "bytes",
        ours.resident,
        Some((Better::Less, RESIDENT_MOST)),
    );
    Ok(())
}

/// Memory of one peer, both ends of its connection.
struct PerPeer {
    live: f64,
    resident: f64,
}

async fn at_node(identities: &[Keypair], report: &mut Report) -> Result<PerPeer, Failure> {
    let node = node(Environment::system(), loopback())?;
    let address = node.listen_addresses().into_iter().next();
    let socket = address.and_then(|address| address.socket_addr());
    let socket = socket.ok_or("the node listens nowhere")?;
    let (measured, peers) = connect_all(identities, socket).await?;
    if node.peers().len() != identities.len() {
        return Err("not all peers are connected".into());
    }
    report_tickets(&node, identities.len(), report);
    peers.leave().await;
    node.shutdown().await;
    Ok(measured)
}

fn report_tickets(node: &P2PNode, peers: usize, report: &mut Report) {
    // All transports of a node share one store.
    let transports = node.swarm().transports();
    let bytes = transports.first().map_or(0, |transport| {
        let usage = transport.resumption_usage();
        usage.ticket_bytes + usage.session_bytes
    });
    report.value("memory_tickets", "bytes", bytes as f64 / peers as f64, None);
}

async fn at_quinn(identities: &[Keypair]) -> Result<PerPeer, Failure> {
    let acceptor = raw(Environment::system(), loopback())?.endpoint()?;
    let serving = tokio::spawn(accept(acceptor.clone()));
    let (measured, peers) = connect_all(identities, acceptor.local_addr()?).await?;
    peers.leave().await;
    acceptor.close(0_u32.into(), &[]);
    serving.await?;
    Ok(measured)
}

/// Connects every identity to `address` and measures what that added, once it is quiet.
async fn connect_all(
    identities: &[Keypair],
    address: SocketAddr,
) -> Result<(PerPeer, Peers), Failure> {
    let of = |keypair| raw_as(keypair, Environment::system(), loopback()).map(Arc::new);
    let peers = identities.iter().map(of).collect::<Result<Vec<_>, _>>()?;
    let endpoint = peers.first().ok_or("no peers")?.endpoint()?;
    let mut connections = Vec::with_capacity(peers.len());
    let (live, resident) = (live_bytes(), resident_bytes());
    for some in peers.chunks(AT_ONCE) {
        let mut running = JoinSet::new();
        for peer in some {
            running.spawn(connect(peer.clone(), endpoint.clone(), address));
        }
        while let Some(connected) = running.join_next().await {
            connections.push(connected??);
        }
    }
    sleep(SETTLE).await;
    let each = |bytes: u64| bytes as f64 / peers.len() as f64;
    let measured = PerPeer {
        live: each(live_bytes().saturating_sub(live)),
        resident: each(resident_bytes().saturating_sub(resident)),
    };
    Ok((
        measured,
        Peers {
            endpoint,
            _connections: connections,
        },
    ))
}

/// The diallers of all connections.
struct Peers {
    endpoint: quinn::Endpoint,
    _connections: Vec<quinn::Connection>,
}

impl Peers {
    async fn leave(self) {
        self.endpoint.close(0_u32.into(), &[]);
        self.endpoint.wait_idle().await;
    }
}

/// Connects and introduces itself, as every peer does.
async fn connect(
    peer: Arc<RawQuinn>,
    endpoint: quinn::Endpoint,
    address: SocketAddr,
) -> Result<quinn::Connection, Failure> {
    let connection = peer.dial(&endpoint, address)?.await?;
    introduce(&connection).await?;
    Ok(connection)
}
