//! The program `creto`: keys, a node, pings and messages from a shell, and a demonstration that
//! measures itself.

#![allow(clippy::disallowed_methods, reason = "the program measures and waits")]

mod cli;
mod demo;
mod discovery;
mod entry;
mod failure;
mod gossip;
mod id;
mod keygen;
mod node;
mod output;
mod ping;
mod send;
mod start;
mod stop;

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

fn main() -> ExitCode {
    start_log();
    match cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(&failure);
            failure.exit_code()
        }
    }
}

/// Warnings of the libraries go to standard error, but for those of `quinn_udp`: they name the
/// address that a packet could not be sent to.
fn start_log() {
    let filter = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("quinn_udp", LevelFilter::OFF);
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr))
        .with(filter)
        .init();
}
