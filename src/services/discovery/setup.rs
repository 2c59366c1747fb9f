//! Discovery put together, before the swarm's first task runs.

use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, OnceLock};

use tokio::sync::{broadcast, mpsc, watch};

use super::driver::{Driver, MESSAGES, Message, Parts};
use super::entering::{Entrance, stay_entered};
use super::events::{self, DiscoveryEvent};
use super::inbound::{self, Inbound};
use super::state_file::StateFile;
use super::{Discovery, DiscoverySettings, Shared};
use crate::crypto::EntropyFailure;
use crate::discovery::{DiscoveryConfig, Kademlia, OperationId, Setup as MachineSetup};
use crate::identity::PeerId;
use crate::p2p::{Services, StackProtocols, Swarm};
use crate::transport::environment::Environment;
use crate::wire::Address;

/// What discovery is made of.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) local: PeerId,
    pub(crate) network: [u8; 32],
    pub(crate) settings: DiscoverySettings,
    pub(crate) bootstrap_nodes: Vec<Address>,
    /// Where the state is kept.
    pub(crate) directory: Option<PathBuf>,
    /// Points below zero at which a peer has no place in the table: where its connection is closed.
    pub(crate) veto_at: u16,
}

/// What the driver gets from its handles.
struct Ends {
    messages: mpsc::Receiver<Message>,
    cancels: mpsc::UnboundedReceiver<OperationId>,
    events: broadcast::Sender<DiscoveryEvent>,
    size: watch::Sender<usize>,
}

/// The handle, and the protocol that starts discovery together with its swarm.
///
/// # Errors
/// The environment has no randomness.
pub(crate) fn prepare(
    setup: Setup,
    environment: &Environment,
) -> Result<(Discovery, StackProtocols), EntropyFailure> {
    let mut seeds = [[0; 32]; 2];
    for seed in &mut seeds {
        environment.entropy.fill(seed)?;
    }
    let (messages, message_queue) = mpsc::channel(MESSAGES);
    let (cancels, cancel_queue) = mpsc::unbounded_channel();
    let (events, early_events) = broadcast::channel(events::BACKLOG);
    let (size, sizes) = watch::channel(0);
    let shared = Shared {
        local: setup.local,
        network: setup.network,
        swarm: OnceLock::new(),
        messages,
        cancels,
        next_operation: AtomicU64::new(0),
        events: events.downgrade(),
        early_events: Mutex::new(Some(early_events)),
        entrance: OnceLock::new(),
        size: sizes,
    };
    let discovery = Discovery(Some(Arc::new(shared)));
    let ends = Ends {
        messages: message_queue,
        cancels: cancel_queue,
        events,
        size,
    };
    let handle = discovery.clone();
    let stack = StackProtocols::new(move |swarm| start(&handle, swarm, setup, ends, seeds));
    Ok((discovery, stack))
}

fn start(
    discovery: &Discovery,
    swarm: &Swarm,
    setup: Setup,
    ends: Ends,
    [machine_seed, wait_seed]: [[u8; 32]; 2],
) -> Services {
    let clock = swarm.environment().clock.clone();
    let machine = Kademlia::new(MachineSetup {
        local: setup.local,
        network: setup.network,
        config: DiscoveryConfig::default(),
        store: setup.settings.store,
        seed: machine_seed,
    });
    let (queue, inbound) = mpsc::channel::<Inbound>(inbound::QUEUE);
    let directory = setup.directory.as_deref();
    let file = directory.map(|folder| StateFile::new(folder, setup.local, setup.network));
    let sizes = ends.size.subscribe();
    let parts = Parts {
        machine,
        swarm: swarm.downgrade(),
        caller: swarm.caller(),
        clock: clock.clone(),
        messages: ends.messages,
        cancels: ends.cancels,
        inbound,
        swarm_events: swarm.events(),
        reachability: swarm.reachability(),
        events: ends.events,
        size: ends.size,
        file,
        warm_links: usize::try_from(setup.settings.warm_links).unwrap_or(usize::MAX),
        veto_at: -i32::from(setup.veto_at),
    };
    let mut driver = Driver::new(parts);
    let state = driver.restore();
    if let Some(shared) = &discovery.0 {
        // Nobody else sets them: this runs once.
        _ = shared.swarm.set(swarm.downgrade());
        _ = shared.entrance.set(Entrance {
            seeds: setup.bootstrap_nodes,
            remembered: state.contacts,
        });
    }
    let entering = stay_entered(discovery.clone(), sizes, state.records, wait_seed);
    Services {
        protocols: vec![inbound::protocol(queue, swarm.reachability(), clock)],
        tasks: vec![Box::pin(driver.run()), Box::pin(entering)],
    }
}
