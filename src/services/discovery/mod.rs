//! Discovery on a running node: peers, roles and records of the whole network.
//!
//! [`Discovery`] is the handle. Behind it one task owns the machine
//! ([`Kademlia`]) and drives it over the swarm; the program's commands, the
//! requests of peers and the events of the swarm are its inputs.

mod blame;
mod call;
mod commands;
mod driver;
mod entering;
mod error;
mod events;
mod inbound;
mod info;
mod records;
mod role;
mod settings;
mod setup;
mod state_file;
mod stats;
mod warm;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::discovery::{Command, Kademlia, OperationId, Outcome};
use crate::identity::PeerId;
use crate::p2p::{Swarm, WeakSwarm};

use driver::Message;
use entering::Entrance;
use stats::Counted;

pub(super) use call::scope_of_path;
pub(super) use driver::introduced;
pub use error::DiscoveryError;
pub use events::{DiscoveryEvent, DiscoveryEvents, DiscoveryHappened};
pub use info::{PeerInfo, PutManyReceipt, PutReceipt};
pub use records::MutableValue;
pub use role::{MAX_ROLE_NAME, ROLE_CONSENSUS, ROLE_RELAY, RoleError, role_key};
pub use settings::{DiscoverySettings, DiscoverySettingsError};
pub(crate) use setup::{Setup, prepare};
pub use stats::DiscoveryStats;

/// Finds peers, the nodes with a role, and records. Clones share it; it does not keep its node running.
///
/// A future of this type that is dropped gives its command up: what was asked for it is abandoned.
#[derive(Debug, Clone)]
pub struct Discovery(Option<Arc<Shared>>);

#[derive(Debug)]
struct Shared {
    local: PeerId,
    network: [u8; 32],
    /// Set before the node's first task runs.
    swarm: OnceLock<WeakSwarm>,
    messages: mpsc::Sender<Message>,
    /// Without a bound, because a future that is dropped cannot wait. The driver empties it before it
    /// takes the next command, so that it holds no more than commands that it has taken.
    cancels: mpsc::UnboundedSender<OperationId>,
    next_operation: AtomicU64,
    events: broadcast::WeakSender<DiscoveryEvent>,
    /// What happened from the start on, for the first who reads.
    early_events: Mutex<Option<broadcast::Receiver<DiscoveryEvent>>>,
    entrance: OnceLock<Entrance>,
    /// Nodes in the table.
    size: watch::Receiver<usize>,
}

/// A command under way; given up when this is dropped before its end.
struct Running<'a> {
    shared: &'a Shared,
    operation: OperationId,
    is_over: bool,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            // Without a driver nothing is under way.
            _ = self.shared.cancels.send(self.operation);
        }
    }
}

impl Discovery {
    /// The handle of a node that runs without discovery.
    pub(crate) const fn disabled() -> Self {
        Self(None)
    }

    /// Whether the node runs discovery.
    #[must_use]
    pub const fn is_enabled(&self) -> bool {
        self.0.is_some()
    }

    fn shared(&self) -> Result<&Shared, DiscoveryError> {
        self.0.as_deref().ok_or(DiscoveryError::Disabled)
    }

    fn swarm(&self) -> Result<Swarm, DiscoveryError> {
        let swarm = self.shared()?.swarm.get();
        swarm
            .and_then(WeakSwarm::upgrade)
            .ok_or(DiscoveryError::Stopped)
    }

    /// Has the machine carry out a command.
    async fn run(&self, command: Command) -> Result<Outcome, DiscoveryError> {
        let shared = self.shared()?;
        let number = shared.next_operation.fetch_add(1, Ordering::Relaxed);
        let operation = OperationId(number);
        let (done, outcome) = oneshot::channel();
        let message = Message::Start {
            operation,
            command,
            done,
        };
        self.send(message).await?;
        let mut running = Running {
            shared,
            operation,
            is_over: false,
        };
        let outcome = outcome.await;
        running.is_over = true;
        match outcome.map_err(|_| DiscoveryError::Stopped)? {
            Outcome::Rejected(rejection) => Err(rejection.into()),
            outcome => Ok(outcome),
        }
    }

    async fn send(&self, message: Message) -> Result<(), DiscoveryError> {
        let sent = self.shared()?.messages.send(message).await;
        sent.map_err(|_| DiscoveryError::Stopped)
    }

    /// Looks at the machine between two inputs.
    async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Kademlia, Counted) -> T + Send + 'static,
    ) -> Result<T, DiscoveryError> {
        let (answer, seen) = oneshot::channel();
        let look = move |machine: &Kademlia, counted: Counted| {
            // Who asked may be gone.
            _ = answer.send(look(machine, counted));
        };
        self.send(Message::Look(Box::new(look))).await?;
        seen.await.map_err(|_| DiscoveryError::Stopped)
    }
}
