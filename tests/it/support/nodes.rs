//! Nodes on a simulated network.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use cretoai_network::crypto::{AwsLc, Provider, SigningSeed};
use cretoai_network::identity::Keypair;
use cretoai_network::node::P2PConfig;
use cretoai_network::sim::{LinkProfile, Net, runtime};
use tokio::time::timeout;

/// One way; a round trip takes twice as long.
pub(crate) const LATENCY: Duration = Duration::from_millis(25);

/// Where every node listens.
pub(crate) const PORT: u16 = 4000;

/// Virtual time after which a test hangs: above every timeout of the stack.
const HANGS_AFTER: Duration = Duration::from_secs(3600);

/// Runs a test in virtual time on one thread.
pub(crate) fn in_virtual_time<T>(test: impl Future<Output = T>) -> T {
    let runtime = runtime().unwrap();
    runtime.block_on(async { timeout(HANGS_AFTER, test).await.expect("the test hangs") })
}

/// A network whose links have [`LATENCY`] and nothing else.
pub(crate) fn quiet_net(seed: u64) -> Net {
    let net = Net::new(seed);
    net.set_default_profile(LinkProfile::with_latency(LATENCY));
    net
}

/// The host of a node: a private address, so that no limit by IP group applies.
pub(crate) fn ip(number: u16) -> IpAddr {
    let [high, low] = number.to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(10, 0, high, low))
}

/// The identity of a node.
pub(crate) fn keypair(number: u16) -> Keypair {
    let provider: Arc<dyn Provider> = Arc::new(AwsLc);
    let seed = blake3::hash(&number.to_le_bytes());
    Keypair::from_seed(provider, SigningSeed::from_bytes(seed.as_bytes())).unwrap()
}

/// The configuration of all nodes here, unless a test changes it.
pub(crate) fn config() -> P2PConfig {
    P2PConfig {
        listen_addresses: vec![SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT)).into()],
        ..P2PConfig::default()
    }
}
