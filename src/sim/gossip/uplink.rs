//! The one line on which all of a node's bytes leave, first come first served.

use std::collections::VecDeque;

use super::line::{Dial, LineId};
use crate::policy::Micros;

/// Of a microsecond.
const PICOSECONDS: u128 = 1_000_000;

/// A batch whose last byte leaves at a known time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Leaving {
    pub(super) at: Micros,
    pub(super) line: LineId,
    pub(super) dial: Dial,
}

#[derive(Debug, Default)]
pub(super) struct Uplink {
    /// When all that was taken has left, in picoseconds: a byte takes less than a microsecond.
    free_at: u128,
    leaving: VecDeque<Leaving>,
}

impl Uplink {
    /// When the last of so many more bytes leaves, at so many bits a second.
    pub(super) fn take(&mut self, now: Micros, bytes: usize, rate: u64) -> Micros {
        let start = self.free_at.max(u128::from(now.0) * PICOSECONDS);
        let bits = bytes as u128 * 8;
        self.free_at = start + (bits * 1_000_000 * PICOSECONDS).div_ceil(u128::from(rate.max(1)));
        let micros = self.free_at.div_ceil(PICOSECONDS);
        Micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }

    /// Notes whom to tell when; whether it is the first.
    pub(super) fn note(&mut self, leaving: Leaving) -> bool {
        self.leaving.push_back(leaving);
        self.leaving.len() == 1
    }

    /// What has left.
    pub(super) fn pop(&mut self, now: Micros) -> Option<Leaving> {
        if self.leaving.front()?.at > now {
            return None;
        }
        self.leaving.pop_front()
    }

    /// When the next has left.
    pub(super) fn next(&self) -> Option<Micros> {
        Some(self.leaving.front()?.at)
    }
}
