//! Which messages of one seal were accepted.

use crate::gossip::seals::SealId;
use crate::policy::Micros;

/// What an allocation takes beside its bytes, in the common allocators.
pub(super) const ALLOCATION: usize = 16;

/// Counters that one seal owns, and those of them that were seen.
#[derive(Debug, Clone)]
pub(super) struct Record {
    /// The first of its counters.
    pub(super) first: u64,
    /// The seal that lists them.
    pub(super) seal: SealId,
    /// The latest timestamp that was accepted, in milliseconds by the publisher's clock.
    pub(super) newest_ms: u64,
    /// When the last of its messages was accepted.
    pub(super) touched: Micros,
    seen: Bits,
    count: u16,
}

/// Most seals list few messages; their marks need no allocation.
#[derive(Debug, Clone)]
enum Bits {
    Few(u64),
    Many(Box<[u64]>),
}

impl Record {
    /// `count` counters, of which none was seen.
    pub(super) fn new(first: u64, count: u16, seal: SealId) -> Self {
        let seen = if count <= 64 {
            Bits::Few(0)
        } else {
            let words = usize::from(count).div_ceil(64);
            Bits::Many(vec![0; words].into_boxed_slice())
        };
        Self {
            first,
            seal,
            newest_ms: 0,
            touched: Micros(0),
            seen,
            count,
        }
    }

    /// The counter after its last one.
    pub(super) fn end(&self) -> u64 {
        self.first.saturating_add(u64::from(self.count))
    }

    pub(super) fn owns(&self, counter: u64) -> bool {
        (self.first..self.end()).contains(&counter)
    }

    pub(super) fn is_seen(&self, counter: u64) -> bool {
        let Some((word, bit)) = self.place(counter) else {
            return false;
        };
        let word = match &self.seen {
            Bits::Few(only) => Some(only),
            Bits::Many(words) => words.get(word),
        };
        word.is_some_and(|word| word & bit != 0)
    }

    /// A message of it was accepted.
    pub(super) fn see(&mut self, counter: u64, timestamp_ms: u64, now: Micros) {
        let Some((word, bit)) = self.place(counter) else {
            return;
        };
        let word = match &mut self.seen {
            Bits::Few(only) => Some(only),
            Bits::Many(words) => words.get_mut(word),
        };
        if let Some(word) = word {
            *word |= bit;
        }
        self.newest_ms = self.newest_ms.max(timestamp_ms);
        self.touched = now;
    }

    /// Bytes beside the record itself.
    pub(super) fn allocated(&self) -> usize {
        match &self.seen {
            Bits::Few(_) => 0,
            Bits::Many(words) => size_of_val(&**words).saturating_add(ALLOCATION),
        }
    }

    /// Word and bit of a counter.
    fn place(&self, counter: u64) -> Option<(usize, u64)> {
        let offset = counter.checked_sub(self.first)?;
        if counter >= self.end() {
            return None;
        }
        let word = usize::try_from(offset / 64).ok()?;
        Some((word, 1 << (offset % 64)))
    }
}
