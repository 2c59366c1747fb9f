//! When the state is saved.

use std::io;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::super::events::DiscoveryHappened;
use super::super::state_file::{Loaded, StateFile};
use super::Driver;
use crate::discovery::{Command, Input, OperationId, SavedState};
use crate::policy::Micros;

/// The state is saved this often, and when the node stops: a table is of use hours later, and a record
/// that is lost is one that the program made in the last minutes before a crash.
const EVERY: Duration = Duration::from_secs(300);

/// Numbers of the commands that publish restored records: far above those that handles give.
const RESTORING: u64 = 1 << 62;

/// Files being written: one at a time, off the threads of the runtime, since a disk may take seconds.
#[derive(Debug, Default)]
pub(super) struct Saving {
    due: Option<Micros>,
    pub(super) tasks: JoinSet<io::Result<()>>,
    /// Who waits for the next one; none but the one shutdown of the node.
    waiting: Vec<oneshot::Sender<()>>,
}

impl Saving {
    pub(super) fn begin(&mut self, now: Micros, has_file: bool) {
        self.due = has_file.then(|| now + EVERY);
    }

    pub(super) const fn due(&self) -> Option<Micros> {
        self.due
    }

    pub(super) fn is_due(&self, now: Micros) -> bool {
        self.due.is_some_and(|at| at <= now)
    }
}

impl Driver {
    /// Reads the state of the run before and publishes its records again; the network is entered later.
    pub(in crate::services::discovery) fn restore(&mut self) -> SavedState {
        let loaded = self.parts.file.as_ref().map(StateFile::load);
        let state = match loaded {
            None => SavedState::default(),
            Some(Ok(Loaded::State(state))) => state,
            Some(Ok(Loaded::SetAside(file, fault))) => {
                tracing::warn!(file = %file.display(), %fault, "the state of discovery was set aside");
                self.tell(DiscoveryHappened::StateSetAside { file, fault });
                SavedState::default()
            }
            Some(Err(error)) => {
                tracing::warn!(%error, "the state of discovery could not be read");
                self.tell(DiscoveryHappened::StateNotRead);
                SavedState::default()
            }
        };
        for (number, record) in (RESTORING..).zip(&state.records) {
            // Nobody can be asked yet: it is kept, and stored when the network is entered.
            self.feed(Input::Start {
                operation: OperationId(number),
                command: Command::Put(record.clone()),
            });
        }
        state
    }

    /// Saves the state, now or after what is being written. Without a file there is nothing to do.
    pub(super) fn save(&mut self, done: Option<oneshot::Sender<()>>) {
        let Some(file) = self.parts.file.clone() else {
            return;
        };
        self.saving.due = Some(self.now() + EVERY);
        if !self.saving.tasks.is_empty() {
            self.saving.waiting.extend(done);
            return;
        }
        let state = self.state();
        self.saving.tasks.spawn_blocking(move || {
            let saved = file.save(state);
            drop(done);
            saved
        });
    }

    pub(super) fn saved(&mut self, saved: Result<io::Result<()>, tokio::task::JoinError>) {
        if !matches!(saved, Ok(Ok(()))) {
            tracing::warn!("the state of discovery could not be saved");
            self.tell(DiscoveryHappened::StateNotSaved);
        }
        let waiting = std::mem::take(&mut self.saving.waiting);
        for done in waiting {
            self.save(Some(done));
        }
    }

    fn state(&self) -> SavedState {
        let machine = &self.parts.machine;
        let alive = machine.table().filter(|entry| entry.failures == 0);
        SavedState {
            contacts: alive.map(|entry| entry.contact).collect(),
            records: machine.publications().cloned().collect(),
        }
    }
}
