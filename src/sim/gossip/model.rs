//! How long things take.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::Rng;

use super::dice;

/// No batch is held up longer by losses: what is lost ten times in a row is no loss but a cut.
const MOST_LATE: Duration = Duration::from_secs(10);

/// The network between the nodes, and their processors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NetworkModel {
    /// Latency of a link, one way, on average.
    pub latency: Duration,
    /// By how much a link's latency differs from the average, at most, in thousandths of it.
    pub spread: u32,
    /// By how much a packet's latency differs from its link's, at most, in thousandths of it.
    pub jitter: u32,
    /// Probability that a batch of frames is lost and repeated a round trip later.
    pub loss: f64,
    /// What a node sends in a second, in bits; as much as it likes if none.
    pub uplink: Option<u64>,
    /// Whether authentication costs anything.
    pub authentication: Authentication,
    /// Time to sign.
    pub sign: Duration,
    /// Time to verify a signature.
    pub verify: Duration,
    /// Time in which a program judges a message; if none, it is not asked.
    pub judging: Option<Duration>,
    /// Whether programs subscribe to the topic without signatures.
    pub is_unsigned: bool,
    /// Time after which a neighbour that stopped without a word is taken for gone.
    pub idle_timeout: Duration,
    /// Bytes that are taken off a node for a neighbour that does not read.
    pub unread: u64,
}

/// Whether authentication costs anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authentication {
    /// Keys and seals pass the uplink, and signatures take their time.
    Charged,
    /// They do neither: what a network would be without them. They are counted all the same.
    Free,
}

impl Default for NetworkModel {
    /// The links of `research/gossip.md`; ML-DSA-87 by the fast backend; the idle timeout that the
    /// research takes for a crash.
    fn default() -> Self {
        Self {
            latency: Duration::from_millis(25),
            spread: 100,
            jitter: 100,
            loss: 0.0,
            uplink: None,
            authentication: Authentication::Charged,
            sign: Duration::from_micros(250),
            verify: Duration::from_micros(80),
            judging: None,
            is_unsigned: false,
            idle_timeout: Duration::from_secs(3),
            unread: 64 << 10,
        }
    }
}

impl NetworkModel {
    /// The latency of a new link.
    pub(super) fn draw_latency(&self, rng: &mut ChaCha8Rng) -> Duration {
        vary(self.latency, self.spread, rng)
    }

    /// How long a packet takes on a link of this latency.
    pub(super) fn draw_transit(&self, latency: Duration, rng: &mut ChaCha8Rng) -> Duration {
        vary(latency, self.jitter, rng)
    }

    /// The least that [`draw_transit`](Self::draw_transit) can draw.
    pub(super) fn least_transit(&self, latency: Duration) -> Duration {
        let (least, _) = range(latency, self.jitter);
        Duration::from_micros(least)
    }

    /// How much later a batch arrives because it, or its repetitions, were lost.
    pub(super) fn draw_lateness(&self, latency: Duration, rng: &mut ChaCha8Rng) -> Duration {
        let mut late = Duration::ZERO;
        while self.loss > 0.0 && late < MOST_LATE && dice::share(rng) < self.loss {
            late += latency * 2;
        }
        late
    }

    /// Time that the core takes to sign.
    pub(super) const fn signing(&self) -> Duration {
        match self.authentication {
            Authentication::Charged => self.sign,
            Authentication::Free => Duration::ZERO,
        }
    }

    /// Time that the core takes to verify.
    pub(super) const fn verifying(&self) -> Duration {
        match self.authentication {
            Authentication::Charged => self.verify,
            Authentication::Free => Duration::ZERO,
        }
    }
}

/// `mean`, give or take so many thousandths of it, in whole microseconds.
fn vary(mean: Duration, thousandths: u32, rng: &mut ChaCha8Rng) -> Duration {
    let (least, width) = range(mean, thousandths);
    let drawn = (width * u64::from(rng.next_u32())) >> 32;
    Duration::from_micros(least + drawn)
}

/// The least of these, and how many there are.
fn range(mean: Duration, thousandths: u32) -> (u64, u64) {
    let mean = u64::try_from(mean.as_micros()).unwrap_or(u64::MAX);
    let most = (mean * u64::from(thousandths) / 1_000).min(mean);
    (mean - most, 2 * most + 1)
}
