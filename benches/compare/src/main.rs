//! Gossip of this stack beside rust-libp2p's gossipsub, both over QUIC on loopback, doing the same work in
//! the same run.
//!
//! ```text
//! cd benches/compare
//! cargo run --release                        all rows
//! cargo run --release -- two idle ten        rows of these subjects
//! cargo run --release -- two ours            one side alone, for a profiler; ratios are left out
//! cargo run --release -- --quick             a smoke run: short, and its figures are not judged
//! cargo run --release -- --json              one JSON object a row
//! ```
//!
//! Exit status 1 if a row misses its target. Here messages are sealed with ML-DSA-87, the default of a
//! topic; there each is signed with Ed25519 and verified. A row counts only if every message came.

mod fleet;
mod idle;
#[path = "../../support/numbers.rs"]
mod numbers;
#[path = "../../support/options.rs"]
mod options;
mod process;
mod report;
mod subjects;
mod ten;
mod two;

use std::process::ExitCode;

use options::Options;
use report::Report;
use subjects::Side;

/// Whatever ends a benchmark early: it is told and not handled.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let compared = Options::from_arguments()
        .map_err(Failure::from)
        .and_then(|options| compare(&options));
    compared.unwrap_or_else(|error| {
        eprintln!("the benchmark could not run: {error}");
        ExitCode::from(2)
    })
}

fn compare(options: &Options) -> Result<ExitCode, Failure> {
    for side in [Side::Ours, Side::Theirs] {
        if options.has(side) {
            side.build()?;
        }
    }
    let mut report = Report::new(options);
    two::run(options, &mut report)?;
    idle::run(options, &mut report)?;
    ten::run(options, &mut report)?;
    Ok(report.finish())
}
