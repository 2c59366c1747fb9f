//! What lookups, records and defences of discovery achieve and cost, in the scale simulator.
//!
//! `cargo bench --no-default-features --features scale --bench discovery -- [--quick] [--json] [WORD …]`
//!
//! Words select subjects: `hops`, `dead`, `cold`, `bootstrap`, `put`, `sweep`, `churn`, `sybil`, `calm`,
//! `spread`, `cost`. Without any, all run but the slow ones: those that carry `large` or `full` in their
//! name run only when it is given. Exit status 1 if a row misses its target.
//!
//! All times are virtual, but for those of `cost`. Every row is seeded: a town by its number of nodes, what happens
//! in it by the number of the repetition.

#![allow(
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a measurement stops at the first surprise, and reads the clock"
)]

mod churn;
mod cost;
mod lookups;
#[path = "../support/options.rs"]
mod options;
mod records;
mod report;
mod statistics;
mod subjects;
mod sybil;
mod town;

use std::process::ExitCode;

use options::Options;
use report::Report;
use town::Towns;

fn main() -> ExitCode {
    let options = match Options::from_arguments() {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let mut report = Report::new(&options);
    let mut towns = Towns::default();
    lookups::run(&options, &mut towns, &mut report);
    records::run(&options, &mut towns, &mut report);
    churn::run(&options, &mut towns, &mut report);
    sybil::run(&options, &mut towns, &mut report);
    cost::run(&options, &mut towns, &mut report);
    report.finish()
}
