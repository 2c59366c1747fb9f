//! The figures of every run.

use std::time::Duration;

use cretoai_network::sim::gossip::{Histogram, Outcome, Reach};

use super::report::{Report, Target};
use super::runs::Runs;

/// What must hold of the latency, in milliseconds; infinite where nothing must.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

impl Latency {
    /// Nothing must.
    pub(crate) const ANY: Self = Self {
        p50: f64::INFINITY,
        p99: f64::INFINITY,
        max: f64::INFINITY,
    };

    pub(crate) const fn p99(p99: f64) -> Self {
        Self { p99, ..Self::ANY }
    }
}

/// Delivered share and latency of a part of the run.
pub(crate) fn reach(
    runs: &Runs,
    report: &mut Report,
    part: &str,
    of: impl Fn(&Outcome) -> Reach,
    missing: Target,
    latency: Latency,
) {
    let name = |what: &str| format!("{part}{what}");
    runs.row(report, &name("undelivered"), "%", missing.each(), |one| {
        let reach = of(one);
        100.0 * reach.missing as f64 / reach.expected as f64
    });
    let quantile = |share| {
        let of = &of;
        move |one: &Outcome| at(&of(one).latency, share)
    };
    let most = |bound: f64| {
        if bound.is_finite() {
            Target::AtMost(bound)
        } else {
            Target::None
        }
    };
    runs.row(report, &name("p50"), "ms", most(latency.p50), quantile(0.5));
    runs.row(
        report,
        &name("p99"),
        "ms",
        most(latency.p99),
        quantile(0.99),
    );
    runs.row(report, &name("p99.9"), "ms", Target::None, quantile(0.999));
    let max = most(latency.max).each();
    runs.row(report, &name("max"), "ms", max, |one| {
        longest(&of(one).latency)
    });
}

/// What a delivery costs.
pub(crate) fn cost(
    runs: &Runs,
    report: &mut Report,
    copies: Target,
    control: Target,
    control_share: Target,
) {
    runs.row(report, "copies a delivery", "", copies, Outcome::copies);
    runs.row(report, "control a delivery", "B", control, Outcome::control);
    runs.row(report, "control of payload", "%", control_share, |one| {
        100.0 * one.control_share()
    });
    authentication(runs, report, Target::None);
    let none = Target::None;
    runs.row(report, "sent a delivery", "B", none, Outcome::sent);
    runs.row(
        report,
        "packet headers a delivery",
        "B",
        none,
        Outcome::headers,
    );
    runs.row(report, "batches a delivery", "", none, |one| {
        one.traffic.sent_batches as f64 / one.traffic.deliveries as f64
    });
}

/// What it costs to prove who said what.
pub(crate) fn authentication(runs: &Runs, report: &mut Report, share: Target) {
    let none = Target::None;
    runs.row(
        report,
        "authentication a delivery",
        "B",
        none,
        Outcome::authentication,
    );
    runs.row(report, "authentication of payload", "%", share, |one| {
        100.0 * one.authentication_share()
    });
    let envelope = |one: &Outcome| {
        let bytes = one.traffic.envelope_bytes() as f64;
        bytes / one.traffic.deliveries as f64
    };
    runs.row(report, "message heads a delivery", "B", none, envelope);
    runs.row(report, "seal copies", "", none, Outcome::seal_copies);
    runs.row(
        report,
        "seals a publisher",
        "/s",
        none,
        Outcome::seals_a_second,
    );
    runs.row(report, "core share verifying", "%", none, |one| {
        100.0 * one.verifying_share()
    });
}

/// The shortest paths, below which no algorithm gets.
pub(crate) fn bound(runs: &Runs, report: &mut Report) {
    for (what, share) in [("p50", 0.5), ("p99", 0.99)] {
        let name = format!("shortest path {what}");
        runs.row(report, &name, "ms", Target::None, |one| {
            at(&one.shortest, share)
        });
    }
    runs.row(report, "shortest path max", "ms", Target::None, |one| {
        longest(&one.shortest)
    });
}

/// Milliseconds of a quantile; none there is counts as for ever.
fn at(histogram: &Histogram, share: f64) -> f64 {
    histogram.quantile(share).map_or(f64::INFINITY, millis)
}

fn longest(histogram: &Histogram) -> f64 {
    histogram.max().map_or(f64::INFINITY, millis)
}

pub(crate) fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1_000.0
}
