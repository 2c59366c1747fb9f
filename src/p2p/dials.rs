//! Dials under way: those to one peer at one time are one dial.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::DialFailure;
use crate::identity::PeerId;
use crate::wire::Address;

/// Dials under way at a time, to peers that are named: as many handshakes as a node may have
/// unfinished from outside.
pub(super) const MAX_DIALS: usize = 1024;

type Outcome = Result<PeerId, DialFailure>;

/// The dials under way, by peer.
#[derive(Debug, Default)]
pub(super) struct Dials(Mutex<BTreeMap<PeerId, Dial>>);

#[derive(Debug)]
struct Dial {
    addresses: Vec<Address>,
    /// Told in this order, which is that of their coming.
    waiting: Vec<oneshot::Sender<Outcome>>,
}

/// What a caller that wants to dial is to do.
#[derive(Debug)]
pub(super) enum Part {
    /// Dial, and tell the outcome with [`Dials::finish`].
    Lead(oneshot::Receiver<Outcome>),
    /// Somebody dials already.
    Join {
        /// The outcome; without one the dial was given up.
        outcome: oneshot::Receiver<Outcome>,
        /// Whether that dial tries all addresses of the caller.
        covers: bool,
    },
    /// [`MAX_DIALS`] are under way.
    TooMany,
}

impl Dials {
    /// Joins the dial to `peer`, or begins it.
    pub(super) fn enter(&self, peer: PeerId, addresses: &[Address]) -> Part {
        let mut dials = self.lock();
        let (sender, outcome) = oneshot::channel();
        if let Some(dial) = dials.get_mut(&peer) {
            dial.waiting.retain(|waiting| !waiting.is_closed());
            dial.waiting.push(sender);
            let covers = addresses.iter().all(|own| dial.addresses.contains(own));
            return Part::Join { outcome, covers };
        }
        if dials.len() >= MAX_DIALS {
            return Part::TooMany;
        }
        let dial = Dial {
            addresses: addresses.to_vec(),
            waiting: vec![sender],
        };
        dials.insert(peer, dial);
        Part::Lead(outcome)
    }

    /// Ends the dial to `peer` and tells all that wait.
    pub(super) fn finish(&self, peer: &PeerId, outcome: Outcome) {
        let dial = self.lock().remove(peer);
        for waiting in dial.into_iter().flat_map(|dial| dial.waiting) {
            // Whoever gave up does not want to know.
            let _ = waiting.send(outcome);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<PeerId, Dial>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
