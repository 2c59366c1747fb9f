//! What discovery remembers from one run to the next, as the bytes of a file.
//!
//! ```text
//! magic (8) ‖ version u16 LE ‖ network id (32) ‖ body ‖ KDF(DISCOVERY_STATE, all before) (32)
//! ```
//! The body is a message of the wire codec. The file belongs to one node: it is no protocol.

#[cfg(test)]
mod tests;

use bytes::{Bytes, BytesMut};
use thiserror::Error;

use crate::crypto::{Label, derive_key};
use crate::wire::Violation;
use crate::wire::codec::{List, decode, encode, wire_message};
use crate::wire::message::discovery::{Contact, Record};

/// Contacts kept: several buckets full, of which a few are alive after months.
pub const MAX_SAVED_CONTACTS: usize = 512;

/// Own records kept. With more, the program publishes again what it wants published.
pub const MAX_SAVED_RECORDS: usize = 4_096;

/// Bytes of their bodies: what a node reads and writes within a tenth of a second.
pub const MAX_SAVED_BYTES: usize = 16 << 20;

const MAGIC: &[u8; 8] = b"cretodht";
const VERSION: u16 = 1;
const NETWORK_BYTES: usize = 32;
const CHECKSUM_BYTES: usize = 32;
const HEAD_BYTES: usize = MAGIC.len() + 2 + NETWORK_BYTES;

/// Beyond the bodies: 512 contacts of 373 bytes, and 8 bytes a record.
const MAX_OVERHEAD: usize = MAX_SAVED_CONTACTS * 373 + MAX_SAVED_RECORDS * 8 + 1_024;

/// No file is longer; what is longer need not be read.
pub const MAX_STATE_BYTES: usize = MAX_SAVED_BYTES + MAX_OVERHEAD;

/// What is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SavedState {
    /// Nodes that answered.
    pub contacts: Vec<Contact>,
    /// Records that this node publishes.
    pub records: Vec<Record>,
}

/// Why a file is not used. None of this says who is to blame: a disk, a copy, another program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum StateFault {
    /// Longer than any file that this version writes.
    #[error("the file is too long")]
    TooLong,
    /// Too short to be whole.
    #[error("the file is cut off")]
    TooShort,
    /// It begins with something else.
    #[error("the file is not a state of discovery")]
    NotAState,
    /// Another version wrote it.
    #[error("the file has version {0}, not {VERSION}")]
    OtherVersion(u16),
    /// It was written in another network.
    #[error("the file belongs to another network")]
    OtherNetwork,
    /// Bytes were changed, or are missing.
    #[error("the checksum of the file is wrong")]
    Checksum,
    /// The checksum is right and the content is not.
    #[error("the file is malformed: {0}")]
    Malformed(#[from] Violation),
}

wire_message! {
    #[derive(Debug, Clone, PartialEq, Eq)]
    struct Body {
        contacts: List<Contact, MAX_SAVED_CONTACTS>,
        records: List<Record, MAX_SAVED_RECORDS>,
    }
}

impl SavedState {
    /// The bytes of the file. What is too much is left out: the last contacts and records.
    #[must_use]
    pub fn encode(self, network: &[u8; 32]) -> Bytes {
        let mut bytes = 0;
        let records = self.records.into_iter().take_while(|record| {
            bytes += record.body.as_bytes().len();
            bytes <= MAX_SAVED_BYTES
        });
        let body = encode(&Body {
            contacts: List::truncated(self.contacts),
            records: List::truncated(records),
        });
        let mut file = BytesMut::with_capacity(HEAD_BYTES + body.len() + CHECKSUM_BYTES);
        file.extend_from_slice(MAGIC);
        file.extend_from_slice(&VERSION.to_le_bytes());
        file.extend_from_slice(network);
        file.extend_from_slice(&body);
        let checksum = derive_key(Label::DiscoveryState, &[&file]);
        file.extend_from_slice(&checksum);
        file.freeze()
    }

    /// Reads the bytes of a file that was written in `network`.
    ///
    /// # Errors
    /// [`StateFault`] for the first thing that is wrong, in the order of the file.
    pub fn decode(file: &Bytes, network: &[u8; 32]) -> Result<Self, StateFault> {
        if file.len() > MAX_STATE_BYTES {
            return Err(StateFault::TooLong);
        }
        if !file.starts_with(MAGIC.get(..file.len().min(MAGIC.len())).unwrap_or(MAGIC)) {
            return Err(StateFault::NotAState);
        }
        let end = file.len().checked_sub(CHECKSUM_BYTES);
        let end = end.filter(|end| *end >= HEAD_BYTES);
        let end = end.ok_or(StateFault::TooShort)?;
        let (content, checksum) = file.split_at(end);
        let (version, rest) = content.split_at(HEAD_BYTES - NETWORK_BYTES);
        let version = version.split_at(MAGIC.len()).1;
        let version = version
            .iter()
            .rev()
            .fold(0, |sum, byte| sum << 8 | u16::from(*byte));
        if version != VERSION {
            return Err(StateFault::OtherVersion(version));
        }
        if !rest.starts_with(network) {
            return Err(StateFault::OtherNetwork);
        }
        if derive_key(Label::DiscoveryState, &[content]) != checksum {
            return Err(StateFault::Checksum);
        }
        let body: Body = decode(&file.slice(HEAD_BYTES..end))?;
        Ok(Self {
            contacts: body.contacts.into_vec(),
            records: body.records.into_vec(),
        })
    }
}
