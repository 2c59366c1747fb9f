//! Gossip: every message of a topic, everywhere, signed. Pure: no socket, no clock, no task.

mod machine;
mod topic;

pub use machine::{
    CheckId, Event, Fault, Input, Link, Message, NotPublished, Output, PublicationId, Published,
    SigningId, Source, TopicOptions, Verdict,
};
pub use topic::TopicHash;
