//! The node under attack, and where everybody is.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use cretoai_network::crypto::AwsLc;
use cretoai_network::identity::Keypair;
use cretoai_network::node::{P2PConfig, P2PNode};
use cretoai_network::sim::{LinkProfile, Net};
use cretoai_network::transport::environment::Environment;
use cretoai_network::wire::Address;
use tokio::time::{Instant, sleep};

/// A machine room's round trip is twice this. The shorter it is, the more of a dial is what the
/// attack makes slower; tokio's timers round each way up to the next millisecond.
const LATENCY: Duration = Duration::from_micros(300);

const PORT: u16 = 4000;

/// A handshake that nobody finishes is given up after the default 10 s; a closed connection is
/// remembered for three probe timeouts after that.
const IDLE_AT_THE_LATEST: Duration = Duration::from_secs(20);

/// The network and the node under attack.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) net: Net,
    pub(crate) node: P2PNode,
    pub(crate) socket: SocketAddr,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let net = Net::new(1);
        net.set_default_profile(LinkProfile::with_latency(LATENCY));
        let ip = IpAddr::V4(Ipv4Addr::new(9, 0, 0, 1));
        let node = spawn(net.host(ip));
        let socket = SocketAddr::new(ip, PORT);
        Self { net, node, socket }
    }

    /// Waits until nothing is left of anybody's connections; what is left at the latest moment.
    pub(crate) async fn until_idle(&self) -> f64 {
        let deadline = Instant::now() + IDLE_AT_THE_LATEST;
        loop {
            let counts = self.node.swarm().counts();
            let unconfirmed = usize::try_from(counts.unconfirmed).unwrap();
            let left = counts.connections + unconfirmed + counts.peers + self.quic_connections();
            if left == 0 || Instant::now() > deadline {
                return f64::from(u32::try_from(left).unwrap());
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// The node's address without its name: each dial is a first contact.
    pub(crate) fn address(&self) -> Address {
        self.socket.into()
    }

    fn quic_connections(&self) -> usize {
        let transports = self.node.swarm().transports();
        transports
            .iter()
            .map(|transport| transport.open_connections())
            .sum()
    }
}

/// A node with an identity of its own.
pub(crate) fn spawn(environment: Environment) -> P2PNode {
    let everywhere = SocketAddr::from(([0, 0, 0, 0], PORT));
    let config = P2PConfig {
        listen_addresses: vec![everywhere.into()],
        ..P2PConfig::default()
    };
    P2PNode::builder(keypair())
        .config(config)
        .environment(environment)
        .spawn()
        .unwrap()
}

pub(crate) fn keypair() -> Keypair {
    Keypair::generate(Arc::new(AwsLc)).unwrap()
}
