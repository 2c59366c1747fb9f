//! Staying connected with the peers that the operator named.

use std::time::Duration;

use cretoai_network::crypto::{Entropy, OsEntropy};
use cretoai_network::node::P2PNode;
use cretoai_network::p2p::DialFailure;
use cretoai_network::policy::Backoff;
use cretoai_network::wire::Address;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tokio::time::sleep;

/// First wait after a failed dial: the peer may be starting, too.
const RETRY_BASE: Duration = Duration::from_secs(1);

/// Longest wait: a peer that was away for a day is found within a minute.
const RETRY_CAP: Duration = Duration::from_secs(60);

/// How soon a connection that was lost is noticed; looking costs nothing.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Dials `address` again whenever its peer is not connected, for as long as the node runs.
pub(super) async fn run(node: P2PNode, mut address: Address) {
    let mut seed = [0; 32];
    // Without randomness the waits are drawn from a fixed seed: still a back-off.
    _ = OsEntropy.fill(&mut seed);
    let mut rng = ChaCha20Rng::from_seed(seed);
    let mut backoff = Backoff::new(RETRY_BASE, RETRY_CAP);
    loop {
        match node.dial(&address).await {
            Ok(peer) => {
                backoff.reset();
                // From now on a dial returns at once while this peer is connected.
                address = address.with_peer_id(peer);
                sleep(LOOK_EVERY).await;
            }
            Err(DialFailure::Stopped | DialFailure::OwnIdentity) => return,
            // The node tells of the failure by an event.
            Err(_) => sleep(backoff.next_delay(&mut rng)).await,
        }
    }
}
