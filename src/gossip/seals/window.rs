//! What a stream named last.

use std::collections::VecDeque;

/// The last things that were numbered on a stream, counted from 0: never more than `max_count` of them
/// and, but for the newest, never more than `max_weight` together.
///
/// Both ends of a stream compute the same window from the same frames.
#[derive(Debug, Clone)]
pub(super) struct Window<T> {
    max_count: u64,
    max_weight: u64,
    next: u64,
    weight: u64,
    held: VecDeque<(T, u64)>,
}

impl<T> Window<T> {
    pub(super) const fn new(max_count: u64, max_weight: u64) -> Self {
        Self {
            max_count,
            max_weight,
            next: 0,
            weight: 0,
            held: VecDeque::new(),
        }
    }

    /// Numbers one more; what is too old or too much falls out.
    pub(super) fn push(&mut self, item: T, weight: u64) -> u64 {
        let ordinal = self.next;
        self.next = ordinal.saturating_add(1);
        self.weight = self.weight.saturating_add(weight);
        self.held.push_back((item, weight));
        while self.is_over() {
            let Some((_, weight)) = self.held.pop_front() else {
                break;
            };
            self.weight = self.weight.saturating_sub(weight);
        }
        ordinal
    }

    /// What has this number; `None` if it has not been given yet or fell out of the window.
    pub(super) fn get(&self, ordinal: u64) -> Option<&T> {
        let back = self.next.checked_sub(ordinal)?;
        let index = self.len().checked_sub(back)?;
        let index = usize::try_from(index).ok()?;
        self.held.get(index).map(|(item, _)| item)
    }

    /// The number of what is in the window.
    pub(super) fn ordinal_of(&self, item: &T) -> Option<u64>
    where
        T: Eq,
    {
        let newest_first = self.held.iter().rev();
        let back = newest_first.zip(1..).find(|((held, _), _)| held == item);
        back.and_then(|(_, back)| self.next.checked_sub(back))
    }

    fn is_over(&self) -> bool {
        self.len() > self.max_count || (self.weight > self.max_weight && self.len() > 1)
    }

    fn len(&self) -> u64 {
        self.held.len() as u64
    }
}
