//! `creto record put` and `creto record get`

use std::fs;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use clap::{Args, Subcommand};
use cretoai_network::discovery::{Event, Key, record};
use cretoai_network::identity::PeerId;
use cretoai_network::services::discovery::{
    Discovery, DiscoveryError, DiscoveryHappened, MutableValue, PutReceipt,
};
use cretoai_network::wire::message::discovery::MAX_VALUE;
use tokio::time::timeout;

use super::place::Place;
use crate::entry::Entry;
use crate::failure::Failure;
use crate::output::print_line;

/// How long the holders after the first ten are waited for.
const COMPLETION: Duration = Duration::from_secs(20);

#[derive(Debug, Args)]
pub(crate) struct Record {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Stores a value and prints its key.
    Put(Put),
    /// Prints a value.
    Get(Get),
}

#[derive(Debug, Args)]
struct Put {
    /// The value, at most 16 KiB; `-` reads it from standard input.
    value: String,
    /// Makes it a record that its owner, the identity of `--key`, may change: its name among the
    /// owner's records.
    #[arg(long, value_name = "TEXT", requires = "key")]
    salt: Option<String>,
    /// Version of the record; the higher one supersedes.
    #[arg(long, value_name = "N", default_value_t = 1, requires = "salt")]
    sequence: u64,
    /// Lifetime of the record in seconds, at most 48 hours.
    #[arg(long, value_name = "S", default_value_t = 86_400, requires = "salt")]
    lifetime: u64,
    #[command(flatten)]
    entry: Entry,
}

#[derive(Debug, Args)]
struct Get {
    /// The key of an immutable record.
    #[arg(required_unless_present = "owner", conflicts_with = "owner")]
    place: Option<Place>,
    /// Look for a record of this peer that may change.
    #[arg(long, value_name = "PEER", requires = "salt")]
    owner: Option<PeerId>,
    /// The record's name among the owner's.
    #[arg(long, value_name = "TEXT", requires = "owner")]
    salt: Option<String>,
    /// Write the value to this file instead of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    entry: Entry,
}

impl Record {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Put(put) => put.run().await,
            Command::Get(get) => get.run().await,
        }
    }
}

impl Put {
    async fn run(self) -> Result<(), Failure> {
        let value = read_value(self.value)?;
        // What cannot be stored is refused before anybody is asked.
        record::immutable(value.clone()).map_err(DiscoveryError::Draft)?;
        let mutable = self.salt.map(|salt| MutableValue {
            salt: salt.into(),
            value: value.clone(),
            sequence: self.sequence,
            lifetime: Duration::from_secs(self.lifetime),
        });
        let node = self.entry.visit().await?;
        let outcome = put(node.discovery(), value, mutable).await;
        node.shutdown().await;
        let PutReceipt { key, replicas } = outcome?;
        if replicas == 0 {
            return Err(DiscoveryError::NotStored.into());
        }
        print_line(format_args!("key={} replicas={replicas}", Place(key)))
    }
}

/// Stores a value, and waits until all its holders were asked: this node will not be there to do the
/// rest.
async fn put(
    discovery: &Discovery,
    value: Bytes,
    mutable: Option<MutableValue>,
) -> Result<PutReceipt, DiscoveryError> {
    let mut events = discovery.events()?;
    let receipt = match mutable {
        Some(mutable) => discovery.put_mutable(mutable).await?,
        None => discovery.put_immutable(value).await?,
    };
    let completion = async {
        while let Some(event) = events.next().await {
            if let Some(replicas) = event
                .ok()
                .and_then(|one| completed(&one.what, &receipt.key))
            {
                return Some(replicas);
            }
        }
        None
    };
    let complete = timeout(COMPLETION, completion).await.ok().flatten();
    Ok(PutReceipt {
        replicas: complete.unwrap_or(receipt.replicas),
        ..receipt
    })
}

fn completed(happened: &DiscoveryHappened, wanted: &Key) -> Option<usize> {
    match happened {
        DiscoveryHappened::Machine(Event::Replicated { key, replicas, .. }) if key == wanted => {
            Some(*replicas)
        }
        _ => None,
    }
}

/// A value that is too long is not read to its end.
fn read_value(value: String) -> Result<Bytes, Failure> {
    if value != "-" {
        return Ok(value.into());
    }
    let mut bytes = Vec::new();
    let limit = MAX_VALUE as u64 + 1;
    let read = io::stdin().lock().take(limit).read_to_end(&mut bytes);
    read.map_err(Failure::Input)?;
    Ok(bytes.into())
}

/// A short value would stay in the buffer, and an error at the end be lost.
fn print_bytes(value: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(value)?;
    out.flush()
}

impl Get {
    async fn run(self) -> Result<(), Failure> {
        let (owner, salt, place) = (self.owner, self.salt.unwrap_or_default(), self.place);
        let node = self.entry.visit().await?;
        let discovery = node.discovery();
        let found = match (owner, place) {
            (Some(owner), _) => {
                let found = discovery.get_mutable(owner, salt.as_bytes()).await;
                found.map(|content| content.value)
            }
            (None, Some(place)) => discovery.get_immutable(place.0).await,
            (None, None) => Err(DiscoveryError::NotFound),
        };
        node.shutdown().await;
        let value = found?;
        match self.out {
            Some(path) => fs::write(&path, value).map_err(|error| Failure::File { path, error }),
            None => print_bytes(&value).map_err(Failure::Output),
        }
    }
}
