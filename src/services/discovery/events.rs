//! What discovery tells.

use std::path::PathBuf;

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use crate::discovery::{Event as Happened, StateFault};
use crate::p2p::Lagged;
use crate::policy::Micros;

/// Events kept for readers that fall behind: what a large lookup adds to the table, twice over.
pub(super) const BACKLOG: usize = 256;

/// Something that happened in discovery, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct DiscoveryEvent {
    /// Monotonic time of the node.
    pub at: Micros,
    /// What happened.
    pub what: DiscoveryHappened,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum DiscoveryHappened {
    /// In the machine: the table changed, a record is complete, somebody surrounds a key.
    Machine(Happened),
    /// The node entered the network; the table holds this many nodes.
    Entered {
        /// Nodes in the table.
        contacts: usize,
    },
    /// The file with the saved state could not be used and was set aside; the node began without.
    StateSetAside {
        /// Where the file is now.
        file: PathBuf,
        /// What is wrong with it.
        fault: StateFault,
    },
    /// There is a file with a saved state, and it could not be read; the node began without.
    StateNotRead,
    /// The state could not be saved.
    StateNotSaved,
}

/// Where one reader takes events out. A reader that falls behind loses the oldest, and is told how
/// many; the node never waits for it.
#[derive(Debug)]
pub struct DiscoveryEvents {
    receiver: broadcast::Receiver<DiscoveryEvent>,
}

impl DiscoveryEvents {
    pub(super) const fn new(receiver: broadcast::Receiver<DiscoveryEvent>) -> Self {
        Self { receiver }
    }

    /// The next event; waits for it. `None` when the node is gone and all events are read.
    pub async fn next(&mut self) -> Option<Result<DiscoveryEvent, Lagged>> {
        match self.receiver.recv().await {
            Ok(event) => Some(Ok(event)),
            Err(RecvError::Lagged(lost)) => Some(Err(Lagged { lost })),
            Err(RecvError::Closed) => None,
        }
    }

    /// The next event, if there is one already.
    pub fn try_next(&mut self) -> Option<Result<DiscoveryEvent, Lagged>> {
        match self.receiver.try_recv() {
            Ok(event) => Some(Ok(event)),
            Err(TryRecvError::Lagged(lost)) => Some(Err(Lagged { lost })),
            Err(TryRecvError::Empty | TryRecvError::Closed) => None,
        }
    }
}
