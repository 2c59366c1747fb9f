//! The table of kinds, and what each demands.

use std::time::Duration;

use bytes::Bytes;

use super::publish::mutable_input;
use super::{CheckContext, Checked, Eviction, Key, Kind, PendingSignature, RecordFault, Version};
use crate::crypto::{SIGNATURE_BYTES, Signature, Suite, VERIFYING_KEY_BYTES, VerifyingKey};
use crate::identity::PeerId;
use crate::policy::UnixMillis;
use crate::wire::codec;
use crate::wire::message::discovery::{
    ImmutableRecord, MAX_RECORD_BODY, MAX_SALT, MAX_VALUE, MutableRecord, ProviderRecord, kind,
};

/// How far ahead of ours the clock of an owner may be: NTP keeps seconds, a machine without it drifts
/// minutes in a month.
pub const MAX_CLOCK_SKEW: Duration = Duration::from_secs(5 * 60);

/// As many as a lookup finds (k): a record is lost only with all of the nearest nodes.
const REPLICAS: u32 = 20;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// Bytes of a length above 250 and below 65 536: a marker and two bytes.
const LONG_LENGTH: usize = 3;

/// Bytes of a 64-bit number, at most: a marker and eight bytes.
const LONG_NUMBER: usize = 9;

const MAX_IMMUTABLE: usize = LONG_LENGTH + MAX_VALUE;

const MAX_MUTABLE: usize = 1
    + VERIFYING_KEY_BYTES
    + (1 + MAX_SALT)
    + 3 * LONG_NUMBER
    + (LONG_LENGTH + MAX_VALUE)
    + SIGNATURE_BYTES;

/// A key, and a number of four bytes behind its marker.
const MAX_PROVIDER: usize = 32 + 5;

/// A value under its own hash. Unsigned, so that it has to be stored again within a day to live on.
pub static IMMUTABLE: Kind = Kind {
    number: kind::IMMUTABLE,
    name: "immutable",
    max_bytes: checked_max(MAX_IMMUTABLE),
    replicas: REPLICAS,
    max_lifetime: HOUR.saturating_mul(24),
    slots: 1,
    eviction: Eviction::Never,
    rules: check_immutable,
};

/// A value under the name of its owner, who signs it and may change it.
pub static MUTABLE: Kind = Kind {
    number: kind::MUTABLE,
    name: "mutable",
    max_bytes: checked_max(MAX_MUTABLE),
    replicas: REPLICAS,
    max_lifetime: HOUR.saturating_mul(48),
    slots: 1,
    eviction: Eviction::EarlierVersion,
    rules: check_mutable,
};

/// The sender provides a key. At 256 a key, a reply of 32 drawn at random still differs from the
/// last one, and the most wanted key costs its node less than 1 MiB.
pub static PROVIDER: Kind = Kind {
    number: kind::PROVIDER,
    name: "provider",
    max_bytes: checked_max(MAX_PROVIDER),
    replicas: REPLICAS,
    max_lifetime: HOUR.saturating_mul(48),
    slots: 256,
    eviction: Eviction::Random,
    rules: check_provider,
};

/// All kinds that are known here, by number.
pub static KINDS: [&Kind; 3] = [&IMMUTABLE, &MUTABLE, &PROVIDER];

/// The rules of the kind with this number, if it is known here.
#[must_use]
pub fn kind(number: u16) -> Option<&'static Kind> {
    KINDS.into_iter().find(|kind| kind.number == number)
}

/// The limit of a kind; does not compile if it is above that of the wire.
const fn checked_max(bytes: usize) -> u32 {
    assert!(bytes <= MAX_RECORD_BODY);
    bytes as u32
}

fn check_immutable(context: &CheckContext, body: &Bytes) -> Result<Checked, RecordFault> {
    let record: ImmutableRecord = codec::decode(body)?;
    let value = record.value.as_bytes();
    Ok(Checked {
        key: Key::of_value(value),
        slot: [0; 32],
        version: version(0, value),
        expires: context.now.mono + IMMUTABLE.max_lifetime,
        body: body.clone(),
        signature: None,
    })
}

fn check_mutable(context: &CheckContext, body: &Bytes) -> Result<Checked, RecordFault> {
    let record: MutableRecord = codec::decode(body)?;
    let lifetime = remaining_life(&record, context.now.wall)?;
    let public_key = owner_key(&record)?;
    let owner = PeerId::from(public_key.hash());
    let (salt, value) = (record.salt.as_bytes(), record.value.as_bytes());
    let times = (record.created, record.expires);
    let input = mutable_input(&context.network, owner, salt, record.sequence, times, value);
    Ok(Checked {
        key: Key::of_owner(owner, salt),
        slot: [0; 32],
        version: version(record.sequence, value),
        expires: context.now.mono + lifetime,
        body: body.clone(),
        signature: Some(PendingSignature {
            public_key,
            input,
            signature: Signature::from(Box::new(record.signature)),
        }),
    })
}

fn check_provider(context: &CheckContext, body: &Bytes) -> Result<Checked, RecordFault> {
    let record: ProviderRecord = codec::decode(body)?;
    let lifetime = Duration::from_secs(record.lifetime.into());
    if lifetime > PROVIDER.max_lifetime {
        return Err(RecordFault::LifetimeTooLong);
    }
    Ok(Checked {
        key: Key::from_bytes(record.key),
        slot: *context.sender.as_bytes(),
        version: Version::default(),
        expires: context.now.mono + lifetime,
        body: body.clone(),
        signature: None,
    })
}

/// How long a mutable record lives from `now` on.
fn remaining_life(record: &MutableRecord, now: UnixMillis) -> Result<Duration, RecordFault> {
    let (created, expires) = (UnixMillis(record.created), UnixMillis(record.expires));
    if created.since(now) > MAX_CLOCK_SKEW {
        return Err(RecordFault::NotYetValid);
    }
    if expires <= created {
        return Err(RecordFault::ExpiresBeforeCreated);
    }
    if expires.since(created) > MUTABLE.max_lifetime {
        return Err(RecordFault::ExpiresTooLate);
    }
    if expires <= now {
        return Err(RecordFault::Expired);
    }
    Ok(expires.since(now))
}

pub(super) fn owner_key(record: &MutableRecord) -> Result<VerifyingKey, RecordFault> {
    match Suite::try_from(record.suite) {
        Ok(Suite::MlDsa87) => Ok(VerifyingKey::ml_dsa_87(&record.public_key)),
        Err(_) => Err(RecordFault::WrongSuite),
    }
}

fn version(sequence: u64, value: &[u8]) -> Version {
    Version {
        sequence,
        tie: *blake3::hash(value).as_bytes(),
    }
}
