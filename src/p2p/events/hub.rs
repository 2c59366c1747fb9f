use std::num::NonZeroUsize;

use thiserror::Error;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use super::{Event, SwarmEvent};
use crate::policy::Micros;

/// A reader was too slow: this many events are gone for it. The next one it gets is the oldest that
/// is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{lost} events were lost: the reader is too slow")]
pub struct Lagged {
    /// Events lost since the last one read.
    pub lost: u64,
}

/// Where events go in. Emitting never waits and never fails: the ring keeps the last events for all
/// readers together, and a reader that falls behind it loses the oldest.
#[derive(Debug, Clone)]
pub struct EventHub {
    sender: broadcast::Sender<Event>,
}

/// Where one reader takes events out.
#[derive(Debug)]
pub struct EventStream {
    receiver: broadcast::Receiver<Event>,
}

impl EventHub {
    /// A hub that keeps `capacity` events, rounded up to a power of two.
    #[must_use]
    pub fn new(capacity: NonZeroUsize) -> Self {
        let (sender, _) = broadcast::channel(capacity.get());
        Self { sender }
    }

    /// Tells all readers.
    pub fn emit(&self, at: Micros, what: SwarmEvent) {
        // Without readers the event is nobody's.
        _ = self.sender.send(Event { at, what });
    }

    /// A reader of all events from now on.
    #[must_use]
    pub fn subscribe(&self) -> EventStream {
        EventStream {
            receiver: self.sender.subscribe(),
        }
    }
}

impl EventStream {
    /// The next event; waits for it. `None` when the node is gone and all events are read.
    pub async fn next(&mut self) -> Option<Result<Event, Lagged>> {
        match self.receiver.recv().await {
            Ok(event) => Some(Ok(event)),
            Err(RecvError::Lagged(lost)) => Some(Err(Lagged { lost })),
            Err(RecvError::Closed) => None,
        }
    }

    /// The next event, if there is one already.
    pub fn try_next(&mut self) -> Option<Result<Event, Lagged>> {
        match self.receiver.try_recv() {
            Ok(event) => Some(Ok(event)),
            Err(TryRecvError::Lagged(lost)) => Some(Err(Lagged { lost })),
            Err(TryRecvError::Empty | TryRecvError::Closed) => None,
        }
    }
}
