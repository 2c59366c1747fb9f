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

/// A lookup that keeps a part of the table fresh. If it leads out of the own neighbourhood it shows how
/// large the network is, too: what is near says how crowded it is here, and would be asked again and again.
#[derive(Debug, Clone)]
pub(in crate::discovery::machine) struct Refresh {
    target: Key,
    is_sample: bool,
}

impl Refresh {
    pub(in crate::discovery::machine) const fn new(target: Key) -> Self {
        Self {
            target,
            is_sample: false,
        }
    }

    pub(super) fn on(&mut self, context: &mut Context<'_>, signal: &Signal) -> Progress {
        match signal {
            Signal::Start => {
                let is_sample = !context.core.is_near(&self.target);
                self.is_sample = is_sample;
                let aim = Aim::nodes(self.target);
                context.core.search(context.id, Aim { is_sample, ..aim });
                Progress::Going
            }
            Signal::Found(_, found) => {
                if let Some(last) = found.closest.get(K - 1).filter(|_| self.is_sample) {
                    let distance = self.target.distance(&last.peer.into());
                    let now = context.core.now.mono;
                    context.core.estimate.sample(now, &distance);
                }
                Progress::Over
            }
            _ => Progress::Going,
        }
    }
}
