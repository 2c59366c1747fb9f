//! The core that signs and verifies for a node.

use std::collections::VecDeque;
use std::time::Duration;

use crate::gossip::Input;
use crate::policy::Micros;

/// One job after the other, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Processor {
    free_at: Micros,
    jobs: VecDeque<(Micros, Input)>,
}

impl Processor {
    /// Takes a job that ends in an answer; when that is to be planned, if it is the first.
    pub(super) fn take(&mut self, now: Micros, effort: Duration, answer: Input) -> Option<Micros> {
        self.free_at = self.free_at.max(now) + effort;
        self.jobs.push_back((self.free_at, answer));
        (self.jobs.len() == 1).then_some(self.free_at)
    }

    /// The answer of a job that is done.
    pub(super) fn pop(&mut self, now: Micros) -> Option<Input> {
        if self.jobs.front()?.0 > now {
            return None;
        }
        self.jobs.pop_front().map(|(_, answer)| answer)
    }

    /// When the next job is done.
    pub(super) fn next(&self) -> Option<Micros> {
        Some(self.jobs.front()?.0)
    }
}
