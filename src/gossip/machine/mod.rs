//! The machine: everything that gossip decides.

mod io;

pub use io::{
    CheckId, Event, Fault, Input, Link, Message, NotPublished, Output, PublicationId, Published,
    SigningId, Source, TopicOptions, Verdict,
};
