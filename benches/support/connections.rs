//! What a node makes of a first contact: connected, introduced to each other, disconnected. The
//! other side is plain quinn that exchanges the same introductions.

use std::net::SocketAddr;
use std::sync::Arc;

use cretoai_network::node::P2PNode;
use cretoai_network::p2p::SwarmEvent;
use cretoai_network::transport::environment::Environment;
use cretoai_network::transport::raw::RawQuinn;
use cretoai_network::wire::Address;

use super::diallers::{DIALLERS, Dialler, all};
use super::ends::{anonymous_address, loopback, node, raw, runtime};
use super::introduction::{accept, introduce};
use super::rounds::Comparison;
use super::{Failure, Options, Report};

pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), Failure> {
    if !options.wants("connections") {
        return Ok(());
    }
    runtime()?.block_on(async {
        let (_acceptor, ours) = nodes()?;
        let raw = endpoints()?;
        let comparison = Comparison::measure(
            options.pairs(),
            async || all(&ours, options.span()).await,
            async || all(&raw, options.span()).await,
        )
        .await?;
        report.ratio("connections", "/s", &comparison, None);
        Ok(())
    })
}

#[derive(Clone)]
struct NodeDialler {
    node: P2PNode,
    /// Without an identity, so that nothing is remembered.
    acceptor: Address,
}

impl Dialler for NodeDialler {
    async fn once(&self) -> Result<(), Failure> {
        let mut events = self.node.events();
        let peer = self.node.dial(&self.acceptor).await?;
        while let Some(event) = events.next().await {
            if matches!(event?.what, SwarmEvent::PeerIdentified { .. }) {
                break;
            }
        }
        self.node.disconnect(&peer);
        Ok(())
    }
}

fn nodes() -> Result<(P2PNode, Vec<NodeDialler>), Failure> {
    let acceptor = node(Environment::system(), loopback())?;
    let address = anonymous_address(&acceptor)?;
    let dialler = |_| {
        Ok(NodeDialler {
            node: node(Environment::system(), loopback())?,
            acceptor: address.clone(),
        })
    };
    let diallers = (0..DIALLERS).map(dialler).collect::<Result<_, Failure>>()?;
    Ok((acceptor, diallers))
}

#[derive(Clone)]
struct RawDialler {
    identity: Arc<RawQuinn>,
    endpoint: quinn::Endpoint,
    acceptor: SocketAddr,
}

impl Dialler for RawDialler {
    async fn once(&self) -> Result<(), Failure> {
        let connection = self.identity.dial(&self.endpoint, self.acceptor)?.await?;
        introduce(&connection).await?;
        connection.close(0_u32.into(), &[]);
        Ok(())
    }
}

fn endpoints() -> Result<Vec<RawDialler>, Failure> {
    let acceptor = raw(Environment::system(), loopback())?.endpoint()?;
    let address = acceptor.local_addr()?;
    tokio::spawn(accept(acceptor));
    let dialler = |_| {
        let identity = Arc::new(raw(Environment::system(), loopback())?);
        Ok(RawDialler {
            endpoint: identity.endpoint()?,
            identity,
            acceptor: address,
        })
    };
    (0..DIALLERS).map(dialler).collect()
}
