//! Why a command did not do its work, and the exit status that says so.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use cretoai_network::crypto::ProviderFailure;
use cretoai_network::gossip::NotPublished;
use cretoai_network::identity::KeyFileError;
use cretoai_network::node::SpawnError;
use cretoai_network::p2p::{DialFailure, RegisterError, RequestError};
use cretoai_network::services::discovery::DiscoveryError;
use cretoai_network::services::gossip::GossipError;
use cretoai_network::transport::{BindError, WriteError};
use cretoai_network::wire::ErrorCode;
use thiserror::Error;

use crate::demo::DemoError;

/// The operation failed: the same input may succeed later.
const OPERATION: u8 = 1;

/// The input cannot be used as it is; clap ends with the same status.
const INPUT: u8 = 2;

/// Ended by a signal: 128 + SIGINT, as shells report it.
const INTERRUPTED: u8 = 130;

#[derive(Debug, Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    #[error("config file {}: {error}", path.display())]
    ConfigRead { path: PathBuf, error: io::Error },
    #[error("config file {}: {error}", path.display())]
    ConfigSyntax {
        path: PathBuf,
        error: serde_json::Error,
    },
    #[error(transparent)]
    Spawn(SpawnError),
    #[error("no key can be made: {0}")]
    Key(#[from] ProviderFailure),
    #[error("cannot reach the peer: {0}")]
    Dial(#[from] DialFailure),
    #[error("the peer does not answer: {0}")]
    Request(#[from] RequestError),
    #[error("the messages were not delivered: {0}")]
    Write(#[from] WriteError),
    #[error("the peer does not speak protocol {0:#x}")]
    NotSpoken(u32),
    #[error("the peer does not take the messages: {0}")]
    Declined(ErrorCode),
    #[error("the peer did not take the messages within {} s", .0.as_secs())]
    Undelivered(Duration),
    #[error("--protocol: {0}")]
    Protocol(#[from] RegisterError),
    #[error("discovery: {0}")]
    Discovery(#[from] DiscoveryError),
    #[error("gossip: {0}")]
    Gossip(#[from] GossipError),
    #[error("nobody among the neighbours wants the topic")]
    NobodyListens,
    #[error(transparent)]
    Demo(#[from] DemoError),
    #[error("interrupted")]
    Interrupted,
    #[error("cannot write to standard output: {0}")]
    Output(io::Error),
    #[error("cannot write {}: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
    #[error("cannot read standard input: {0}")]
    Input(io::Error),
    #[error("the runtime cannot be started: {0}")]
    Runtime(io::Error),
}

impl Failure {
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::KeyFile(_)
            | Self::ConfigRead { .. }
            | Self::ConfigSyntax { .. }
            | Self::Protocol(_) => INPUT,
            Self::Spawn(error) if is_input(error) => INPUT,
            Self::Discovery(DiscoveryError::Draft(_) | DiscoveryError::Role(_)) => INPUT,
            Self::Gossip(GossipError::NotPublished(NotPublished::TooLong { .. })) => INPUT,
            Self::Interrupted => INTERRUPTED,
            _ => OPERATION,
        })
    }
}

impl From<SpawnError> for Failure {
    fn from(error: SpawnError) -> Self {
        match error {
            SpawnError::Register(error) => Self::Protocol(error),
            other => Self::Spawn(other),
        }
    }
}

/// Whether a node did not start because of what it was told, not because of the machine.
fn is_input(error: &SpawnError) -> bool {
    matches!(
        error,
        SpawnError::Config(_)
            | SpawnError::Lock(_)
            | SpawnError::Bind(BindError::Config(_) | BindError::Socket { .. })
    )
}
