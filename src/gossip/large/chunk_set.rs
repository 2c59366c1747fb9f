//! Some of a message's chunks.

use crate::wire::message::gossip::{ChunkRange, MAX_CHUNKS};

/// Chunks in one word.
const BITS: usize = u64::BITS as usize;
const WORDS: usize = MAX_CHUNKS / BITS;

/// A set of chunks of one message, by their indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChunkSet([u64; WORDS]);

impl ChunkSet {
    /// The first `count` chunks.
    #[must_use]
    pub fn first(count: u16) -> Self {
        (0..count).collect()
    }

    /// Those of all ranges; `None` if one is empty or reaches beyond `count` chunks.
    #[must_use]
    pub fn of_ranges<'a>(
        ranges: impl IntoIterator<Item = &'a ChunkRange>,
        count: u16,
    ) -> Option<Self> {
        let mut set = Self::default();
        for range in ranges {
            let end = range.first.checked_add(range.count)?;
            if range.count == 0 || end > count {
                return None;
            }
            for index in range.first..end {
                set.insert(index);
            }
        }
        Some(set)
    }

    /// Adds a chunk; `false` if it was there, or is beyond the last of the longest message.
    pub fn insert(&mut self, index: u16) -> bool {
        let (word, bit) = place(index);
        let Some(word) = self.0.get_mut(word) else {
            return false;
        };
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    /// Whether a chunk is in it.
    #[must_use]
    pub fn contains(&self, index: u16) -> bool {
        let (word, bit) = place(index);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Those of either.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        self.joined(other, |one, other| one | other)
    }

    /// Those that are not in the other.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        self.joined(other, |one, other| one & !other)
    }

    fn joined(&self, other: &Self, join: impl Fn(u64, u64) -> u64) -> Self {
        let mut set = *self;
        for (word, other) in set.0.iter_mut().zip(&other.0) {
            *word = join(*word, *other);
        }
        set
    }

    /// The indices, from the lowest on.
    pub fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        (0..).zip(&self.0).flat_map(|(number, word)| {
            let first: u16 = number * u64::BITS as u16;
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = rest.trailing_zeros() as u16;
                let is_there = rest != 0;
                rest &= rest.wrapping_sub(1);
                is_there.then(|| first + bit)
            })
        })
    }

    /// The same as ranges, none of which touches another.
    #[must_use]
    pub fn ranges(&self) -> Vec<ChunkRange> {
        let mut ranges: Vec<ChunkRange> = Vec::new();
        for index in self.iter() {
            match ranges.last_mut() {
                Some(last) if last.first + last.count == index => last.count += 1,
                _ => ranges.push(ChunkRange {
                    first: index,
                    count: 1,
                }),
            }
        }
        ranges
    }
}

impl FromIterator<u16> for ChunkSet {
    fn from_iter<T: IntoIterator<Item = u16>>(indices: T) -> Self {
        let mut set = Self::default();
        for index in indices {
            set.insert(index);
        }
        set
    }
}

const fn place(index: u16) -> (usize, u64) {
    let index = index as usize;
    (index / BITS, 1 << (index % BITS))
}
