//! The rows of the network benchmark, one file a subject.

#![allow(
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock and waits"
)]

mod bulk;
mod connections;
mod diallers;
mod effort;
mod ends;
mod handshakes;
mod introduction;
mod memory;
mod messages;
mod options;
mod peer_book;
mod process;
mod report;
mod requests;
mod rounds;
mod slow_reader;

pub(crate) use options::Options;
pub(crate) use report::Report;

/// Whatever ends a benchmark early: it is told and not handled.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Measures every row that was asked for and prints it as soon as it is known.
pub(crate) fn run(options: &Options) -> Result<Report, Failure> {
    let mut report = Report::new(options);
    // Memory first: what the other rows leave behind must not be counted.
    peer_book::run(options, &mut report)?;
    memory::run(options, &mut report)?;
    handshakes::run(options, &mut report)?;
    connections::run(options, &mut report)?;
    requests::run(options, &mut report)?;
    messages::run(options, &mut report)?;
    slow_reader::run(options, &mut report)?;
    bulk::run(options, &mut report)?;
    report.finish();
    Ok(report)
}
