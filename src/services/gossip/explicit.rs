//! Peers with which messages are always exchanged: they are dialled, and dialled again when they are
//! lost.

use std::collections::{BTreeMap, BTreeSet};
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
        let mut dials = Dials::new(self.peers.keys().copied());
        for peer in self.peers.keys() {
            dials.begin(*peer, self.dial(*peer, Duration::ZERO));
        }
        loop {
            // Who may have been lost.
            let peer = tokio::select! {
                biased;
                Some(event) = self.events.next() => match event.map(|event| event.what) {
                    Ok(SwarmEvent::PeerDisconnected { peer, .. }) => peer,
                    Ok(_) => continue,
                    Err(_) => {
                        self.dial_lost(&mut dials);
                        continue;
                    }
                },
                Some(peer) = dials.end() => peer,
                else => return,
            };
            self.dial_if_lost(peer, &mut dials);
        }
    }

    /// Events were missed: everybody who is not there is dialled.
    fn dial_lost(&mut self, dials: &mut Dials) {
        let peers: Vec<_> = self.peers.keys().copied().collect();
        for peer in peers {
            self.dial_if_lost(peer, dials);
        }
    }

    /// However often a peer is lost, one dial at a time is planned: it looks whether the peer is there, and so
    /// does this when it ends.
    fn dial_if_lost(&mut self, peer: PeerId, dials: &mut Dials) {
        if !self.caller.is_connected(&peer)
            && let Some(delay) = dials.next_delay(&peer, &mut self.rng)
        {
            dials.begin(peer, self.dial(peer, delay));
        }
    }

    /// Dials a peer after a while, unless it is there by then; whether it is there at the end.
    fn dial(
        &self,
        peer: PeerId,
        after: Duration,
    ) -> impl Future<Output = (PeerId, bool)> + Send + 'static {
        let caller = self.caller.clone();
        let addresses = self.peers.get(&peer).cloned().unwrap_or_default();
        async move {
            sleep(after).await;
            let is_connected =
                caller.is_connected(&peer) || caller.dial(Some(peer), &addresses).await.is_ok();
            (peer, is_connected)
        }
    }
}

/// Dials that are planned or under way: one of each peer.
struct Dials {
    under_way: JoinSet<(PeerId, bool)>,
    dialled: BTreeSet<PeerId>,
    waits: BTreeMap<PeerId, Backoff>,
}

impl Dials {
    fn new(peers: impl Iterator<Item = PeerId>) -> Self {
        let wait = || Backoff::new(RETRY_FIRST, RETRY_LAST);
        Self {
            under_way: JoinSet::new(),
            dialled: BTreeSet::new(),
            waits: peers.map(|peer| (peer, wait())).collect(),
        }
    }

    /// How long to wait before the next dial of a peer; none if it is dialled already, or never to be.
    fn next_delay(&mut self, peer: &PeerId, rng: &mut ChaCha8Rng) -> Option<Duration> {
        if self.dialled.contains(peer) {
            return None;
        }
        Some(self.waits.get_mut(peer)?.next_delay(rng))
    }

    fn begin(&mut self, peer: PeerId, dial: impl Future<Output = (PeerId, bool)> + Send + 'static) {
        if self.dialled.insert(peer) {
            self.under_way.spawn(dial);
        }
    }

    /// The peer whose dial ended first; none if there are none. Safe to cancel.
    async fn end(&mut self) -> Option<PeerId> {
        // A dial does not panic.
        let (peer, is_connected) = self.under_way.join_next().await?.ok()?;
        self.dialled.remove(&peer);
        if is_connected {
            self.waits.entry(peer).and_modify(Backoff::reset);
        }
        Some(peer)
    }
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng;

    use super::*;

    #[tokio::test]
    async fn a_peer_has_one_dial_planned_however_often_it_is_lost() {
        let (peer, mut rng) = (PeerId::from_bytes([1; 32]), ChaCha8Rng::seed_from_u64(1));
        let mut dials = Dials::new([peer].into_iter());
        for _ in 0..3 {
            assert!(dials.next_delay(&peer, &mut rng).is_some());
            for _ in 0..2 {
                dials.begin(peer, async move { (peer, false) });
                assert_eq!(dials.next_delay(&peer, &mut rng), None);
            }
            assert_eq!(dials.under_way.len(), 1);
            assert_eq!(dials.end().await, Some(peer));
        }
        let stranger = PeerId::from_bytes([2; 32]);
        assert_eq!(dials.next_delay(&stranger, &mut rng), None);
    }
}
