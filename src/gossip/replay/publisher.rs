//! What was heard of one publisher.

use super::Judgement;
use super::ages::Ages;
use super::record::{ALLOCATION, Record};
use crate::gossip::TopicHash;
use crate::gossip::seals::Listed;
use crate::identity::PeerId;
use crate::policy::Micros;

/// What a publisher takes in the tree of publishers, at most: a node of it is at least half full.
pub(super) const PUBLISHER_BYTES: usize = 2 * size_of::<(PeerId, Publisher)>();

/// The share of a vector that may be empty.
const SLACK: usize = 16;

/// The messages of one publisher that were accepted.
#[derive(Debug, Clone)]
pub(super) struct Publisher {
    /// In the order of topic and epoch.
    runs: Vec<Run>,
    /// Timestamps up to here are refused: of what was forgotten without a trace none was above it.
    floor_ms: u64,
    /// The highest that was accepted.
    highest_epoch: u64,
    /// When it was last heard.
    heard: Micros,
    /// What all this takes, [`PUBLISHER_BYTES`] aside.
    bytes: usize,
}

/// The messages of one epoch on one topic.
#[derive(Debug, Clone)]
struct Run {
    topic: TopicHash,
    epoch: u64,
    /// In the order of counters, none of which is in two.
    records: Vec<Record>,
    /// Behind the last counter of all records that were forgotten.
    forgotten_end: u64,
    /// The latest timestamp of them.
    forgotten_ms: u64,
    /// When one was last accepted.
    heard: Micros,
}

impl Publisher {
    pub(super) const fn new(floor_ms: u64) -> Self {
        Self {
            runs: Vec::new(),
            floor_ms,
            highest_epoch: 0,
            heard: Micros(0),
            bytes: 0,
        }
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) const fn heard(&self) -> Micros {
        self.heard
    }

    /// Whether nothing is remembered but up to where everything was forgotten.
    pub(super) fn is_silent(&self) -> bool {
        self.runs.iter().all(|run| run.records.is_empty())
    }

    /// What is known of a message whose timestamp is in the window, the latest of which is `latest_ms`.
    pub(super) fn judge(&self, latest_ms: u64, message: &Listed) -> Judgement {
        let (epoch, made) = (message.seal().body().epoch(), message.timestamp_ms());
        let run = self.run_of(message).ok().and_then(|at| self.runs.get(at));
        if let Some(owner) = run.and_then(|run| run.owner(message.counter())) {
            if owner.seal != message.seal().id() {
                return Judgement::CounterReused { other: owner.seal };
            }
            if owner.is_seen(message.counter()) {
                return Judgement::Seen;
            }
        }
        if epoch < self.highest_epoch && made >= self.highest_epoch {
            return Judgement::Superseded;
        }
        let is_forgotten = run
            .is_some_and(|run| message.counter() < run.forgotten_end && made <= run.forgotten_ms);
        if is_forgotten || (made <= self.floor_ms && self.floor_ms <= latest_ms) {
            return Judgement::BelowFloor;
        }
        Judgement::Fresh
    }

    /// Remembers a message that is in no record, or in that of its own seal.
    pub(super) fn accept(&mut self, now: Micros, message: &Listed) {
        let at = match self.run_of(message) {
            Ok(at) => at,
            Err(at) => {
                self.bytes = self.bytes.saturating_add(grow(&mut self.runs));
                self.runs.insert(at, Run::new(message));
                at
            }
        };
        if let Some(run) = self.runs.get_mut(at) {
            self.bytes = self.bytes.saturating_add(run.accept(now, message));
        }
        let epoch = message.seal().body().epoch();
        self.highest_epoch = self.highest_epoch.max(epoch);
        self.heard = now;
    }

    /// Forgets the records that were last touched before `horizon`. Of the runs that have no other, those
    /// heard last, `silent` of them, leave a trace; the others lift the floor.
    pub(super) fn forget_before(&mut self, horizon: Micros, silent: usize) {
        for run in &mut self.runs {
            run.forget_before(horizon);
        }
        let traces = self.runs.iter().filter(|run| run.records.is_empty());
        let mut heard: Vec<_> = traces.map(|run| run.heard).collect();
        if let Some(too_many) = heard.len().checked_sub(silent)
            && too_many > 0
        {
            heard.sort_unstable();
            let last = heard.get(too_many.saturating_sub(1)).copied();
            self.forget_runs(last.unwrap_or(horizon));
        }
        trim(&mut self.runs);
        self.bytes = self.count_bytes();
    }

    /// Adds what would be free if everything touched before some moment were forgotten.
    pub(super) fn add_to(&self, ages: &mut Ages) {
        ages.add(self.heard, PUBLISHER_BYTES);
        for run in &self.runs {
            ages.add(run.heard, size_of::<Run>().saturating_add(ALLOCATION));
            for record in &run.records {
                let bytes = size_of::<Record>().saturating_add(record.allocated());
                ages.add(record.touched, bytes);
            }
        }
    }

    /// What [`bytes`](Self::bytes) must be.
    pub(super) fn count_bytes(&self) -> usize {
        let runs = self.runs.iter().map(Run::bytes).sum();
        allocated(&self.runs).saturating_add(runs)
    }

    /// Forgets without a trace the runs that have no records and were not heard after `last`.
    fn forget_runs(&mut self, last: Micros) {
        let floor = &mut self.floor_ms;
        self.runs.retain(|run| {
            let stays = !run.records.is_empty() || run.heard > last;
            if !stays {
                *floor = run.forgotten_ms.max(*floor);
            }
            stays
        });
    }

    fn run_of(&self, message: &Listed) -> Result<usize, usize> {
        let key = (message.seal().topic(), message.seal().body().epoch());
        self.runs
            .binary_search_by(|run| (run.topic, run.epoch).cmp(&key))
    }
}

impl Run {
    fn new(message: &Listed) -> Self {
        Self {
            topic: message.seal().topic(),
            epoch: message.seal().body().epoch(),
            records: Vec::new(),
            forgotten_end: 0,
            forgotten_ms: 0,
            heard: Micros(0),
        }
    }

    /// The record that owns a counter.
    fn owner(&self, counter: u64) -> Option<&Record> {
        let behind = self.records.partition_point(|one| one.first <= counter);
        let record = self.records.get(behind.checked_sub(1)?)?;
        record.owns(counter).then_some(record)
    }

    /// Gives the bytes that it took.
    fn accept(&mut self, now: Micros, message: &Listed) -> usize {
        self.heard = now;
        let counter = message.counter();
        let behind = self.records.partition_point(|one| one.first <= counter);
        let before = behind.checked_sub(1);
        let owner = before.and_then(|at| self.records.get_mut(at));
        if let Some(record) = owner.filter(|record| record.owns(counter)) {
            record.see(counter, message.timestamp_ms(), now);
            return 0;
        }
        let mut record = self.gap_around(behind, message);
        record.see(counter, message.timestamp_ms(), now);
        let taken = grow(&mut self.records).saturating_add(record.allocated());
        self.records.insert(behind, record);
        taken
    }

    /// A record for the counters around a message that its seal lists and no other record owns.
    fn gap_around(&self, behind: usize, message: &Listed) -> Record {
        let body = message.seal().body();
        let before = behind.checked_sub(1).and_then(|at| self.records.get(at));
        let first = before.map_or(0, Record::end).max(body.first_counter());
        let after = self.records.get(behind);
        let end = after
            .map_or(u64::MAX, |one| one.first)
            .min(body.next_counter());
        // A seal lists at most 1 024.
        let count = u16::try_from(end.saturating_sub(first)).unwrap_or(u16::MAX);
        Record::new(first, count, message.seal().id())
    }

    fn forget_before(&mut self, horizon: Micros) {
        let (end, newest) = (&mut self.forgotten_end, &mut self.forgotten_ms);
        self.records.retain(|record| {
            let stays = record.touched >= horizon;
            if !stays {
                *end = record.end().max(*end);
                *newest = record.newest_ms.max(*newest);
            }
            stays
        });
        trim(&mut self.records);
    }

    fn bytes(&self) -> usize {
        let marks = self.records.iter().map(Record::allocated).sum();
        allocated(&self.records).saturating_add(marks)
    }
}

/// What a vector has on the heap.
fn allocated<T>(vector: &Vec<T>) -> usize {
    match vector.capacity() {
        0 => 0,
        places => places
            .saturating_mul(size_of::<T>())
            .saturating_add(ALLOCATION),
    }
}

/// Makes room for one more element, in small steps: doubling would waste a third of the budget. Gives
/// the bytes that it took.
fn grow<T>(vector: &mut Vec<T>) -> usize {
    let before = allocated(vector);
    if vector.len() == vector.capacity() {
        vector.reserve_exact((vector.len() / SLACK).max(1));
    }
    allocated(vector).saturating_sub(before)
}

/// Gives back what would stay empty.
fn trim<T>(vector: &mut Vec<T>) {
    let slack = (vector.len() / SLACK).max(1);
    vector.shrink_to(vector.len().saturating_add(slack));
}
