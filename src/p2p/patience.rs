//! How long a peer may leave written data unread.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::link::Link;
use super::within::{Late, within};

/// A write may wait for so many times the patience while other data of the connection moves: a thin
/// line that carries much is not a peer that does not read, but a peer that reads one stream for
/// ever must not hold another.
const MOST_TIMES: u32 = 6;

/// Waits for a write for `patience` and, while the connection carries other data, for up to six
/// times as long.
pub(super) async fn patiently<F: Future + ?Sized>(
    patience: Duration,
    link: &Link,
    mut write: Pin<&mut F>,
) -> Result<F::Output, Late> {
    let half = patience / 2;
    if let Ok(output) = within(half, write.as_mut()).await {
        return Ok(output);
    }
    let mut sent = link.connection.stats().stream_frames_sent;
    for _ in 1..2 * MOST_TIMES {
        if let Ok(output) = within(half, write.as_mut()).await {
            return Ok(output);
        }
        let before = std::mem::replace(&mut sent, link.connection.stats().stream_frames_sent);
        if sent == before {
            return Err(Late);
        }
    }
    Err(Late)
}
