//! One direction of a link: pure arithmetic on the time that its caller gives.

use std::net::IpAddr;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::profile::{LinkCounters, LinkProfile};

/// State of one direction of a link. All times are spans since the network began.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) profile: LinkProfile,
    pub(super) counters: LinkCounters,
    rng: ChaCha8Rng,
    /// When the last bit of everything queued has left.
    busy_until: Duration,
    /// Due time of the latest datagram that kept its place in line.
    last_due: Duration,
}

impl Link {
    pub(super) fn new(seed: u64, from: IpAddr, to: IpAddr, profile: LinkProfile) -> Self {
        Self {
            profile,
            counters: LinkCounters::default(),
            rng: ChaCha8Rng::from_seed(derive_seed(seed, Purpose::Link, &[from, to])),
            busy_until: Duration::ZERO,
            last_due: Duration::ZERO,
        }
    }

    /// When a datagram handed over at `now` arrives; `None` if it is dropped. Counts either.
    pub(super) fn carry(&mut self, now: Duration, bytes: usize) -> Option<Duration> {
        self.counters.sent.count(bytes);
        if bytes > self.profile.max_payload_bytes {
            self.counters.oversized.count(bytes);
            return None;
        }
        let Some(leaves) = self.serialise(now, bytes) else {
            self.counters.overflowed.count(bytes);
            return None;
        };
        if self.chance(self.profile.loss) {
            self.counters.lost.count(bytes);
            return None;
        }
        Some(self.propagate(leaves))
    }

    /// When the last bit leaves the sender's queue; `None` if the queue is full.
    fn serialise(&mut self, now: Duration, bytes: usize) -> Option<Duration> {
        let Some(rate) = self.profile.rate_bits_per_s else {
            return Some(now);
        };
        let backlog = self.busy_until.saturating_sub(now);
        let backlog_bytes = backlog.as_nanos().saturating_mul(rate.into()) / (8 * NANOS_PER_SECOND);
        if backlog_bytes + bytes as u128 > self.profile.queue_bytes as u128 {
            return None;
        }
        let nanos = (bytes as u128 * 8 * NANOS_PER_SECOND).div_ceil(u128::from(rate.max(1)));
        let takes = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        self.busy_until = self.busy_until.max(now).saturating_add(takes);
        Some(self.busy_until)
    }

    fn propagate(&mut self, leaves: Duration) -> Duration {
        let jitter = self.profile.jitter;
        let delay = (self.profile.latency + self.up_to(2 * jitter)).saturating_sub(jitter);
        let in_line = (leaves + delay).max(self.last_due);
        if self.chance(self.profile.reorder) {
            return in_line + HELD_BACK_AT_LEAST + self.up_to(self.profile.latency);
        }
        self.last_due = in_line;
        in_line
    }

    /// True with probability `p`. Draws nothing for an impossible event, so that switching one
    /// impairment on does not change what another one does.
    fn chance(&mut self, p: f64) -> bool {
        p > 0.0 && unit_interval(self.rng.next_u64()) < p
    }

    /// Uniform in whole microseconds from zero to `limit`, both included.
    fn up_to(&mut self, limit: Duration) -> Duration {
        let micros = u64::try_from(limit.as_micros()).unwrap_or(u64::MAX);
        if micros == 0 {
            return Duration::ZERO;
        }
        Duration::from_micros(self.rng.next_u64() % micros.saturating_add(1))
    }
}

const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// One tick of tokio's timers: a datagram held back by less would be delivered in the same tick.
const HELD_BACK_AT_LEAST: Duration = Duration::from_millis(1);

/// The upper 53 bits of `random` as a number in [0, 1): every such value is exact in an `f64`.
fn unit_interval(random: u64) -> f64 {
    (random >> 11) as f64 / (1_u64 << 53) as f64
}

/// What a seed is for; keeps the streams of one run apart.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    Link = 0,
    Entropy = 1,
}

/// A seed that depends on the run's seed, its purpose and the addresses, and on nothing else.
pub(super) fn derive_seed(seed: u64, purpose: Purpose, addresses: &[IpAddr]) -> [u8; 32] {
    let mut input = seed.to_le_bytes().to_vec();
    input.push(purpose as u8);
    for address in addresses {
        input.extend_from_slice(&as_ipv6_octets(*address));
    }
    *blake3::hash(&input).as_bytes()
}

fn as_ipv6_octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}
