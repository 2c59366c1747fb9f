//! Dials under way: those to one peer at one time are one dial.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, oneshot};

use super::DialFailure;
use super::dial::MAX_ADDRESSES;
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
    /// All that it tries or tried, at most [`MAX_ADDRESSES`].
    addresses: Vec<Address>,
    /// Addresses of those who joined it. It ends when nobody listens any more.
    more: mpsc::Sender<Address>,
    /// Told in this order, which is that of their coming.
    waiting: Vec<oneshot::Sender<Outcome>>,
}

/// What a caller that wants to dial is to do.
#[derive(Debug)]
pub(super) enum Part {
    /// Dial, and tell the outcome with [`Dials::finish`].
    Lead {
        /// The outcome.
        outcome: oneshot::Receiver<Outcome>,
        /// Addresses of those who join: to be tried as well.
        more: mpsc::Receiver<Address>,
    },
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

impl Dial {
    /// Whether it tries an address, from now on if it has room.
    fn covers(&mut self, address: &Address) -> bool {
        if self.addresses.contains(address) {
            return true;
        }
        let is_taken =
            self.addresses.len() < MAX_ADDRESSES && self.more.try_send(address.clone()).is_ok();
        if is_taken {
            self.addresses.push(address.clone());
        }
        is_taken
    }
}

impl Dials {
    /// Joins the dial to `peer`, or begins it. A dial that waits at an address where nobody answers tries those of
    /// whoever joins it meanwhile.
    pub(super) fn enter(&self, peer: PeerId, addresses: &[Address]) -> Part {
        let mut dials = self.lock();
        let (sender, outcome) = oneshot::channel();
        if let Some(dial) = dials.get_mut(&peer) {
            dial.waiting.retain(|waiting| !waiting.is_closed());
            dial.waiting.push(sender);
            let covers = addresses.iter().all(|own| dial.covers(own));
            return Part::Join { outcome, covers };
        }
        if dials.len() >= MAX_DIALS {
            return Part::TooMany;
        }
        let (further, more) = mpsc::channel(MAX_ADDRESSES);
        let dial = Dial {
            addresses: addresses.to_vec(),
            more: further,
            waiting: vec![sender],
        };
        dials.insert(peer, dial);
        Part::Lead { outcome, more }
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
