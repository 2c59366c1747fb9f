//! Two sides measured in turn, and what comes of it.

use tokio::time::Instant;

use super::Failure;
use super::process::{allocations, thread_time};

/// One measurement of one side.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    /// Operations in a second, or whatever the row counts.
    pub(crate) value: f64,
    /// Processor time an operation, in microseconds.
    pub(crate) cpu: f64,
    /// Allocations an operation.
    pub(crate) allocations: f64,
}

/// Measures a stretch of work that says how much it did.
pub(crate) async fn sample(
    work: impl AsyncFnOnce() -> Result<f64, Failure>,
) -> Result<Sample, Failure> {
    let (start, cpu, allocated) = (Instant::now(), thread_time(), allocations());
    let done = work().await?;
    let per_operation = |total: f64| total / done.max(1.0);
    Ok(Sample {
        value: done / start.elapsed().as_secs_f64(),
        cpu: per_operation(thread_time().saturating_sub(cpu).as_secs_f64() * 1e6),
        allocations: per_operation((allocations() - allocated) as f64),
    })
}

/// Both sides of a row.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    ours: Vec<Sample>,
    raw: Vec<Sample>,
}

/// Median and quartiles.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) low: f64,
    pub(crate) median: f64,
    pub(crate) high: f64,
}

impl Comparison {
    /// Measures both sides `pairs` times, the side that begins alternating, after one pair that
    /// warms caches and does not count.
    pub(crate) async fn measure(
        pairs: usize,
        mut ours: impl AsyncFnMut() -> Result<Sample, Failure>,
        mut raw: impl AsyncFnMut() -> Result<Sample, Failure>,
    ) -> Result<Self, Failure> {
        ours().await?;
        raw().await?;
        let mut comparison = Self::default();
        for pair in 0..pairs {
            if pair % 2 == 0 {
                comparison.ours.push(ours().await?);
                comparison.raw.push(raw().await?);
            } else {
                comparison.raw.push(raw().await?);
                comparison.ours.push(ours().await?);
            }
        }
        Ok(comparison)
    }

    pub(crate) fn ours(&self, of: impl Fn(&Sample) -> f64) -> Spread {
        Spread::of(self.ours.iter().map(of))
    }

    pub(crate) fn raw(&self, of: impl Fn(&Sample) -> f64) -> Spread {
        Spread::of(self.raw.iter().map(of))
    }

    /// Ours over raw, pair by pair: what disturbs a whole pair cancels.
    pub(crate) fn ratio(&self, of: impl Fn(&Sample) -> f64) -> Spread {
        let pairs = self.ours.iter().zip(&self.raw);
        Spread::of(pairs.map(|(ours, raw)| of(ours) / of(raw)))
    }
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.collect();
        sorted.sort_by(f64::total_cmp);
        let at = |part: usize| {
            let index = (sorted.len().saturating_sub(1)) * part / 4;
            sorted.get(index).copied().unwrap_or(f64::NAN)
        };
        Self {
            low: at(1),
            median: at(2),
            high: at(3),
        }
    }
}
