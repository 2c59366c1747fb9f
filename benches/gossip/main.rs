//! How messages spread, what that costs, and what attackers can do about it, in the scale simulator.
//!
//! `cargo bench --no-default-features --features scale --bench gossip -- [--quick] [--json] [WORD …]`
//!
//! Words select subjects: `calm`, `big`, `cold`, `silent`, `loss`, `crash`, `restart`, `oracle`, `bait`,
//! `authentication`, `slow`, `sybil`, `bound`, and of the Sybils also one attack each: `eclipse-net`,
//! `eclipse-publishers`, `eclipse-one`, `censor-one`, `degrade`, `cold-boot`, `covert-flash`, `dawn`. Without any, all
//! run but the slow ones, which carry `large` in their name: `five-large` and `ten-large` thousand
//! nodes, `sybil-large` with 4 000 attackers around 1 000 nodes, and `<attack>-large`. `plain` adds the
//! control arm to the rows that a word selects, `unsealed` the arm in which authentication costs
//! nothing; `minute` measures a minute and not three; `long` has a smoke run take the times of the row;
//! `hundred` has Sybils around 100 nodes; `seed-1` to `seed-5` run these seeds alone, so
//! that several processes share the work. Exit status 1 if a row misses its target.
//!
//! A row is the median of the runs with the seeds 1 to 5, and prints all five; `--quick` runs one seed
//! with 200 nodes for half a minute. All times are virtual, but for those of the simulator itself.

#![allow(
    clippy::disallowed_methods,
    reason = "a measurement of the simulator reads the clock"
)]

mod authentication;
mod calm;
mod faults;
mod figures;
#[path = "../support/numbers.rs"]
mod numbers;
#[path = "../support/options.rs"]
mod options;
mod report;
mod runs;
mod sizes;
mod slow;
mod subjects;
mod sybils;

use std::process::ExitCode;

use options::Options;
use report::Report;

fn main() -> ExitCode {
    let options = match Options::from_arguments() {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let mut report = Report::new(&options);
    calm::run(&options, &mut report);
    faults::run(&options, &mut report);
    authentication::run(&options, &mut report);
    slow::run(&options, &mut report);
    sybils::run(&options, &mut report);
    sizes::run(&options, &mut report);
    report.finish()
}
