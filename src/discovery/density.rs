//! How many nodes may be near a key: the defence against identities ground towards it.
//!
//! Honest identities are hashes and fall evenly, so that the number of nodes that share a prefix
//! follows a Poisson distribution around the network's size divided by the number of prefixes. What
//! exceeds a generous bound of it was put there on purpose.

#[cfg(test)]
mod model;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::{Distance, Key};
use crate::policy::Micros;

/// Prefix lengths that are looked at. At 64 bits the bound is the same two ids as at 20 in any
/// network that will ever exist.
const LEVELS: usize = 64;

/// The size that an estimate is multiplied with: the estimator's 99th percentile is 1.2 of the truth
/// with all its samples, and 1.8 with its own neighbourhood alone.
const MARGIN: f64 = 1.5;

/// How unlikely an honest crowd above the bound is, at one level.
const TAIL: f64 = 1e-6;

/// Above this mean no bound is set: a crowd of that size needs as many identities as the lookup
/// window has room for three times over, and its shape says nothing.
const LARGEST_MEAN: f64 = 60.0;

/// Fewest ids that are let pass at any level: a pair is chance.
const FEWEST: u16 = 2;

/// Completed lookups that the estimate remembers: with 16 its 1st and 99th percentile are 0.82 and
/// 1.13 of the truth.
const SAMPLES: usize = 16;

/// A sample is forgotten after this long, a refresh of the table and the two minutes that it may be
/// late: those of one refresh replace those of the one before. In a network that grows fast an older
/// sample is of a smaller one, and a quota for a smaller one drops honest nodes.
const SAMPLE_AGE: Duration = Duration::from_secs(720);

/// Samples are taken with bounds for a network this many times as large: with its own bounds an estimate
/// that is far too low would never see how many nodes there are. It still keeps invented nodes from
/// filling the lookup.
const SAMPLING: f64 = 4.0;

/// An estimate this many times as large as the one with whose bounds its samples were taken calls for new
/// ones at once: those were held down by the bounds.
const GROWN: f64 = 2.0;

/// With fewer samples than this more are taken: a busy node's buckets are fresh without refreshes.
const FEW_SAMPLES: usize = SAMPLES / 2;

/// Change of the estimate, as a ratio, below which the bounds are not computed anew.
const STEP: f64 = 1.02;

/// How many ids may share a prefix of each length, in a network of one size.
#[derive(Debug, Clone, PartialEq)]
pub struct Density {
    size: f64,
    /// Only levels at which the bound is lower than at the one before: the shortest prefix for each
    /// bound implies all longer ones.
    bounds: Vec<Bound>,
}

/// At most `most` ids share a prefix of `bits` bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bound {
    bits: u32,
    most: u16,
}

impl Density {
    /// The bounds in a network of `size` nodes.
    #[must_use]
    pub fn of(size: f64) -> Self {
        let mut bounds: Vec<Bound> = Vec::new();
        let mut mean = MARGIN * size.max(1.0);
        for bits in (0..).take(LEVELS) {
            if mean <= LARGEST_MEAN {
                let most = poisson_bound(mean, TAIL).max(FEWEST);
                if bounds.last().is_none_or(|last| most < last.most) {
                    bounds.push(Bound { bits, most });
                }
                if most == FEWEST {
                    break;
                }
            }
            mean /= 2.0;
        }
        Self { size, bounds }
    }

    /// No bounds at all: for a node that knows too few others to estimate, and for the control arm
    /// of measurements.
    #[must_use]
    pub const fn unbounded(size: f64) -> Self {
        Self {
            size,
            bounds: Vec::new(),
        }
    }

    /// Whether there are any bounds.
    #[must_use]
    pub const fn is_bounded(&self) -> bool {
        !self.bounds.is_empty()
    }

    /// The size of the network that this is computed for.
    #[must_use]
    pub const fn size(&self) -> f64 {
        self.size
    }

    /// Nodes expected within `distance` of any key.
    #[must_use]
    pub fn expected(&self, distance: &Distance) -> f64 {
        self.size * distance.fraction()
    }

    /// Most ids that may share a prefix of `bits` bits, if there is a bound.
    #[must_use]
    pub fn most(&self, bits: u32) -> Option<u16> {
        let binding = self.bounds.iter().rev().find(|bound| bound.bits <= bits)?;
        Some(binding.most)
    }

    /// Whether an id at distance `next` from a key is one too many behind those at the distances
    /// `accepted`, all to the same key and in ascending order, `next` last.
    ///
    /// Ids with a common prefix lie next to each other in this order, so that it is enough to look
    /// as far back as the bound reaches.
    #[must_use]
    pub fn is_over(&self, accepted: &[Distance], next: &Distance) -> bool {
        self.bounds.iter().any(|bound| {
            let back = accepted.len().checked_sub(usize::from(bound.most));
            back.and_then(|index| accepted.get(index))
                .is_some_and(|first| first.common_prefix(next) >= bound.bits)
        })
    }

    /// Whether `newcomer` is one too many among `members` that all share the first `bits` bits with
    /// it: whether any longer prefix is full.
    pub fn is_crowded(
        &self,
        bits: u32,
        members: impl Iterator<Item = Key> + Clone,
        newcomer: &Key,
    ) -> bool {
        self.bounds.iter().any(|bound| {
            let bits = bound.bits.max(bits + 1);
            let sharing = members
                .clone()
                .filter(|key| key.common_prefix(newcomer) >= bits);
            sharing.count() >= usize::from(bound.most)
        })
    }
}

/// A running estimate of the number of nodes, from how near the k nearest ones are.
#[derive(Debug, Clone)]
pub struct SizeEstimate {
    k: usize,
    /// From lookups for random targets, with their time, the newest last.
    samples: VecDeque<(Micros, f64)>,
    own: Option<f64>,
    density: Arc<Density>,
    is_bounded: bool,
    /// The estimate when the last sample was begun.
    sampled_at: f64,
}

impl SizeEstimate {
    /// Nothing is known yet. `is_bounded` is false in the control arm of measurements only.
    #[must_use]
    pub fn new(k: usize, is_bounded: bool) -> Self {
        Self {
            k,
            samples: VecDeque::new(),
            own: None,
            density: Arc::new(Density::unbounded(1.0)),
            is_bounded,
            sampled_at: 1.0,
        }
    }

    /// The `k`-th nearest node to this one is at `distance`; `None` if fewer than `k` are known.
    pub fn own_neighbourhood(&mut self, now: Micros, distance: Option<Distance>) {
        self.own = distance.map(|distance| self.size_for(&distance));
        self.update(now);
    }

    /// The bounds for a lookup that takes a sample.
    #[must_use]
    pub fn sampling_density(&mut self) -> Arc<Density> {
        self.sampled_at = self.density.size();
        if self.density.is_bounded() {
            Arc::new(Density::of(SAMPLING * self.density.size()))
        } else {
            self.density.clone()
        }
    }

    /// A lookup for a random target, with the [bounds for it](Self::sampling_density), found its `k`-th
    /// nearest node at `distance`.
    pub fn sample(&mut self, now: Micros, distance: &Distance) {
        let size = self.size_for(distance);
        if self.samples.len() >= SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back((now, size));
        self.update(now);
    }

    /// Whether the network turned out to be so much larger than it was taken for that all samples should
    /// be taken again. It takes most of them to say so: no few places that somebody crowds.
    #[must_use]
    pub fn has_grown(&self) -> bool {
        self.density.is_bounded() && self.density.size() > GROWN * self.sampled_at
    }

    /// Whether a lookup for a random target should be made to know more.
    #[must_use]
    pub fn wants_sample(&self, now: Micros) -> bool {
        let is_fresh = |(at, _): &&(Micros, f64)| now.since(*at) <= SAMPLE_AGE;
        self.own.is_some() && self.samples.iter().filter(is_fresh).count() < FEW_SAMPLES
    }

    /// The bounds for the present estimate. Without a neighbourhood of `k` nodes there are none.
    #[must_use]
    pub const fn density(&self) -> &Arc<Density> {
        &self.density
    }

    /// With `k` nodes within `distance`, `k − 1` in front of the last are as many as the space in
    /// front of it holds on average.
    #[allow(clippy::cast_precision_loss, reason = "k is small")]
    fn size_for(&self, distance: &Distance) -> f64 {
        (self.k.saturating_sub(1)) as f64 / distance.fraction().max(f64::MIN_POSITIVE)
    }

    fn update(&mut self, now: Micros) {
        while let Some((at, _)) = self.samples.front()
            && now.since(*at) > SAMPLE_AGE
        {
            self.samples.pop_front();
        }
        let Some(own) = self.own else {
            self.density = Arc::new(Density::unbounded(1.0));
            return;
        };
        let mut all: Vec<f64> = self
            .samples
            .iter()
            .map(|(_, size)| *size)
            .chain([own])
            .collect();
        all.sort_unstable_by(f64::total_cmp);
        let size = median(&all).max(1.0);
        let ratio = size / self.density.size();
        if ratio < STEP && ratio > 1.0 / STEP {
            return;
        }
        self.density = Arc::new(if self.is_bounded {
            Density::of(size)
        } else {
            Density::unbounded(size)
        });
    }
}

fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    match (
        sorted.get(middle),
        sorted.get(middle.wrapping_sub(1)),
        sorted.len() % 2,
    ) {
        (Some(upper), Some(lower), 0) => f64::midpoint(*upper, *lower),
        (Some(only), _, _) => *only,
        _ => 1.0,
    }
}

/// The smallest `q` for which a Poisson variable of this mean exceeds `q` with a probability below
/// `tail`.
pub(super) fn poisson_bound(mean: f64, tail: f64) -> u16 {
    let mut term = (-mean).exp();
    let mut above = 1.0 - term;
    let mut q: u16 = 0;
    while above >= tail && q < u16::MAX {
        q += 1;
        term *= mean / f64::from(q);
        above -= term;
    }
    q
}

/// The probability that a Poisson variable of this mean is at least `count`.
#[must_use]
pub fn poisson_at_least(mean: f64, count: usize) -> f64 {
    let mut term = (-mean).exp();
    let mut below = 0.0;
    for q in 0..count {
        below += term;
        #[allow(clippy::cast_precision_loss, reason = "counts are small")]
        let next = (q + 1) as f64;
        term *= mean / next;
    }
    (1.0 - below).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bounds that the simulation of the design printed for 1 000 nodes.
    #[test]
    fn the_bounds_are_those_of_the_design() {
        let density = Density::of(1_000.0);
        let published = [
            (6, 50),
            (7, 31),
            (8, 21),
            (9, 14),
            (10, 10),
            (11, 8),
            (12, 6),
            (13, 5),
            (14, 4),
            (15, 3),
            (17, 2),
            (63, 2),
            (255, 2),
        ];
        for (bits, most) in published {
            assert_eq!(density.most(bits), Some(most), "{bits} bits");
        }
        assert_eq!(density.most(4), None, "a mean of 94 is not bounded");
    }

    #[test]
    fn the_tail_of_a_poisson_distribution_is_that_of_the_tables() {
        // Abramowitz and Stegun's tables: P(X >= 5 | 2) = 0.05265, P(X >= 20 | 10) = 0.003454.
        assert!((poisson_at_least(2.0, 5) - 0.052_65).abs() < 1e-5);
        assert!((poisson_at_least(10.0, 20) - 0.003_454).abs() < 1e-6);
        assert!((poisson_at_least(10.0, 0) - 1.0).abs() < 1e-12);
    }

    /// A network grows from 200 nodes to 2 000 within ten minutes.
    #[test]
    fn samples_of_one_refresh_replace_those_of_the_one_before() {
        let minutes = |count: u64| Micros(count * 60_000_000);
        let distance_in = |size: u8| {
            // Nineteen nodes within 19/size of the space.
            let mut bytes = [0; 32];
            bytes[0] = 255 / size;
            Key::from_bytes([0; 32]).distance(&Key::from_bytes(bytes))
        };
        let mut estimate = SizeEstimate::new(20, true);
        estimate.own_neighbourhood(minutes(0), Some(distance_in(10)));
        for _ in 0..FEW_SAMPLES {
            assert!(estimate.wants_sample(minutes(0)));
            estimate.sample(minutes(0), &distance_in(10));
        }
        assert!(!estimate.wants_sample(minutes(12)));
        assert!(estimate.wants_sample(minutes(13)));
        estimate.own_neighbourhood(minutes(13), Some(distance_in(100)));
        estimate.sample(minutes(13), &distance_in(100));
        let grown = 19.0 / distance_in(100).fraction();
        assert!((estimate.density().size() / grown - 1.0).abs() < 1e-9);
    }

    #[test]
    fn without_a_neighbourhood_nothing_is_bounded() {
        let mut estimate = SizeEstimate::new(20, true);
        assert_eq!(estimate.density().most(255), None);
        let distance = Key::from_bytes([0; 32]).distance(&Key::from_bytes([1; 32]));
        estimate.sample(Micros(0), &distance);
        assert_eq!(estimate.density().most(255), None);
    }
}
