//! How long many things took.

use std::time::Duration;

/// Values of one power of two share this many counters: each is right to 1 part in 512.
const PRECISION: u32 = 9;

/// Times in microseconds, counted with a precision of 0.2 %; the longest is exact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
    longest: u64,
}

impl Histogram {
    /// Counts one.
    pub fn record(&mut self, span: Duration) {
        let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        let index = index(micros);
        if self.counts.len() <= index {
            self.counts.resize(index + 1, 0);
        }
        self.counts[index] += 1;
        self.total += 1;
        self.longest = self.longest.max(micros);
    }

    /// Counts all that another one counted.
    pub fn merge(&mut self, other: &Self) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (own, more) in self.counts.iter_mut().zip(&other.counts) {
            *own += more;
        }
        self.total += other.total;
        self.longest = self.longest.max(other.longest);
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.total
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The longest.
    #[must_use]
    pub fn max(&self) -> Option<Duration> {
        (!self.is_empty()).then(|| Duration::from_micros(self.longest))
    }

    /// The time below or at which this share of all lie: the longest that is counted as the same, so
    /// that it never flatters.
    #[must_use]
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "there are fewer than 2^52"
    )]
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let rank = ((share * self.total as f64).ceil() as u64).clamp(1, self.total.max(1));
        let mut below = 0;
        let place = self.counts.iter().position(|count| {
            below += count;
            below >= rank
        })?;
        Some(Duration::from_micros(upper(place).min(self.longest)))
    }
}

/// The counter of a value: the value itself while it is small, then its leading bits.
fn index(micros: u64) -> usize {
    let shift = (64 - micros.leading_zeros()).saturating_sub(PRECISION + 1);
    let index = (u64::from(shift) << PRECISION) + (micros >> shift);
    usize::try_from(index).unwrap_or(usize::MAX)
}

/// The largest value of a counter.
fn upper(index: usize) -> u64 {
    let index = index as u64;
    let shift = (index >> PRECISION).saturating_sub(1);
    let leading = index - (shift << PRECISION);
    (leading << shift) | ((1 << shift) - 1)
}
