//! Reading records.

use bytes::Bytes;

use super::RecordFault;
use super::kinds::owner_key;
use crate::identity::PeerId;
use crate::policy::UnixMillis;
use crate::wire::codec;
use crate::wire::message::discovery::{ImmutableRecord, MutableRecord, Record, kind};

/// What a record says to whoever looked for it. Values are slices of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// An immutable value.
    Immutable(Bytes),
    /// A value that its owner may change.
    Mutable(MutableContent),
}

/// What a mutable record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MutableContent {
    /// Whose it is.
    pub owner: PeerId,
    /// Which of the owner's records it is.
    pub salt: Bytes,
    /// Counted by the owner.
    pub sequence: u64,
    /// When it was made, by the owner's clock.
    pub created: UnixMillis,
    /// When it ends, by the owner's clock.
    pub expires: UnixMillis,
    /// The value.
    pub value: Bytes,
}

impl Content {
    /// Opens a record; `None` for a kind that is not known here or that holds no value. Nothing is
    /// checked that [`Kind::check`](super::Kind::check) checks, and no signature.
    ///
    /// # Errors
    /// [`RecordFault::Malformed`], [`RecordFault::WrongSuite`].
    pub fn of(record: &Record) -> Result<Option<Self>, RecordFault> {
        let body = record.body.as_bytes();
        match record.kind {
            kind::IMMUTABLE => {
                let opened: ImmutableRecord = codec::decode(body)?;
                Ok(Some(Self::Immutable(opened.value.into_bytes())))
            }
            kind::MUTABLE => {
                let opened: MutableRecord = codec::decode(body)?;
                Ok(Some(Self::Mutable(opened.try_into()?)))
            }
            _ => Ok(None),
        }
    }

    /// The value.
    #[must_use]
    pub const fn value(&self) -> &Bytes {
        match self {
            Self::Immutable(value) => value,
            Self::Mutable(content) => &content.value,
        }
    }
}

impl TryFrom<MutableRecord> for MutableContent {
    type Error = RecordFault;

    fn try_from(record: MutableRecord) -> Result<Self, RecordFault> {
        Ok(Self {
            owner: owner_key(&record)?.hash().into(),
            salt: record.salt.into_bytes(),
            sequence: record.sequence,
            created: UnixMillis(record.created),
            expires: UnixMillis(record.expires),
            value: record.value.into_bytes(),
        })
    }
}
