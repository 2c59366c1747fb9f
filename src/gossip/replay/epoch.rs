//! The number of a run of a publisher.

use crate::policy::UnixMillis;

/// The epoch of a run that begins now, after one whose epoch was stored: the time, or the number after
/// the last one if the clock has not got beyond it. To be stored before the first message.
///
/// Epochs rise without end, and nobody compares one with a clock: a publisher that once ran with a clock
/// a year ahead goes on behind that epoch and is heard all the same. `u64::MAX` is no epoch that a run
/// can have had; a file that says so is damaged and counts as none.
#[must_use]
pub fn next_epoch(stored: Option<u64>, now: UnixMillis) -> u64 {
    let next = stored.and_then(|last| last.checked_add(1));
    next.map_or(now.0, |next| next.max(now.0))
}
