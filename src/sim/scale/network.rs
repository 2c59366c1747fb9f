//! How long a frame takes.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::Rng;

use super::NodeId;

/// The network between the nodes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NetworkModel {
    /// Shortest round trip between two nodes. Each pair has its own, drawn evenly.
    pub shortest_rtt: Duration,
    /// Longest round trip.
    pub longest_rtt: Duration,
    /// Probability that a frame is lost, and repeated after a probe timeout.
    pub loss: f64,
    /// Connections that a node keeps of those it dialled; the least recently used one is closed.
    pub warm_links: usize,
    /// Whether every pair is connected from the start: what a lookup costs without handshakes.
    pub all_warm: bool,
    /// Bytes of a handshake, both directions.
    pub handshake_bytes: u64,
    /// Time to verify a signature.
    pub verify: Duration,
}

impl Default for NetworkModel {
    /// 50 ms ± 10 ms, no loss; raw keys and a padded first flight (24 KB) as the transport measured
    /// them, ML-DSA-87 verification by the fast backend.
    fn default() -> Self {
        Self {
            shortest_rtt: Duration::from_millis(40),
            longest_rtt: Duration::from_millis(60),
            loss: 0.0,
            warm_links: 64,
            all_warm: false,
            handshake_bytes: 24_000,
            verify: Duration::from_micros(80),
        }
    }
}

impl NetworkModel {
    /// Round-trip time of a pair: always the same, the same both ways.
    pub(super) fn rtt(&self, seed: u64, one: NodeId, other: NodeId) -> Duration {
        let (low, high) = if one.0 < other.0 {
            (one.0, other.0)
        } else {
            (other.0, one.0)
        };
        // The finaliser of SplitMix64 as a hash of the pair.
        let mut hash = seed ^ (u64::from(low) << 32 | u64::from(high));
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        hash ^= hash >> 31;
        let span = self.longest_rtt.saturating_sub(self.shortest_rtt);
        let share = u32::try_from(hash >> 44).unwrap_or(0);
        self.shortest_rtt + span * share / (1 << 20)
    }

    /// How much later a frame arrives because it, or its repetition, was lost. A probe timeout is the
    /// round trip, four times its variation (a twentieth after a few exchanges on a steady path) and
    /// the 25 ms of a delayed acknowledgement, and doubles (RFC 9002, section 6.2.1); what is repeated
    /// then is sent in two packets (section 6.2.4).
    pub(super) fn lateness(&self, rtt: Duration, rng: &mut ChaCha8Rng) -> Duration {
        self.late_by(rtt * 6 / 5 + Duration::from_millis(25), rng)
    }

    /// The same for a handshake, which knows no round-trip time yet: three times the initial 333 ms.
    pub(super) fn handshake_lateness(&self, rng: &mut ChaCha8Rng) -> Duration {
        self.late_by(Duration::from_secs(1), rng)
    }

    fn late_by(&self, mut timeout: Duration, rng: &mut ChaCha8Rng) -> Duration {
        let mut late = Duration::ZERO;
        let mut loss = self.loss;
        while loss > 0.0 && chance(rng) < loss && late < Duration::from_secs(10) {
            late += timeout;
            timeout *= 2;
            loss = self.loss * self.loss;
        }
        late
    }
}

/// A number from 0 to 1.
#[allow(clippy::cast_precision_loss, reason = "32 bits are exact")]
fn chance(rng: &mut ChaCha8Rng) -> f64 {
    f64::from(rng.next_u32()) / 4_294_967_296.0
}
