//! What a node remembers of other peers: where they may be reached, when they last were, and what
//! the application noted about them.

mod addresses;
mod book;
mod entry;
mod record;
#[cfg(test)]
mod tests;

pub use addresses::{
    AddressRecord, AddressSource, MAX_ADDRESSES_PER_PEER, MAX_ADDRESSES_TOLD, RETRY_BASE, RETRY_CAP,
};
pub use book::{AddError, Audience, MAX_PEERS_REMEMBERED, PeerBook};
pub use entry::{MAX_TAG_KEY, MAX_TAG_VALUE, MAX_TAGS, PeerEntry, TagError};
