//! One file for each measured step: it drives the nodes and gives one row.

pub(super) mod connect;
pub(super) mod dag;
pub(super) mod direct_messages;
pub(super) mod discovery;
pub(super) mod gossip;
pub(super) mod round_trip;
mod statistics;

use super::fleet::Fleet;
use super::progress::Progress;

/// What a step works with.
pub(super) struct Stage<'a> {
    pub(super) fleet: &'a mut Fleet,
    pub(super) sizes: Sizes,
    pub(super) seed: u64,
    pub(super) progress: &'a Progress,
}

/// How much work each step does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// Fresh identities that dial; each gives two samples.
    contacts: u32,
    /// Pings in all.
    pings: u32,
    /// One-way messages between two processes.
    messages: u64,
    /// Vertices that each node makes.
    vertices: u32,
    /// Messages that each node spreads, one after the other.
    news: u32,
    /// Messages that each node floods a topic with.
    flood: u64,
}

impl Sizes {
    /// What the targets are meant for: 250 dials and 2 000 pings, so that a 99th percentile stands
    /// on more than one sample, messages for a second or more, vertices for two, and news for three.
    pub(super) const FULL: Self = Self {
        contacts: 125,
        pings: 2_000,
        messages: 1_000_000,
        vertices: 1_000,
        news: 600,
        flood: 20_000,
    };

    /// Enough to pass through everything once.
    pub(super) const QUICK: Self = Self {
        contacts: 5,
        pings: 40,
        messages: 2_000,
        vertices: 50,
        news: 20,
        flood: 2_000,
    };
}
