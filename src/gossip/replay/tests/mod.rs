//! Tests of the room, by theme.

mod ages;
mod bounds;
mod clocks;
mod epoch;
mod model;
mod rules;

use crate::crypto::VerifyingKey;
use crate::gossip::seals::SharedSeal;
use crate::gossip::seals::testing::{List, below, key, message, rng};
use crate::policy::UnixMillis;

use super::*;

/// The wall clock when the monotonic one stands at [`BOOT`].
const WALL: u64 = 1_800_000_000_000;

/// A node that has been up for an hour.
const BOOT: u64 = 3_600_000;

/// Both clocks after some milliseconds.
fn now(ms: u64) -> Now {
    jumped(ms, 0)
}

/// The same, with the wall clock set forward or back.
fn jumped(ms: u64, by_ms: i64) -> Now {
    Now {
        mono: Micros((BOOT + ms) * 1_000),
        wall: UnixMillis((WALL + ms).checked_add_signed(by_ms).unwrap()),
    }
}

fn author() -> VerifyingKey {
    key(1)
}

fn seal(list: List) -> SharedSeal {
    list.seal(&author())
}

/// A seal of one message.
fn single(counter: u64) -> SharedSeal {
    seal(List::of(counter, 1))
}

fn small(publisher: usize, total: usize) -> ReplayWindow {
    ReplayWindow::with_limits(Limits {
        publisher,
        total,
        silent: MAX_SILENT,
    })
}

/// What must always hold within.
fn check(window: &ReplayWindow) {
    let publishers = window.publishers.values();
    let within: usize = publishers.map(Publisher::count_bytes).sum();
    let publishers = window.publishers.len() * PUBLISHER_BYTES;
    assert_eq!(window.bytes(), within + publishers);
    assert!(window.bytes() <= window.limits.total);
    let mut sizes = window.publishers.values().map(Publisher::bytes);
    assert!(sizes.all(|bytes| bytes <= window.limits.publisher));
}
