//! What gossip tells.

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::gossip::{SharedSeal, TopicHash};
use crate::identity::PeerId;
use crate::p2p::Lagged;

/// Events kept for readers that fall behind: a mesh that forms in each of a hundred topics, twice over.
pub(super) const BACKLOG: usize = 2_048;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum GossipEvent {
    /// A neighbour joined a topic's mesh.
    Grafted(PeerId, TopicHash),
    /// A neighbour left a topic's mesh.
    Pruned(PeerId, TopicHash),
    /// The program rejected a long message of this publisher when all of it was here: none of its long
    /// messages is carried for ten minutes.
    Distrusted(PeerId),
    /// A neighbour had not taken what it was handed for a while, 1.2 s by default, at a heartbeat. If that goes on it is a
    /// slow reader soon. Told once until it has caught up.
    Stalls(PeerId),
    /// A neighbour reads too slowly, and is in no mesh until it reads again.
    SlowReader(PeerId),
    /// A publisher said two things under one counter: both seals prove it. Neighbours that passed them
    /// on are not to blame. Told once a minute of one publisher in one epoch on one topic.
    Equivocation {
        /// Who.
        publisher: PeerId,
        /// The evidence.
        seals: [SharedSeal; 2],
    },
}

/// Where one reader takes events out. A reader that falls behind loses the oldest, and is told how
/// many; the node never waits for it.
#[derive(Debug)]
pub struct GossipEvents(pub(super) broadcast::Receiver<GossipEvent>);

impl GossipEvents {
    /// The next event; waits for it. `None` when the node is gone and all events are read.
    ///
    /// # Errors
    /// [`Lagged`] with the number of events that were lost.
    pub async fn next(&mut self) -> Option<Result<GossipEvent, Lagged>> {
        match self.0.recv().await {
            Ok(event) => Some(Ok(event)),
            Err(RecvError::Lagged(lost)) => Some(Err(Lagged { lost })),
            Err(RecvError::Closed) => None,
        }
    }
}
