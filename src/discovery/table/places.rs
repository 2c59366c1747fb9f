//! Who finds a place in a bucket.

use super::bucket::Bucket;
use crate::discovery::config::K;
use crate::discovery::density::poisson_bound;
use crate::discovery::region::{REACH, surroundings};
use crate::discovery::{Density, Key};

/// Where this many nodes are expected around this one is its neighbourhood: whoever lives there finds a
/// place beside the k of its bucket. Somebody must know the honest nodes of a region that attackers
/// filled before them; their neighbours do, up to twice as far from them as a lookup goes on in a crowd.
const NEIGHBOURHOOD: f64 = 2.0 * REACH;

/// Neighbours in one bucket: more than the density quota lets into half of a neighbourhood.
const MAX_NEIGHBOURS: usize = 108;

/// How unlikely an honest bucket with more in one part is, for each size of the parts. A node that is
/// refused for it now and then is not missed: others of its bucket are there.
const TAIL: f64 = 1e-4;

/// Fewest nodes that are let into any part: in one bucket of fourteen three are close together.
const FEWEST: usize = 3;

/// How many of a bucket may share bits beyond those that all of it share.
#[derive(Debug, Clone)]
pub(super) struct Spread {
    /// For one bit more, two, and so on; the last holds for all longer prefixes.
    most: Vec<usize>,
}

/// The rules for the places of one table, at one estimate of the network's size.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places<'a> {
    local: &'a Key,
    spread: &'a Spread,
    density: &'a Density,
}

impl Spread {
    #[allow(clippy::cast_precision_loss, reason = "k is small")]
    pub(super) fn new() -> Self {
        let mut most = Vec::new();
        let mut mean = K as f64;
        while most.last().is_none_or(|last| *last > FEWEST) {
            mean /= 2.0;
            most.push(usize::from(poisson_bound(mean, TAIL)).max(FEWEST));
        }
        Self { most }
    }
}

impl<'a> Places<'a> {
    pub(super) const fn new(local: &'a Key, spread: &'a Spread, density: &'a Density) -> Self {
        Self {
            local,
            spread,
            density,
        }
    }

    /// Whether there is a place for the node at `key`: among the k, or beside them for a neighbour.
    pub(super) fn has_place(&self, bucket: &Bucket, key: &Key) -> bool {
        if bucket.len() < K {
            return true;
        }
        let far = self.far(bucket).count();
        if self.is_neighbour(key) {
            bucket.len() - far < MAX_NEIGHBOURS
        } else {
            far < K
        }
    }

    /// Whether `newcomer` is one too many where it stands, in the network or in its bucket.
    pub(super) fn is_crowd(&self, bucket: &Bucket, newcomer: &Key) -> bool {
        // Those that wait count, or a crowd would wait and follow together.
        let others = bucket.keys().filter(|other| other != newcomer);
        let bits = self.local.common_prefix(newcomer);
        self.density.is_crowded(bits, others, newcomer) || self.is_uneven(bucket, newcomer)
    }

    /// Whether `newcomer` is one too many in its part of the bucket. Neighbours are exempt, and do not
    /// count.
    pub(super) fn is_uneven(&self, bucket: &Bucket, newcomer: &Key) -> bool {
        if self.is_neighbour(newcomer) {
            return false;
        }
        // All of a bucket share one bit more with each other than with the owner of the table.
        let shared = self.local.common_prefix(newcomer) + 1;
        (shared + 1..).zip(&self.spread.most).any(|(bits, most)| {
            let sharing = self.far(bucket);
            let sharing = sharing.filter(|key| key.common_prefix(newcomer) >= bits);
            sharing.count() >= *most
        })
    }

    /// Nodes of a bucket that are no neighbours.
    fn far(&self, bucket: &Bucket) -> impl Iterator<Item = Key> {
        let keys = bucket.entries().map(|entry| entry.contact.peer.into());
        keys.filter(|key| !self.is_neighbour(key))
    }

    fn is_neighbour(&self, key: &Key) -> bool {
        let share = surroundings(NEIGHBOURHOOD, self.density.size());
        self.local.distance(key).fraction() < share
    }
}
