//! What this node publishes, and when it is stored again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::discovery::Key;
use crate::discovery::record::Checked;
use crate::policy::{Micros, Now};
use crate::wire::message::discovery::{Record, kind};

/// Records that a node publishes: with 1 KiB each 64 MiB of its own memory.
pub const MAX_PUBLICATIONS: usize = 65_536;

/// Provider records are stored again after this long. Their holders hand them to nobody, so that each
/// one that leaves is one less: after 20 min of heavy churn (half of the nodes every 10 min) a quarter
/// of 30 are left.
const PROVIDE_EVERY: Duration = Duration::from_secs(1_200);

/// Soon is a sixth of the interval: records put over an hour are stored again in six sweeps an hour.
const SOON: u32 = 6;

#[derive(Debug, Clone)]
struct Publication {
    record: Record,
    checked: Checked,
    due: Micros,
    /// When it must have been replaced by its owner; never, if it lives as long as it is stored again.
    ends: Option<Micros>,
}

/// Own records by kind and key. They are never evicted, and no budget of others counts them.
#[derive(Debug, Clone, Default)]
pub(super) struct Publications {
    records: BTreeMap<(u16, Key), Publication>,
    due: BTreeSet<(Micros, u16, Key)>,
}

/// Publications whose time has come.
#[derive(Debug)]
pub(super) struct Due {
    /// To be stored again.
    pub(super) again: Vec<(Key, Record)>,
    /// Kinds and keys of those that have ended: they are published no more.
    pub(super) ended: Vec<(u16, Key)>,
}

/// Why a record is not published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotPublished {
    TooMany,
    Superseded,
}

impl Publications {
    /// Publishes a record from now on, in the place of an older version.
    pub(super) fn insert(
        &mut self,
        now: Now,
        republish: Duration,
        record: Record,
        checked: Checked,
    ) -> Result<(), NotPublished> {
        let name = (record.kind, checked.key);
        match self.records.get(&name) {
            Some(old) if old.checked.version > checked.version => {
                return Err(NotPublished::Superseded);
            }
            None if self.records.len() >= MAX_PUBLICATIONS => return Err(NotPublished::TooMany),
            _ => {}
        }
        self.remove(name.0, &name.1);
        let is_signed = record.kind == kind::MUTABLE;
        let ends = is_signed.then_some(checked.expires);
        let due = now.mono + interval(record.kind, republish);
        self.due.insert((due, name.0, name.1));
        let publication = Publication {
            record,
            checked,
            due,
            ends,
        };
        self.records.insert(name, publication);
        Ok(())
    }

    /// Publishes it no more. Says whether it was.
    pub(super) fn remove(&mut self, kind: u16, key: &Key) -> bool {
        let Some(gone) = self.records.remove(&(kind, *key)) else {
            return false;
        };
        self.due.remove(&(gone.due, kind, *key));
        true
    }

    pub(super) fn get(&self, now: Now, kind: u16, key: &Key) -> Option<Record> {
        let found = self.records.get(&(kind, *key))?;
        let is_over = found.ends.is_some_and(|ends| ends <= now.mono);
        (!is_over).then(|| found.record.clone())
    }

    /// What is due now, and, if anything is, what will be soon: stored together, records that were put
    /// one by one cost what they would if they had been put together. From now on it is not due.
    pub(super) fn take_due(&mut self, now: Now, republish: Duration) -> Due {
        let (mut again, mut ended) = (Vec::new(), Vec::new());
        let is_due = self.next_due().is_some_and(|due| due <= now.mono);
        let soon = now.mono + republish / SOON;
        while let Some(&(due, kind, key)) = self.due.first()
            && is_due
            && due <= soon
        {
            self.due.pop_first();
            let Some(one) = self.records.get_mut(&(kind, key)) else {
                continue;
            };
            if one.ends.is_some_and(|ends| ends <= now.mono) {
                self.records.remove(&(kind, key));
                ended.push((kind, key));
                continue;
            }
            one.due = now.mono + interval(kind, republish);
            self.due.insert((one.due, kind, key));
            again.push((key, one.record.clone()));
        }
        Due { again, ended }
    }

    pub(super) fn next_due(&self) -> Option<Micros> {
        self.due.first().map(|(due, _, _)| *due)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Record> {
        self.records.values().map(|one| &one.record)
    }
}

fn interval(kind: u16, republish: Duration) -> Duration {
    if kind == kind::PROVIDER {
        PROVIDE_EVERY.min(republish)
    } else {
        republish
    }
}
