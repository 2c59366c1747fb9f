//! Nodes on a simulated network.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use cretoai_network::crypto::{AwsLc, Provider, SigningSeed};
use cretoai_network::identity::{Keypair, PeerId};
use cretoai_network::node::{P2PConfig, P2PNode};
use cretoai_network::sim::{LinkProfile, Net, runtime};
use cretoai_network::wire::Address;
use tokio::time::{Instant, timeout};

/// One way; a round trip takes twice as long.
pub(crate) const LATENCY: Duration = Duration::from_millis(25);

/// A round trip on a link of [`LATENCY`].
pub(crate) const ROUND_TRIP: Duration = Duration::from_millis(50);

/// The tolerance of the timers: tokio's tick in milliseconds, and one of them may be rounded up on
/// each way.
pub(crate) const TICKS: Duration = Duration::from_millis(2);

/// Where every node listens.
pub(crate) const PORT: u16 = 4000;

/// Virtual time after which a test hangs: above every timeout of the stack.
const HANGS_AFTER: Duration = Duration::from_secs(3600);

/// Runs a test in virtual time on one thread.
pub(crate) fn in_virtual_time<T>(test: impl Future<Output = T>) -> T {
    let runtime = runtime().unwrap();
    runtime.block_on(async { timeout(HANGS_AFTER, test).await.expect("the test hangs") })
}

/// The time that `work` took.
pub(crate) async fn elapsed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let start = Instant::now();
    let result = work.await;
    (result, start.elapsed())
}

/// `count` round trips of [`ROUND_TRIP`], within the tolerance of the timers.
#[track_caller]
pub(crate) fn assert_round_trips(elapsed: Duration, count: u32) {
    let expected = ROUND_TRIP * count;
    assert!(
        elapsed + TICKS >= expected && elapsed <= expected + TICKS,
        "{elapsed:?} instead of {count} round trips ({expected:?})"
    );
}

/// A network whose links have [`LATENCY`] and nothing else.
pub(crate) fn quiet_net(seed: u64) -> Net {
    net_with(seed, LinkProfile::with_latency(LATENCY))
}

/// A network whose links are all alike.
pub(crate) fn net_with(seed: u64, profile: LinkProfile) -> Net {
    let net = Net::new(seed);
    net.set_default_profile(profile);
    net
}

/// The host of a node: a private address, so that no limit by IP group applies.
pub(crate) fn ip(number: u16) -> IpAddr {
    let [high, low] = number.to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(10, 0, high, low))
}

/// The identity of a node.
pub(crate) fn keypair(number: u16) -> Keypair {
    keypair_of(number, Arc::new(AwsLc))
}

/// The identity of a node, with the cryptography that it uses.
pub(crate) fn keypair_of(number: u16, provider: Arc<dyn Provider>) -> Keypair {
    let seed = blake3::hash(&number.to_le_bytes());
    Keypair::from_seed(provider, SigningSeed::from_bytes(seed.as_bytes())).unwrap()
}

/// Who a node is.
pub(crate) fn peer(number: u16) -> PeerId {
    keypair(number).peer_id()
}

/// Where a node listens, with its identity.
pub(crate) fn address(number: u16) -> Address {
    Address::from(SocketAddr::new(ip(number), PORT)).with_peer_id(peer(number))
}

/// The configuration of all nodes here, unless a test changes it. Without discovery and gossip: they would
/// talk to peers on their own, and these tests count what nodes say.
pub(crate) fn config() -> P2PConfig {
    P2PConfig {
        listen_addresses: vec![SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT)).into()],
        enable_discovery: false,
        enable_gossip: false,
        ..P2PConfig::default()
    }
}

/// Starts a node on its host.
pub(crate) fn spawn(net: &Net, number: u16) -> P2PNode {
    spawn_with(net, number, config())
}

/// Starts a node on its host with a configuration of its own.
pub(crate) fn spawn_with(net: &Net, number: u16, config: P2PConfig) -> P2PNode {
    P2PNode::builder(keypair(number))
        .config(config)
        .environment(net.host(ip(number)))
        .spawn()
        .unwrap()
}

/// Nodes 1 and 2, of which the first has dialled the second; both know of the connection.
pub(crate) async fn connected_pair(net: &Net) -> (P2PNode, P2PNode) {
    let (dialler, acceptor) = (spawn(net, 1), spawn(net, 2));
    dialler.dial(&address(2)).await.unwrap();
    until(|| acceptor.peers().contains(&peer(1))).await;
    (dialler, acceptor)
}

/// Waits, in steps of a millisecond, until something holds.
pub(crate) async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
