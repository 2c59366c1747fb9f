//! Gossip put together, before the swarm's first task runs.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use tokio::sync::{broadcast, mpsc};

use super::driver::{COMMANDS, Driver, Parts};
use super::explicit::{self, Keeper};
use super::{GossipProtocol, Shared, chunks, epoch, events, inbound};
use crate::crypto::{EntropyFailure, VerifyingKey};
use crate::gossip::{Gossip, GossipConfig, ScoreConfig, Setup as MachineSetup};
use crate::p2p::{Services, StackProtocols, Task};
use crate::transport::environment::Environment;
use crate::wire::Address;

/// What gossip is made of.
#[derive(Debug)]
pub(crate) struct Setup<'a> {
    pub(crate) network: [u8; 32],
    pub(crate) key: VerifyingKey,
    pub(crate) config: GossipConfig,
    /// Where the epoch is kept.
    pub(crate) directory: Option<&'a Path>,
    /// Points below zero at which a peer has no place in a mesh: where its connection is closed.
    pub(crate) veto_at: u16,
    /// Where those are with whom messages are always exchanged, with their peer ids.
    pub(crate) explicit_peers: &'a [Address],
}

/// Why gossip cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The environment has no randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyFailure),
    /// The publisher's epoch could not be written down.
    #[error("the publisher's epoch cannot be kept: {0}")]
    Epoch(#[from] io::Error),
}

/// The handle, and the protocol that starts gossip together with its swarm.
///
/// # Errors
/// [`PrepareError`].
pub(crate) fn prepare(
    setup: Setup<'_>,
    environment: &Environment,
) -> Result<(GossipProtocol, StackProtocols), PrepareError> {
    let mut seed = [0; 32];
    environment.entropy.fill(&mut seed)?;
    let epoch = epoch::begin(setup.directory, environment.clock.now().wall)?;
    let (commands, command_queue) = mpsc::channel(COMMANDS);
    let (events, _) = broadcast::channel(events::BACKLOG);
    let handle = GossipProtocol(Some(Arc::new(Shared {
        commands,
        next_publication: AtomicU64::new(0),
        events: events.downgrade(),
    })));
    let machine = Gossip::new(MachineSetup {
        network: setup.network,
        key: setup.key,
        epoch,
        score: ScoreConfig::matching(&setup.config),
        config: setup.config,
        seed,
    });
    let peers = explicit::by_peer(setup.explicit_peers);
    let (network, veto_at) = (setup.network, -i32::from(setup.veto_at));
    let stack = StackProtocols::new(move |swarm| {
        let (queue, inbound) = mpsc::channel(inbound::QUEUE);
        let (asks, chunk_asks) = mpsc::channel(chunks::QUEUE);
        let keeper = Keeper {
            swarm: swarm.downgrade(),
            caller: swarm.caller(),
            events: swarm.events(),
            rng: ChaCha8Rng::from_seed(*blake3::hash(&seed).as_bytes()),
            peers,
        };
        let explicit = keeper.peers.keys().copied().collect();
        let driver = Driver::new(Parts {
            machine,
            network,
            swarm: swarm.downgrade(),
            caller: swarm.caller(),
            clock: swarm.environment().clock.clone(),
            commands: command_queue,
            inbound,
            chunk_asks,
            swarm_events: swarm.events(),
            events,
            veto_at,
            explicit,
        });
        let mut tasks: Vec<Task> = vec![Box::pin(driver.run())];
        if !keeper.peers.is_empty() {
            tasks.push(Box::pin(keeper.run()));
        }
        Services {
            protocols: vec![inbound::protocol(queue), chunks::protocol(asks)],
            tasks,
        }
    });
    Ok((handle, stack))
}
