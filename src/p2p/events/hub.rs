use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use thiserror::Error;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use super::{Event, IncomingRefusal, SwarmEvent};
use crate::policy::{Micros, TokenBucket};

/// Refusals of one kind that are told at once: enough to see who knocks.
const REFUSAL_BURST: u32 = 16;

/// Refusals of one kind that are told in a second after that. Anybody can cause any number of them;
/// untold, they would push what the application waits for out of the ring.
const REFUSALS_PER_SECOND: u32 = 4;

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
///
/// Of connections from outside that are refused only some are told, each kind of
/// [`IncomingRefusal`] by a rate of its own: a flood of them must not flush the ring. All are counted
/// in [`SwarmMetrics`](crate::p2p::SwarmMetrics).
#[derive(Debug, Clone)]
pub struct EventHub {
    sender: broadcast::Sender<Event>,
    refusals: Arc<Mutex<Refusals>>,
}

/// How many refusals of each kind may be told.
#[derive(Debug)]
struct Refusals {
    limit: TokenBucket,
    handshake: TokenBucket,
    peer: TokenBucket,
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
        Self {
            sender,
            refusals: Arc::new(Mutex::new(Refusals::new())),
        }
    }

    /// Tells all readers, unless it is a refusal too many.
    pub fn emit(&self, at: Micros, what: SwarmEvent) {
        if let SwarmEvent::IncomingRefused { reason } = &what {
            let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
            if !refusals.of(reason).try_take(1, at) {
                return;
            }
        }
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

impl Refusals {
    fn new() -> Self {
        let full = TokenBucket::new(REFUSAL_BURST, REFUSALS_PER_SECOND, Micros(0));
        Self {
            limit: full.clone(),
            handshake: full.clone(),
            peer: full,
        }
    }

    const fn of(&mut self, reason: &IncomingRefusal) -> &mut TokenBucket {
        match reason {
            IncomingRefusal::Limit(_) => &mut self.limit,
            IncomingRefusal::Handshake(_) => &mut self.handshake,
            IncomingRefusal::Peer(_) => &mut self.peer,
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
