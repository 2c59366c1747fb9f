//! The stack beside plain quinn with the same TLS configuration, in the same run.
//!
//! ```text
//! cargo bench --features sim --bench network_bench                 all rows, under 4 minutes
//! cargo bench --features sim --bench network_bench -- --quick      a smoke run, no thresholds
//! cargo bench --features sim --bench network_bench -- requests     rows whose name contains a word
//! cargo bench --features sim --bench network_bench -- --json       one JSON object a row
//! ```
//!
//! Both ends of every pair run on one thread, so that a rate is what an operation costs in
//! processor time and not how the machine schedules. Measurements of the two sides alternate
//! (A B, B A, …), a row is the median of the pairs' ratios with their quartiles, and the exit
//! status is 1 when a row misses its threshold.

mod support;

use std::alloc::System;
use std::process::ExitCode;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

/// Counts bytes for the memory rows; both sides of every comparison pay for it.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> ExitCode {
    let options = match support::Options::from_arguments() {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    match support::run(&options) {
        Ok(report) if report.passed() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("the benchmark could not run: {error}");
            ExitCode::from(2)
        }
    }
}
