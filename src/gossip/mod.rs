//! Gossip: every message of a topic, everywhere, signed. Pure: no socket, no clock, no task.

mod config;
mod machine;
mod topic;

pub use config::{
    AdmissionConfig, BySourceConfig, ConfigError, GossipConfig, QueueConfig, SealingConfig,
    Spreading,
};
pub use machine::{
    CheckId, Event, Fault, Input, Link, Message, NotPublished, Output, PublicationId, Published,
    Setup, SigningId, Source, TopicOptions, Verdict,
};
pub use topic::TopicHash;
