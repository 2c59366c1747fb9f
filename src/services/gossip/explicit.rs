//! Peers with which messages are always exchanged: they are dialled, and dialled again when they are
//! lost.

use std::collections::BTreeMap;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::identity::PeerId;
use crate::p2p::{Caller, EventStream, Hold, SwarmEvent, WeakSwarm};
use crate::policy::Backoff;
use crate::wire::Address;

/// A peer that is lost is dialled again after this, at first: a node that restarts is there again.
const RETRY_FIRST: Duration = Duration::from_secs(1);

/// And after at most this: one dial in a minute burdens nobody.
const RETRY_LAST: Duration = Duration::from_secs(60);

/// Where the peers are that the node's configuration names.
pub(super) type ExplicitPeers = BTreeMap<PeerId, Vec<Address>>;

/// What is needed to keep connections.
pub(super) struct Keeper {
    pub(super) peers: ExplicitPeers,
    pub(super) swarm: WeakSwarm,
    pub(super) caller: Caller,
    pub(super) events: EventStream,
    /// Draws the waits between dials: two ends that lost each other do not dial at once.
    pub(super) rng: ChaCha8Rng,
}

/// The peers by their addresses. Those without a peer id name nobody: no valid configuration has them.
pub(super) fn by_peer(addresses: &[Address]) -> ExplicitPeers {
    let mut peers = ExplicitPeers::new();
    for address in addresses {
        if let Some(peer) = address.peer_id() {
            peers.entry(peer).or_default().push(address.clone());
        }
    }
    peers
}

impl Keeper {
    /// Runs until the swarm stops: it drops the task.
    pub(super) async fn run(mut self) {
        // While they are held, nobody closes their connections for being idle.
        let swarm = self.swarm.upgrade();
        let hold = |peer: &PeerId| Some(swarm.as_ref()?.hold(*peer));
        let _held: Vec<Option<Hold>> = self.peers.keys().map(hold).collect();
        drop(swarm);
        let (mut dials, mut waits) = (JoinSet::new(), BTreeMap::new());
        for peer in self.peers.keys() {
            waits.insert(*peer, Backoff::new(RETRY_FIRST, RETRY_LAST));
            self.dial(*peer, Duration::ZERO, &mut dials);
        }
        loop {
            // Who is to be dialled, and whether the last dial failed.
            let (peer, has_failed) = tokio::select! {
                Some(event) = self.events.next() => match event.map(|event| event.what) {
                    Ok(SwarmEvent::PeerDisconnected { peer, .. }) => (peer, false),
                    Ok(_) => continue,
                    Err(_) => {
                        self.dial_lost(&mut dials);
                        continue;
                    }
                },
                Some(Ok((peer, is_connected))) = dials.join_next() => {
                    if is_connected {
                        waits.entry(peer).and_modify(Backoff::reset);
                        continue;
                    }
                    (peer, true)
                }
                else => return,
            };
            let is_lost = has_failed || !self.caller.is_connected(&peer);
            if let Some(wait) = waits.get_mut(&peer).filter(|_| is_lost) {
                let delay = wait.next_delay(&mut self.rng);
                self.dial(peer, delay, &mut dials);
            }
        }
    }

    /// Events were missed: everybody who is not there is dialled.
    fn dial_lost(&self, dials: &mut JoinSet<(PeerId, bool)>) {
        let lost = self.peers.keys();
        for peer in lost.filter(|peer| !self.caller.is_connected(peer)) {
            self.dial(*peer, RETRY_FIRST, dials);
        }
    }

    /// Dials a peer after a while, unless it is there by then; whether it is there at the end.
    fn dial(&self, peer: PeerId, after: Duration, dials: &mut JoinSet<(PeerId, bool)>) {
        let caller = self.caller.clone();
        let addresses = self.peers.get(&peer).cloned().unwrap_or_default();
        dials.spawn(async move {
            sleep(after).await;
            let is_connected =
                caller.is_connected(&peer) || caller.dial(Some(peer), &addresses).await.is_ok();
            (peer, is_connected)
        });
    }
}
