//! Connecting to the peers that multicast DNS finds on the local network.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::interval;

use crate::identity::PeerId;
use crate::p2p::mdns::{Discovery, Mdns, MdnsError};
use crate::p2p::{DialFailure, Swarm};
use crate::transport::environment::Environment;
use crate::wire::{Address, NetworkId};

/// Announced peers that are looked after at a time: half of the default `max_peers`, so that a
/// local network alone never fills a node.
const MAX_CANDIDATES: usize = 128;

/// Dials at once: few, because an announcement costs its sender nothing.
const MAX_DIALS: usize = 4;

/// How often peers whose wait is over are looked for: the shortest wait of the peer book.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The running announcement, search and dialling. Ends when it is dropped.
#[derive(Debug)]
pub(super) struct MdnsTask(AbortHandle);

impl MdnsTask {
    /// Announces the swarm's first listening port and connects to whom others announce.
    pub(super) fn start(
        swarm: &Swarm,
        network: NetworkId,
        environment: &Environment,
    ) -> Result<Self, MdnsError> {
        let clock = environment.clock.clone();
        let port = swarm.listen_addresses().first().map_or(0, Address::port);
        let (mdns, discoveries) =
            Mdns::start(swarm.local_peer(), network, port, move || clock.now().mono)?;
        let mut seed = [0; 32];
        // The rng only spreads waits: without randomness they follow a fixed sequence.
        _ = environment.entropy.fill(&mut seed);
        let follow = follow(swarm.clone(), discoveries, ChaCha20Rng::from_seed(seed));
        let task = tokio::spawn(async move {
            let _announced_meanwhile = mdns;
            follow.await;
        });
        Ok(Self(task.abort_handle()))
    }

    /// Ends it early.
    pub(super) fn stop(&self) {
        self.0.abort();
    }
}

impl Drop for MdnsTask {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Enters discoveries into the peer book and dials their peers until the source ends.
async fn follow(swarm: Swarm, mut discoveries: mpsc::Receiver<Discovery>, mut rng: ChaCha20Rng) {
    let mut candidates = Candidates::default();
    let mut dials = JoinSet::new();
    let mut look = interval(LOOK_EVERY);
    loop {
        tokio::select! {
            biased;
            Some(ended) = dials.join_next() => {
                if let Ok(attempt) = ended {
                    note_attempt(&swarm, &mut candidates, &attempt, &mut rng);
                }
            }
            found = discoveries.recv() => match found {
                Some(discovery) => note_discovery(&swarm, &mut candidates, &discovery),
                None => return,
            },
            _ = look.tick() => {}
        }
        if swarm.is_stopped() {
            return;
        }
        start_dials(&swarm, &mut candidates, &mut dials);
    }
}

/// What a dial to an announced peer came to.
struct Attempt {
    peer: PeerId,
    addresses: Vec<Address>,
    outcome: Result<PeerId, DialFailure>,
}

/// Takes an announcement of a local address. A globally routable one is passed over: anybody here
/// could point this node at a stranger's address.
fn note_discovery(swarm: &Swarm, candidates: &mut Candidates, found: &Discovery) {
    let is_local = !found.address.is_globally_routable();
    // The book refuses what is of no use to this node; the announcement comes again.
    if is_local && swarm.announce(found.peer, &found.address).is_ok() {
        candidates.announced(found.peer);
    }
}

fn note_attempt(
    swarm: &Swarm,
    candidates: &mut Candidates,
    attempt: &Attempt,
    rng: &mut ChaCha20Rng,
) {
    candidates.dialled(attempt.peer, attempt.outcome.is_err());
    if let Ok(peer) = attempt.outcome {
        // Nobody is to close it for being idle: it would be dialled again at once.
        swarm.keep(&peer);
    }
    // The dial itself notes what went wrong at an address; what is wrong with the peer it does not.
    if let Err(DialFailure::Banned | DialFailure::OwnIdentity) = attempt.outcome {
        swarm.with_book(|book, now| {
            for address in &attempt.addresses {
                book.dial_failed(now.mono, attempt.peer, address, rng);
            }
        });
    }
}

/// Dials candidates that are not connected and whose addresses need not wait.
fn start_dials(swarm: &Swarm, candidates: &mut Candidates, dials: &mut JoinSet<Attempt>) {
    for peer in candidates.in_order() {
        if dials.len() >= MAX_DIALS {
            return;
        }
        if swarm.is_connected(&peer) {
            continue;
        }
        let mut addresses = swarm.with_book(|book, now| book.addresses_for_dial(now.mono, &peer));
        addresses.retain(|address| !address.is_globally_routable());
        if addresses.is_empty() {
            continue;
        }
        candidates.dialling(peer);
        let swarm = swarm.clone();
        dials.spawn(async move {
            let outcome = swarm.dial(Some(peer), &addresses).await;
            Attempt {
                peer,
                addresses,
                outcome,
            }
        });
    }
}

/// Announced peers, at most [`MAX_CANDIDATES`]; the waits between dials are the peer book's.
#[derive(Debug, Default)]
struct Candidates(BTreeMap<PeerId, Candidate>);

#[derive(Debug, Default)]
struct Candidate {
    /// Dials in a row that failed.
    failures: u32,
    is_dialling: bool,
}

impl Candidates {
    /// Enters a peer. When there are too many, the one that failed most gives way, but never one
    /// that has not failed.
    fn announced(&mut self, peer: PeerId) {
        if self.0.contains_key(&peer) {
            return;
        }
        if self.0.len() >= MAX_CANDIDATES {
            let worst = self.0.iter().max_by_key(|(_, one)| one.failures);
            let Some((worst, _)) = worst.filter(|(_, one)| one.failures > 0) else {
                return;
            };
            let worst = *worst;
            self.0.remove(&worst);
        }
        self.0.insert(peer, Candidate::default());
    }

    fn dialling(&mut self, peer: PeerId) {
        if let Some(candidate) = self.0.get_mut(&peer) {
            candidate.is_dialling = true;
        }
    }

    fn dialled(&mut self, peer: PeerId, failed: bool) {
        if let Some(candidate) = self.0.get_mut(&peer) {
            candidate.is_dialling = false;
            candidate.failures = if failed { candidate.failures + 1 } else { 0 };
        }
    }

    /// Those that are not being dialled, the ones that failed least first.
    fn in_order(&self) -> Vec<PeerId> {
        let idle = self.0.iter().filter(|(_, one)| !one.is_dialling);
        let mut idle: Vec<_> = idle.map(|(peer, one)| (one.failures, *peer)).collect();
        idle.sort_unstable();
        idle.into_iter().map(|(_, peer)| peer).collect()
    }
}
