//! What each publisher may still have verified.

use std::collections::BTreeMap;

use crate::identity::PeerId;
use crate::policy::{Micros, TokenBucket};

/// Publishers whose rate is remembered, in two generations of half as many: a full one becomes the old
/// one, and who is in the old one and had no seal verified since is forgotten.
///
/// Nobody gains by being forgotten: filling a generation takes 2 048 verified seals of as many others,
/// which the default total allows in no less than 0.7 s; in that time a bucket of the default rate is
/// full again.
pub const MAX_RATED: usize = 4_096;

/// One publisher's allowance.
#[derive(Debug, Clone)]
struct Allowance {
    bucket: TokenBucket,
    /// Tokens that were taken in its name by others. Never more than the burst.
    returned: u32,
}

/// The allowances of publishers.
#[derive(Debug, Clone)]
pub(super) struct Buckets {
    burst: u32,
    per_second: u32,
    young: BTreeMap<PeerId, Allowance>,
    old: BTreeMap<PeerId, Allowance>,
}

impl Buckets {
    pub(super) const fn new(burst: u32, per_second: u32) -> Self {
        Self {
            burst,
            per_second,
            young: BTreeMap::new(),
            old: BTreeMap::new(),
        }
    }

    /// Takes a token of a publisher; says when there will be one if there is none now.
    ///
    /// # Errors
    /// That moment, or `None` if it never comes.
    pub(super) fn take(&mut self, now: Micros, publisher: PeerId) -> Result<(), Option<Micros>> {
        let allowance = self.allowance(now, publisher);
        if let Some(rest) = allowance.returned.checked_sub(1) {
            allowance.returned = rest;
            return Ok(());
        }
        if allowance.bucket.try_take(1, now) {
            return Ok(());
        }
        Err(allowance.bucket.ready_at(1, now))
    }

    /// When a publisher has a token; `None` if never.
    pub(super) fn ready_at(&mut self, now: Micros, publisher: &PeerId) -> Option<Micros> {
        let known = match self.young.get_mut(publisher) {
            None => self.old.get_mut(publisher),
            young => young,
        };
        match known {
            Some(allowance) if allowance.returned == 0 => allowance.bucket.ready_at(1, now),
            _ => Some(now),
        }
    }

    /// Gives a token back that somebody else spent. Lost if the publisher was forgotten, whose bucket
    /// is full then.
    pub(super) fn give_back(&mut self, publisher: &PeerId) {
        let known = match self.young.get_mut(publisher) {
            None => self.old.get_mut(publisher),
            young => young,
        };
        if let Some(allowance) = known {
            allowance.returned = allowance.returned.saturating_add(1).min(self.burst);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    fn allowance(&mut self, now: Micros, publisher: PeerId) -> &mut Allowance {
        if self.young.len() >= MAX_RATED / 2 && !self.young.contains_key(&publisher) {
            self.old = std::mem::take(&mut self.young);
        }
        let (burst, per_second, old) = (self.burst, self.per_second, &mut self.old);
        self.young.entry(publisher).or_insert_with(|| {
            old.remove(&publisher).unwrap_or_else(|| Allowance {
                bucket: TokenBucket::new(burst, per_second, now),
                returned: 0,
            })
        })
    }
}
