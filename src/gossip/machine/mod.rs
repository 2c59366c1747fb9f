//! The machine: everything that gossip decides.

mod io;

use crate::crypto::VerifyingKey;
use crate::gossip::GossipConfig;

pub use io::{
    CheckId, Event, Fault, Input, Link, Message, NotPublished, Output, PublicationId, Published,
    SigningId, Source, TopicOptions, Verdict,
};

/// What a machine is made of.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The network that seals are made for.
    pub network: [u8; 32],
    /// The key under which this node publishes.
    pub key: VerifyingKey,
    /// This run of the publisher: milliseconds since 1970-01-01 UTC at its start, and higher than
    /// that of any run before.
    pub epoch: u64,
    /// How it works.
    pub config: GossipConfig,
    /// Where its chance comes from.
    pub seed: [u8; 32],
}
