//! Entering the network, and entering it again when it is lost.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::driver::Message;
use super::driver::as_told;
use super::{Discovery, DiscoveryError};
use crate::discovery::{Command, Outcome};
use crate::identity::PeerId;
use crate::p2p::Caller;
use crate::policy::Backoff;
use crate::transport::Path;
use crate::wire::Address;
use crate::wire::codec::SharedList;
use crate::wire::message::discovery::{Contact, Record};

/// The network is tried again after this, at first: a seed that restarts is there again.
const RETRY_FIRST: Duration = Duration::from_secs(1);

/// And after at most this: one dial of each seed in half a minute burdens nobody.
const RETRY_LAST: Duration = Duration::from_secs(30);

/// A seed says who it is within this after it is connected: three round trips of a satellite.
const ACQUAINTANCE: Duration = Duration::from_secs(2);

/// What an attempt to enter came to, in part.
enum Part {
    /// A seed is connected.
    Seed(PeerId),
    /// A lookup for this node's own place left so many nodes in the table.
    Entered(usize),
    Nothing,
}

/// Where a node enters.
#[derive(Debug, Clone, Default)]
pub(super) struct Entrance {
    pub(super) seeds: Vec<Address>,
    /// Nodes of the run before.
    pub(super) remembered: Vec<Contact>,
}

/// Enters through whoever is there first: the seeds are all dialled at once, and those that are
/// remembered are asked meanwhile.
pub(super) async fn enter(
    discovery: &Discovery,
    caller: &Caller,
    entrance: &Entrance,
    (messages, size): (&mpsc::Sender<Message>, &watch::Receiver<usize>),
) -> Result<usize, DiscoveryError> {
    let mut parts = JoinSet::new();
    for seed in &entrance.seeds {
        let (caller, seed) = (caller.clone(), seed.clone());
        parts.spawn(async move {
            let dialled = caller
                .dial(seed.peer_id(), std::slice::from_ref(&seed))
                .await;
            Ok(dialled.map_or(Part::Nothing, Part::Seed))
        });
    }
    parts.spawn(look_around(discovery.clone(), entrance.remembered.clone()));
    let mut is_acquainted = false;
    while let Some(part) = parts.join_next().await {
        match part.unwrap_or(Ok(Part::Nothing))? {
            Part::Seed(peer) => {
                if !std::mem::replace(&mut is_acquainted, true) {
                    parts.spawn(get_acquainted(discovery.clone(), size.clone()));
                }
                // A driver that is gone is noticed by the next command.
                _ = messages.send(Message::Dialled(peer)).await;
                if let Some(contact) = contact_of(caller, peer) {
                    parts.spawn(look_around(discovery.clone(), vec![contact]));
                }
            }
            Part::Entered(contacts) if contacts > 0 => {
                _ = messages.send(Message::Entered(contacts)).await;
                return Ok(contacts);
            }
            Part::Entered(_) | Part::Nothing => {}
        }
    }
    Err(DiscoveryError::NoContacts)
}

/// A node enters the table when it has said who it is, which may be a little later than it answers: a
/// lookup that was over before is repeated then.
async fn get_acquainted(
    discovery: Discovery,
    mut size: watch::Receiver<usize>,
) -> Result<Part, DiscoveryError> {
    match timeout(ACQUAINTANCE, size.wait_for(|nodes| *nodes > 0)).await {
        Ok(Ok(_)) => {}
        _ => return Ok(Part::Nothing),
    }
    look_around(discovery, Vec::new()).await
}

async fn look_around(discovery: Discovery, seeds: Vec<Contact>) -> Result<Part, DiscoveryError> {
    match discovery.run(Command::Bootstrap { seeds }).await {
        Ok(Outcome::Bootstrapped { contacts }) => Ok(Part::Entered(contacts)),
        // The program has too much under way: this attempt comes to nothing.
        Ok(_) | Err(DiscoveryError::Rejected(_)) => Ok(Part::Nothing),
        Err(error) => Err(error),
    }
}

/// Where a seed was reached: its own name for itself may be one that only this node can resolve.
fn contact_of(caller: &Caller, peer: PeerId) -> Option<Contact> {
    let Path::Direct { addr, .. } = caller.connection(&peer)?.path() else {
        return None;
    };
    let addresses = SharedList::truncated([as_told(Address::from(addr))]);
    Some(Contact { peer, addresses })
}

/// Enters the network when the node starts and whenever the table is empty; stores again, once, what
/// the run before published. Runs until the node stops.
pub(super) async fn stay_entered(
    discovery: Discovery,
    mut size: watch::Receiver<usize>,
    restored: Vec<Record>,
    seed: [u8; 32],
) {
    let mut rng = ChaCha8Rng::from_seed(seed);
    let mut backoff = Backoff::new(RETRY_FIRST, RETRY_LAST);
    let mut restored = Some(restored);
    loop {
        match discovery.bootstrap().await {
            Ok(_) => {
                backoff.reset();
                if let Some(records) = restored.take().filter(|records| !records.is_empty()) {
                    // Those that have expired are left out: their owner makes new ones.
                    _ = discovery.run(Command::PutMany(records)).await;
                }
                if size.wait_for(|nodes| *nodes == 0).await.is_err() {
                    return;
                }
            }
            Err(DiscoveryError::Stopped) => return,
            Err(_) => {
                let wait = backoff.next_delay(&mut rng);
                let before = *size.borrow_and_update();
                // Whoever comes to this node meanwhile is a way in as well.
                if let Ok(Err(_)) = timeout(wait, size.wait_for(|nodes| *nodes > before)).await {
                    return;
                }
            }
        }
    }
}
