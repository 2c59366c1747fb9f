//! One lookup: for a peer, for the surroundings of a key, for the health of a bucket.

use super::{Context, Progress};
use crate::discovery::Key;
use crate::discovery::config::K;
use crate::discovery::machine::io::Outcome;
use crate::discovery::machine::search::Aim;
use crate::discovery::machine::signal::Signal;
use crate::identity::PeerId;

/// Reaches a peer: the lookup for its place ends when the peer itself answers, so that it is
/// connected then.
#[derive(Debug, Clone)]
pub(in crate::discovery::machine) struct FindPeer(pub(in crate::discovery::machine) PeerId);

impl FindPeer {
    pub(super) fn on(&mut self, context: &mut Context<'_>, signal: &Signal) -> Progress {
        match signal {
            Signal::Start => {
                let goal = Some(self.0);
                let aim = Aim::nodes(self.0.into());
                context.core.search(context.id, Aim { goal, ..aim });
                Progress::Going
            }
            Signal::Found(_, found) => {
                let has_answered = found.answered.iter().any(|one| one.peer == self.0);
                let contact = found.target.clone();
                context.done(Outcome::Peer {
                    contact,
                    has_answered,
                });
                Progress::Over
            }
            _ => Progress::Going,
        }
    }
}

/// The nodes nearest to a key.
#[derive(Debug, Clone)]
pub(in crate::discovery::machine) struct Closest(pub(in crate::discovery::machine) Key);

impl Closest {
    pub(super) fn on(&mut self, context: &mut Context<'_>, signal: Signal) -> Progress {
        match signal {
            Signal::Start => {
                context.core.search(context.id, Aim::nodes(self.0));
                Progress::Going
            }
            Signal::Found(_, found) => {
                context.done(Outcome::Closest(found.closest));
                Progress::Over
            }
            _ => Progress::Going,
        }
    }
}

/// A lookup for a random key: it keeps a bucket fresh, and shows how large the network is.
#[derive(Debug, Clone)]
pub(in crate::discovery::machine) struct Refresh(pub(in crate::discovery::machine) Key);

impl Refresh {
    pub(super) fn on(&mut self, context: &mut Context<'_>, signal: &Signal) -> Progress {
        match signal {
            Signal::Start => {
                let is_sample = true;
                let aim = Aim::nodes(self.0);
                context.core.search(context.id, Aim { is_sample, ..aim });
                Progress::Going
            }
            Signal::Found(_, found) => {
                if let Some(last) = found.closest.get(K - 1) {
                    let distance = self.0.distance(&last.peer.into());
                    let now = context.core.now.mono;
                    context.core.estimate.sample(now, &distance);
                }
                Progress::Over
            }
            _ => Progress::Going,
        }
    }
}
