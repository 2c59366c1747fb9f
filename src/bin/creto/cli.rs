//! The command line.

use std::future::Future;

use clap::{Parser, Subcommand};

use crate::failure::Failure;
use crate::{demo, discovery, gossip, id, keygen, node, ping, send};

/// Post-quantum peer-to-peer nodes over QUIC.
///
/// Exit status: 0 done, 1 the operation failed, 2 the input cannot be used.
#[derive(Debug, Parser)]
#[command(name = "creto", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes an identity and prints its peer id.
    Keygen(keygen::Keygen),
    /// Prints the peer id of a key file.
    Id(id::Id),
    /// Runs a node until Ctrl-C or SIGTERM.
    Node(Box<node::Node>),
    /// Measures round trips to a node.
    Ping(ping::Ping),
    /// Sends one-way messages to a node.
    Send(send::Send),
    /// Finds a peer, the nodes nearest to a key, or who provides something.
    Lookup(Box<discovery::Lookup>),
    /// Stores and finds records.
    Record(Box<discovery::Record>),
    /// Provides a key, or advertises a role.
    Provide(Box<discovery::Provide>),
    /// Says something in a topic.
    Pub(Box<gossip::Publish>),
    /// Prints what is said in a topic.
    Sub(Box<gossip::Subscribe>),
    /// Runs real nodes in separate processes, checks and measures them.
    Demo(demo::Demo),
    /// One node of the demonstration.
    #[command(hide = true)]
    DemoNode(demo::DemoNode),
}

impl Cli {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Keygen(command) => command.run(),
            Command::Id(command) => command.run(),
            Command::Node(command) => block_on(command.run()),
            Command::Ping(command) => block_on(command.run()),
            Command::Send(command) => block_on(command.run()),
            Command::Lookup(command) => block_on(command.run()),
            Command::Record(command) => block_on(command.run()),
            Command::Provide(command) => block_on(command.run()),
            Command::Pub(command) => block_on(command.run()),
            Command::Sub(command) => block_on(command.run()),
            Command::Demo(command) => block_on(command.run()),
            Command::DemoNode(command) => block_on(command.run()),
        }
    }
}

fn block_on(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::Runtime)?;
    let outcome = runtime.block_on(command);
    // Reading standard input blocks a thread, for which a plain drop would wait.
    runtime.shutdown_background();
    outcome
}
