//! Nodes on the simulated network.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use cretoai_network::crypto::{AwsLc, SigningSeed};
use cretoai_network::identity::Keypair;
use cretoai_network::node::{P2PConfig, P2PNode};
use cretoai_network::services::gossip::{SubscribeOptions, Subscription};
use cretoai_network::sim::{LinkProfile, Net};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use tokio::time::sleep;

pub(crate) const TOPIC: &str = "vertices";

/// One way between any two nodes.
pub(crate) const LATENCY: Duration = Duration::from_millis(25);

/// Nodes that each node dials: with those that dial it, twenty on average.
const DIALS: usize = 10;

const PORT: u16 = 4000;

/// Nodes with random links that all subscribe to one topic, and their subscriptions.
pub(crate) async fn network(
    seed: u64,
    count: u16,
    profile: LinkProfile,
) -> (Vec<P2PNode>, Vec<Subscription>) {
    println!("seed {seed}");
    let net = Net::new(seed);
    net.set_default_profile(profile);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let nodes: Vec<_> = (0..count).map(|number| spawn(&net, number)).collect();
    for number in 0..count {
        let mut others = Vec::new();
        while others.len() < DIALS {
            let other = u16::try_from(rng.next_u32() % u32::from(count)).unwrap();
            if other != number && !others.contains(&other) {
                others.push(other);
            }
        }
        for other in others {
            let address = SocketAddr::new(ip(other), PORT).into();
            nodes[usize::from(number)].dial(&address).await.unwrap();
        }
    }
    let mut subscriptions = Vec::new();
    for node in &nodes {
        let options = SubscribeOptions {
            capacity: 65_536,
            ..SubscribeOptions::default()
        };
        subscriptions.push(node.gossip().subscribe(TOPIC, options).await.unwrap());
    }
    // Meshes settle.
    sleep(Duration::from_secs(5)).await;
    (nodes, subscriptions)
}

fn ip(number: u16) -> IpAddr {
    let [high, low] = number.to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(10, 0, high, low))
}

fn spawn(net: &Net, number: u16) -> P2PNode {
    let seed = blake3::hash(&number.to_le_bytes());
    let seed = SigningSeed::from_bytes(seed.as_bytes());
    let keypair = Keypair::from_seed(Arc::new(AwsLc), seed).unwrap();
    let config = P2PConfig {
        listen_addresses: vec![SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT)).into()],
        enable_discovery: false,
        ..P2PConfig::default()
    };
    let node = P2PNode::builder(keypair).config(config);
    node.environment(net.host(ip(number))).spawn().unwrap()
}
