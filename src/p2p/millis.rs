//! Serde form of a span of time: whole milliseconds, said in the field's name.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer};

/// Writes `span` as milliseconds, rounded down.
pub(crate) fn serialize<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
}

/// Reads milliseconds.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(source: D) -> Result<Duration, D::Error> {
    u64::deserialize(source).map(Duration::from_millis)
}
