//! A number of the configuration outside its range: which one, what it was, what it may be.

use std::ops::RangeInclusive;
use std::time::Duration;

use thiserror::Error;

/// A configured number outside its range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{field} is {value}, allowed are {min} to {max}")]
pub struct OutOfRange {
    /// Path of the field, as it is written in a configuration file.
    pub field: &'static str,
    /// The configured value, in the unit that the field's name ends with.
    pub value: u64,
    /// Smallest allowed value.
    pub min: u64,
    /// Largest allowed value.
    pub max: u64,
}

/// Checks a count or a size.
///
/// # Errors
/// [`OutOfRange`] with the field's name.
pub fn check(
    field: &'static str,
    value: u64,
    allowed: RangeInclusive<u64>,
) -> Result<(), OutOfRange> {
    if allowed.contains(&value) {
        return Ok(());
    }
    Err(OutOfRange {
        field,
        value,
        min: *allowed.start(),
        max: *allowed.end(),
    })
}

/// Checks a span of time against a range in milliseconds.
///
/// # Errors
/// [`OutOfRange`] with the field's name and the value in milliseconds.
pub fn check_millis(
    field: &'static str,
    value: Duration,
    allowed: RangeInclusive<u64>,
) -> Result<(), OutOfRange> {
    check(
        field,
        u64::try_from(value.as_millis()).unwrap_or(u64::MAX),
        allowed,
    )
}
