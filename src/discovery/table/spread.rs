//! How evenly the k of a bucket are spread over its range.

use crate::discovery::Key;
use crate::discovery::config::K;
use crate::discovery::density::poisson_bound;
use crate::wire::message::discovery::Contact;

/// How unlikely an honest bucket with more in one part is, for each size of the parts. A node that is
/// refused for it now and then is not missed: others of its bucket are.
const TAIL: f64 = 1e-4;

/// Fewest nodes that are let into any part: three close together happen in every tenth table.
const FEWEST: usize = 3;

/// How many of a bucket may share bits beyond those that all of it share.
#[derive(Debug, Clone)]
pub(super) struct Spread {
    /// For one bit more, two, and so on; the last holds for all longer prefixes.
    most: Vec<usize>,
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

    /// Whether `newcomer` is one too many in its part of the bucket whose nodes share `bits` bits with
    /// the owner of the table: they share one more with each other.
    pub(super) fn is_uneven<'a>(
        &self,
        bits: u32,
        members: impl Iterator<Item = &'a Contact> + Clone,
        newcomer: &Key,
    ) -> bool {
        (bits + 2..).zip(&self.most).any(|(bits, most)| {
            let sharing = members.clone().map(|one| Key::from(one.peer));
            let sharing = sharing.filter(|key| key.common_prefix(newcomer) >= bits);
            sharing.count() >= *most
        })
    }
}
