//! Making records.

use std::time::Duration;

use bytes::Bytes;
use thiserror::Error;

use super::{IMMUTABLE, Key, MUTABLE, PROVIDER, wire_record};
use crate::crypto::{Label, Signature, SignedInput, VerifyingKey};
use crate::identity::PeerId;
use crate::policy::UnixMillis;
use crate::wire::codec::{self, Payload};
use crate::wire::message::discovery::{
    ImmutableRecord, MAX_SALT, MAX_VALUE, MutableRecord, ProviderRecord, Record,
};

/// Why a record cannot be made: what the caller asked for is out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DraftError {
    /// The value is longer than [`MAX_VALUE`] bytes.
    #[error("a value has at most {MAX_VALUE} bytes, not {0}")]
    ValueTooLong(usize),
    /// The salt is longer than [`MAX_SALT`] bytes.
    #[error("a salt has at most {MAX_SALT} bytes, not {0}")]
    SaltTooLong(usize),
    /// The record would live for less than the unit of its kind, or longer than its kind allows.
    #[error("a record of this kind cannot live for {0:?}")]
    Lifetime(Duration),
}

/// An immutable record, and where it is held.
///
/// # Errors
/// [`DraftError::ValueTooLong`].
pub fn immutable(value: Bytes) -> Result<(Key, Record), DraftError> {
    let key = Key::of_value(&value);
    let value = bounded(value, DraftError::ValueTooLong)?;
    let body = codec::encode(&ImmutableRecord { value });
    Ok((key, wire_record(&IMMUTABLE, body)))
}

/// A record that says that its sender provides `key` for `lifetime`, in whole seconds; zero takes it
/// back. It is worth something only over the provider's own connection.
///
/// # Errors
/// [`DraftError::Lifetime`] for more than 48 h, and for less than a second that is not zero.
pub fn provider(key: Key, lifetime: Duration) -> Result<Record, DraftError> {
    let seconds = u32::try_from(lifetime.as_secs()).unwrap_or(u32::MAX);
    if lifetime > PROVIDER.max_lifetime || (seconds == 0 && !lifetime.is_zero()) {
        return Err(DraftError::Lifetime(lifetime));
    }
    let body = codec::encode(&ProviderRecord {
        key: *key.as_bytes(),
        lifetime: seconds,
    });
    Ok(wire_record(&PROVIDER, body))
}

/// A mutable record without its signature. Sign [`signed_input`](Self::signed_input) with the
/// owner's key, then [`with_signature`](Self::with_signature) is the record.
///
/// To renew a record before it ends, sign it again with a higher sequence: a second record of the
/// same sequence and value is one that nodes already have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MutableDraft {
    owner: VerifyingKey,
    salt: Payload<MAX_SALT>,
    sequence: u64,
    created: UnixMillis,
    expires: UnixMillis,
    value: Payload<MAX_VALUE>,
}

impl MutableDraft {
    /// A record of `owner` under `salt`, made at `created` to live for `lifetime`, in whole
    /// milliseconds.
    ///
    /// # Errors
    /// [`DraftError`] if the salt, the value or the lifetime is out of range.
    pub fn new(
        owner: VerifyingKey,
        salt: Bytes,
        sequence: u64,
        created: UnixMillis,
        lifetime: Duration,
        value: Bytes,
    ) -> Result<Self, DraftError> {
        let millis = u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX);
        let expires = created
            .0
            .checked_add(millis)
            .filter(|_| millis > 0 && lifetime <= MUTABLE.max_lifetime)
            .ok_or(DraftError::Lifetime(lifetime))?;
        Ok(Self {
            owner,
            salt: bounded(salt, DraftError::SaltTooLong)?,
            sequence,
            created,
            expires: UnixMillis(expires),
            value: bounded(value, DraftError::ValueTooLong)?,
        })
    }

    /// Where the record is held.
    #[must_use]
    pub fn key(&self) -> Key {
        Key::of_owner(self.owner_name(), self.salt.as_bytes())
    }

    /// What the owner signs.
    #[must_use]
    pub fn signed_input(&self, network: &[u8; 32]) -> SignedInput {
        mutable_input(
            network,
            self.owner_name(),
            self.salt.as_bytes(),
            self.sequence,
            (self.created.0, self.expires.0),
            self.value.as_bytes(),
        )
    }

    /// The record.
    #[must_use]
    pub fn with_signature(self, signature: &Signature) -> Record {
        let body = codec::encode(&MutableRecord {
            suite: self.owner.suite().byte(),
            public_key: *self.owner.as_bytes(),
            salt: self.salt,
            sequence: self.sequence,
            created: self.created.0,
            expires: self.expires.0,
            value: self.value,
            signature: *signature.as_bytes(),
        });
        wire_record(&MUTABLE, body)
    }

    fn owner_name(&self) -> PeerId {
        PeerId::from(self.owner.hash())
    }
}

/// Label ‖ network ‖ owner ‖ BLAKE3(salt) ‖ sequence ‖ created ‖ expires ‖ BLAKE3(value). The suite
/// is part of the owner's name.
pub(super) fn mutable_input(
    network: &[u8; 32],
    owner: PeerId,
    salt: &[u8],
    sequence: u64,
    (created, expires): (u64, u64),
    value: &[u8],
) -> SignedInput {
    SignedInput::new(Label::MutableRecord, network)
        .array(owner.as_bytes())
        .hash_of(salt)
        .u64(sequence)
        .u64(created)
        .u64(expires)
        .hash_of(value)
}

fn bounded<const MAX: usize>(
    bytes: Bytes,
    error: fn(usize) -> DraftError,
) -> Result<Payload<MAX>, DraftError> {
    let length = bytes.len();
    Payload::try_from(bytes).map_err(|_| error(length))
}
