//! How much this node answers: a rate for each peer, each IP group, and in total.

use std::collections::BTreeMap;

use super::io::Asker;
use crate::discovery::config::{Rate, ServingConfig};
use crate::identity::PeerId;
use crate::policy::{IpGroup, Micros, TokenBucket};

/// Peers and groups whose rate is remembered. One that is forgotten starts with a full burst.
const MAX_REMEMBERED: usize = 4_096;

/// Rates by holder, in two generations: when one is full it becomes the old one, and what was in the
/// old one and not used since is forgotten.
#[derive(Debug, Clone)]
struct Buckets<K> {
    rate: Rate,
    young: BTreeMap<K, TokenBucket>,
    old: BTreeMap<K, TokenBucket>,
}

#[derive(Debug, Clone)]
pub(super) struct Admission {
    peers: Buckets<PeerId>,
    groups: Buckets<IpGroup>,
    total: Option<TokenBucket>,
    total_rate: Rate,
}

impl<K: Ord + Copy> Buckets<K> {
    const fn new(rate: Rate) -> Self {
        Self {
            rate,
            young: BTreeMap::new(),
            old: BTreeMap::new(),
        }
    }

    fn bucket(&mut self, key: K, now: Micros) -> &mut TokenBucket {
        if self.young.len() >= MAX_REMEMBERED / 2 && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        let (rate, old) = (self.rate, &mut self.old);
        self.young.entry(key).or_insert_with(|| {
            let new = || TokenBucket::new(rate.burst, rate.per_second, now);
            old.remove(&key).unwrap_or_else(new)
        })
    }
}

impl Admission {
    pub(super) const fn new(config: ServingConfig) -> Self {
        Self {
            peers: Buckets::new(config.peer),
            groups: Buckets::new(config.group),
            total: None,
            total_rate: config.total,
        }
    }

    /// Whether a request that costs this many tokens is answered. Nobody is charged for one that is
    /// not. Who is not confirmed is charged as its IP group alone; addresses that are not globally
    /// routable have no group.
    pub(super) fn admit(&mut self, now: Micros, asker: &Asker, cost: u32) -> bool {
        let rate = self.total_rate;
        let new = || TokenBucket::new(rate.burst, rate.per_second, now);
        let total = self.total.get_or_insert_with(new);
        let peer = asker
            .is_confirmed
            .then(|| self.peers.bucket(asker.peer, now));
        let has_group = !asker.group.is_local();
        let group = has_group.then(|| self.groups.bucket(asker.group, now));
        let mut payers: Vec<_> = [peer, group].into_iter().flatten().chain([total]).collect();
        let can_pay = payers
            .iter_mut()
            .all(|bucket| bucket.available(now) >= cost);
        if can_pay {
            for bucket in payers {
                bucket.try_take(cost, now);
            }
        }
        can_pay
    }
}
