//! What one neighbour brought and waits for its turn.

use std::collections::{BTreeMap, VecDeque};

use crate::gossip::seals::SealId;
use crate::identity::PeerId;
use crate::policy::Micros;

/// The waiting seals of one link, publisher by publisher in turn, and how many of its seals are being
/// verified.
#[derive(Debug, Clone, Default)]
pub(super) struct LinkQueue {
    by_publisher: BTreeMap<PeerId, VecDeque<SealId>>,
    turns: VecDeque<PeerId>,
    waiting: usize,
    in_flight: usize,
}

impl LinkQueue {
    pub(super) const fn waiting(&self) -> usize {
        self.waiting
    }

    pub(super) const fn in_flight(&self) -> usize {
        self.in_flight
    }

    pub(super) const fn is_idle(&self) -> bool {
        self.waiting == 0 && self.in_flight == 0
    }

    pub(super) fn push(&mut self, publisher: PeerId, seal: SealId) {
        let queue = self.by_publisher.entry(publisher).or_default();
        if queue.is_empty() {
            self.turns.push_back(publisher);
        }
        queue.push_back(seal);
        self.waiting = self.waiting.saturating_add(1);
    }

    /// The first seal of the first publisher, in turn, that `take` lets through. It stays in the
    /// queue until [`remove`](Self::remove).
    ///
    /// # Errors
    /// When one will be let through, if that is known: the earliest moment that `take` named.
    pub(super) fn choose(
        &mut self,
        mut take: impl FnMut(PeerId) -> Result<(), Option<Micros>>,
    ) -> Result<(PeerId, SealId), Option<Micros>> {
        let mut earliest: Option<Micros> = None;
        for _ in 0..self.turns.len() {
            let Some(publisher) = self.turns.pop_front() else {
                break;
            };
            self.turns.push_back(publisher);
            let queue = self.by_publisher.get(&publisher);
            let Some(seal) = queue.and_then(VecDeque::front) else {
                continue;
            };
            match take(publisher) {
                Ok(()) => return Ok((publisher, *seal)),
                Err(at) => earliest = [earliest, at].into_iter().flatten().min(),
            }
        }
        Err(earliest)
    }

    /// Takes a seal out, if it is there.
    pub(super) fn remove(&mut self, publisher: &PeerId, seal: &SealId) {
        let Some(queue) = self.by_publisher.get_mut(publisher) else {
            return;
        };
        let Some(at) = queue.iter().position(|one| one == seal) else {
            return;
        };
        queue.remove(at);
        self.waiting = self.waiting.saturating_sub(1);
        if queue.is_empty() {
            self.by_publisher.remove(publisher);
            self.turns.retain(|one| one != publisher);
        }
    }

    /// How many a publisher has here.
    pub(super) fn waiting_of(&self, publisher: &PeerId) -> usize {
        self.by_publisher.get(publisher).map_or(0, VecDeque::len)
    }

    /// The publisher with most seals here.
    pub(super) fn largest(&self) -> Option<PeerId> {
        let queues = self.by_publisher.iter();
        let largest = queues.max_by_key(|(_, queue)| queue.len());
        largest.map(|(publisher, _)| *publisher)
    }

    /// The seal of a publisher that came last.
    pub(super) fn last_of(&self, publisher: &PeerId) -> Option<SealId> {
        self.by_publisher.get(publisher)?.back().copied()
    }

    /// All that wait.
    pub(super) fn seals(&self) -> impl Iterator<Item = SealId> + '_ {
        self.by_publisher.values().flatten().copied()
    }

    pub(super) fn begin(&mut self) {
        self.in_flight = self.in_flight.saturating_add(1);
    }

    pub(super) fn finish(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }
}
