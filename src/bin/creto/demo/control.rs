//! What the demonstration and its nodes say to each other, one JSON object a line.

use serde::{Deserialize, Serialize};

/// From the demonstration to a node. Each is answered by the [`Reply`] of the same name, possibly
/// after several [`Reply::Progress`], or by [`Reply::Failed`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub(super) enum Command {
    /// Dial these addresses and stay connected.
    Join { addresses: Vec<String> },
    /// Dial from fresh identities: each meets one of the addresses for the first time, leaves, and
    /// returns once.
    Contact {
        addresses: Vec<String>,
        contacts: u32,
    },
    /// Ping a connected peer, one ping after the other.
    Ping { peer: String, count: u32 },
    /// Send one-way messages to a connected peer and wait until it has counted them.
    Flood { peer: String, messages: u64 },
    /// Take part in the topics, and wait until so many neighbours are in each.
    Subscribe { neighbours: usize },
    /// Make vertices and publish them but for those withheld.
    Produce { vertices: u32, seed: u64 },
    /// Wait until this many vertices are held, at most so long.
    Settle { vertices: usize, patience_ms: u64 },
    /// Publish messages one after the other, with a pause between two.
    Spread { messages: u32 },
    /// Tell what came of the messages spread, once it is this many, or after so long.
    Hear { messages: usize, patience_ms: u64 },
    /// Publish messages as fast as all others count them.
    FloodTopic { messages: u64 },
    /// Enter the network through these addresses, until so many nodes are known.
    Enter { seeds: Vec<String>, contacts: usize },
    /// Find each of these peers, one after the other.
    Find { peers: Vec<String> },
    /// Store so many records.
    Put { records: u32 },
    /// Look for the records with these keys.
    Get { keys: Vec<String> },
}

/// From a node to the demonstration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub(super) enum Reply {
    /// The node runs; said once, unasked.
    Ready { peer: String, address: String },
    /// So much of the work is done.
    Progress { done: u64 },
    /// The addresses were dialled.
    Join { connected: usize },
    /// How long each dial took, first and returning ones, in microseconds.
    Contact { micros: Vec<u64> },
    /// How long each ping took, in microseconds.
    Ping { micros: Vec<u64> },
    /// From the first message to the peer's word that it has counted this many.
    Flood { micros: u64, delivered: u64 },
    /// So many neighbours are in the topics.
    Subscribe { neighbours: usize },
    /// The ids of the vertices made, and how many were not published.
    Produce { ids: Vec<String>, withheld: u64 },
    /// What the node holds.
    Settle(Holding),
    /// So many were published.
    Spread { published: usize },
    /// How long each message that came was on its way, in microseconds by the clock of this machine.
    Hear { micros: Vec<u64> },
    /// From the first message to the word of the last peer that it has counted all.
    FloodTopic { micros: u64 },
    /// How long it took until the table held as many nodes as were asked for, in microseconds.
    Enter { micros: u64 },
    /// How long each search took that found its peer, in microseconds.
    Find { micros: Vec<u64> },
    /// The keys of the records.
    Put { keys: Vec<String> },
    /// How many were found.
    Get { found: u64 },
    /// The command could not be carried out.
    Failed { message: String },
}

/// The graph that a node holds at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Holding {
    /// Vertices held, with all their ancestors.
    pub(super) vertices: usize,
    /// Vertices that wait for an ancestor.
    pub(super) waiting: usize,
    /// Vertices that came by request.
    pub(super) fetched: u64,
    /// Hash over the sorted ids of the vertices held.
    pub(super) digest: String,
}
