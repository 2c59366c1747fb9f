//! Gossip: every message of a topic, everywhere, signed. Pure: no socket, no clock, no task.

mod config;
pub mod large;
mod machine;
#[cfg(feature = "scale")]
mod pool;
pub mod replay;
pub mod score;
pub mod seals;
mod topic;

pub use config::{
    AdmissionConfig, BySourceConfig, ConfigError, GossipConfig, QueueConfig, RateConfig,
    SealingConfig, Spreading,
};
pub use large::CHUNK_DEADLINE;
pub use machine::{
    AskId, CheckId, ChunkAnswer, Event, Fault, Gossip, Header, Input, Link, Message, NotPublished,
    Output, PublicationId, Published, Setup, SigningId, Source, TopicOptions, Verdict,
};
#[cfg(feature = "scale")]
pub(crate) use pool::Sharing;
pub use replay::next_epoch;
pub use score::{ScoreConfig, ScoreSnapshot, TopicTerms};
pub use seals::SharedSeal;
pub use topic::TopicHash;
