//! The program `creto`: keys, a node, pings and messages from a shell, and a demonstration that
//! measures itself.

#![allow(clippy::disallowed_methods, reason = "the program measures and waits")]

mod cli;
mod demo;
mod failure;
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

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .init();
    match cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(&failure);
            failure.exit_code()
        }
    }
}
