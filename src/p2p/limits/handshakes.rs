use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use super::LimitsConfig;
use crate::identity::PeerId;
use crate::policy::{IpGroup, Micros, TokenBucket};

/// Sources whose handshake rate is remembered. A source is forgotten once its buckets are full
/// again, so that many are held only by more than 4 096 networks knocking within seconds; then new
/// ones wait. About 600 KiB.
pub const MAX_TRACKED_SOURCES: usize = 4_096;

/// The full table is searched for idle sources at most this often: a flood must not buy a scan a
/// packet.
const SWEEP_INTERVAL: Duration = Duration::from_millis(100);

/// Who is counted together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Holder {
    Group(IpGroup),
    LocalAddress(IpAddr),
    Relay(PeerId),
}

/// Rates of handshakes by holder, in two buckets each: one for addresses that a Retry or a token has
/// proven, one for those that anybody may have forged. Forged packets from a holder's network empty
/// only the second, and the holder still gets in by the first.
pub(super) struct Handshakes {
    burst: u32,
    per_second: u32,
    sources: BTreeMap<Holder, Buckets>,
    next_sweep: Micros,
}

struct Buckets {
    proven: TokenBucket,
    unproven: TokenBucket,
}

impl Handshakes {
    pub(super) fn new(limits: &LimitsConfig) -> Self {
        Self {
            burst: limits.handshake_burst,
            per_second: limits.handshakes_per_second,
            sources: BTreeMap::new(),
            next_sweep: Micros(0),
        }
    }

    pub(super) fn try_begin(&mut self, now: Micros, holder: Holder, proven: bool) -> bool {
        if !self.sources.contains_key(&holder) && !self.make_room(now) {
            return false;
        }
        let (burst, per_second) = (self.burst, self.per_second);
        let buckets = self.sources.entry(holder).or_insert_with(|| Buckets {
            proven: TokenBucket::new(burst, per_second, now),
            unproven: TokenBucket::new(burst, per_second, now),
        });
        let bucket = if proven {
            &mut buckets.proven
        } else {
            &mut buckets.unproven
        };
        bucket.try_take(1, now)
    }

    pub(super) fn len(&self) -> usize {
        self.sources.len()
    }

    fn make_room(&mut self, now: Micros) -> bool {
        if self.sources.len() < MAX_TRACKED_SOURCES {
            return true;
        }
        if now >= self.next_sweep {
            self.next_sweep = now + SWEEP_INTERVAL;
            let burst = self.burst;
            self.sources.retain(|_, buckets| {
                buckets.proven.available(now) < burst || buckets.unproven.available(now) < burst
            });
        }
        self.sources.len() < MAX_TRACKED_SOURCES
    }
}
