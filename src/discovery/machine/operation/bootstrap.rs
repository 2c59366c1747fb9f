//! Entering the network.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Context, HandOff, Operation, Progress, Refresh};
use crate::discovery::machine::io::Outcome;
use crate::discovery::machine::search::Aim;
use crate::discovery::machine::signal::Signal;
use crate::wire::message::discovery::Contact;

/// Who enters through several seeds, or again at once, fills no bucket and asks no neighbour for its
/// records twice within this time: its neighbours would have no time for its own questions then.
pub(super) const ENTERED: Duration = Duration::from_secs(60);

/// A lookup for the node's own place makes it known to its neighbours and them to it; then the
/// farther buckets are filled, and the neighbours hand over what this node should hold.
#[derive(Debug, Clone)]
pub(in crate::discovery::machine) struct Bootstrap {
    seeds: Vec<Contact>,
}

impl Bootstrap {
    pub(in crate::discovery::machine) const fn new(seeds: Vec<Contact>) -> Self {
        Self { seeds }
    }

    pub(super) fn on(&mut self, context: &mut Context<'_>, signal: Signal) -> Progress {
        match signal {
            Signal::Start => {
                let local = context.core.key();
                let seeds = self.seeds(context);
                let aim = Aim::nodes(local);
                context.core.search(context.id, Aim { seeds, ..aim });
                Progress::Going
            }
            Signal::Found(..) => {
                let core = &mut *context.core;
                let contacts = core.table.len();
                let targets = core.table.refresh(core.now.mono, ENTERED, &mut core.rng);
                for target in targets {
                    context.begin(Operation::Refresh(Refresh::new(target)));
                }
                if context.holding.serves {
                    context.begin(Operation::HandOff(HandOff::default()));
                }
                context.done(Outcome::Bootstrapped { contacts });
                Progress::Over
            }
            _ => Progress::Going,
        }
    }

    /// The given seeds and the table, each peer once.
    fn seeds(&self, context: &Context<'_>) -> Option<Vec<Contact>> {
        let local = context.core.key();
        let known = context
            .core
            .table
            .seeds(&local, crate::discovery::config::K);
        let mut seen = BTreeSet::new();
        let all = self.seeds.iter().cloned().chain(known);
        Some(all.filter(|one| seen.insert(one.peer)).collect())
    }
}
