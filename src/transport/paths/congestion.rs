//! A congestion controller that knows when its packets took another path.
//!
//! quinn believes that the path never changes, so after a switch it would (1) cut its window for
//! packets that were overtaken or died on the old path, (2) let those packets fill the window so
//! that nothing, not even an acknowledgement, leaves on the new path, and (3) pace by a bucket that
//! was sized for the old round-trip time, as long as the window stands still. This controller wraps
//! another one, a copy of which it keeps for every path:
//!
//! - What was in flight at the switch is *stale*: it is allowed on top of the window, and its acks
//!   and losses reach no inner controller.
//! - The inner controller is kept across a switch, or restored if its path was used recently. RFC
//!   9000, section 9.4, asks for a reset instead; a fresh slow start overshoots and loses more.
//! - The window is *nudged* by one byte when the round-trip time has moved, which is what makes
//!   quinn size its pacing bucket anew.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use quinn::congestion::{Controller, ControllerFactory, ControllerMetrics};
use quinn_proto::RttEstimator;

use super::table::{MAX_PATHS, PathId};

/// A factory for the controllers of one connection, around those of `inner`, and the handle to tell
/// them of a switch. Each connection needs a pair of its own.
pub(crate) fn path_aware(
    inner: Arc<dyn ControllerFactory + Send + Sync>,
) -> (Arc<dyn ControllerFactory + Send + Sync>, PathSwitch) {
    let switch = PathSwitch(Arc::new(Position::default()));
    (
        Arc::new(PathAwareFactory {
            inner,
            position: Arc::clone(&switch.0),
        }),
        switch,
    )
}

/// Tells a connection's congestion controller which path it is on.
#[derive(Debug, Clone)]
pub(crate) struct PathSwitch(Arc<Position>);

impl PathSwitch {
    /// Packets take `path` from now on. To be called right after the path was switched, before
    /// quinn sends again.
    pub(crate) fn switched_to(&self, path: PathId) {
        self.0.path.store(path.0, Ordering::Release);
        self.0.epoch.fetch_add(1, Ordering::AcqRel);
    }
}

/// The path is written before the epoch and read after it: a reader may see a newer path than its
/// epoch, and then meets the same path again in the next one, which changes nothing.
#[derive(Debug, Default)]
struct Position {
    epoch: AtomicU64,
    path: AtomicU32,
}

struct PathAwareFactory {
    inner: Arc<dyn ControllerFactory + Send + Sync>,
    position: Arc<Position>,
}

impl ControllerFactory for PathAwareFactory {
    fn build(self: Arc<Self>, now: Instant, current_mtu: u16) -> Box<dyn Controller> {
        let inner = Arc::clone(&self.inner).build(now, current_mtu);
        Box::new(PathAware::new(
            inner,
            Arc::clone(&self.position),
            current_mtu,
        ))
    }
}

/// How long the controller of a path that was left is worth more than the one in use: capacity
/// rarely changes within a minute, and a wrong window costs one round of losses either way.
const MEMORY: Duration = Duration::from_secs(60);

/// quinn sizes its pacing bucket for the round-trip time at the moment when the window changes; an
/// eighth is the weight of one sample in its smoothing, so noise alone rarely moves it further.
const NUDGE_FRACTION: u32 = 8;

struct PathAware {
    position: Arc<Position>,
    epoch: u64,
    path: PathId,
    inner: Box<dyn Controller>,
    left: BTreeMap<PathId, Left>,
    mtu: u16,
    /// Bytes in flight on all paths. Acknowledgement-only packets are counted when sent, although
    /// quinn does not; the next batch of acks corrects it.
    in_flight: u64,
    /// Bytes of those that were sent before the last switch.
    stale: u64,
    switched_at: Option<Instant>,
    nudge: Nudge,
}

struct Left {
    controller: Box<dyn Controller>,
    at: Instant,
}

/// The two figures that quinn's estimator gives.
#[derive(Debug, Clone, Copy)]
struct RoundTrip {
    smoothed: Duration,
    conservative: Duration,
}

#[derive(Debug, Clone, Copy, Default)]
struct Nudge {
    bytes: u64,
    sized_for: Duration,
}

impl PathAware {
    fn new(inner: Box<dyn Controller>, position: Arc<Position>, mtu: u16) -> Self {
        let epoch = position.epoch.load(Ordering::Acquire);
        let path = PathId(position.path.load(Ordering::Acquire));
        Self {
            position,
            epoch,
            path,
            inner,
            left: BTreeMap::new(),
            mtu,
            in_flight: 0,
            stale: 0,
            switched_at: None,
            nudge: Nudge::default(),
        }
    }

    fn has_switched(&self) -> bool {
        self.position.epoch.load(Ordering::Acquire) != self.epoch
    }

    /// Follows a switch at the first event after it.
    fn follow(&mut self, now: Instant) {
        if !self.has_switched() {
            return;
        }
        self.epoch = self.position.epoch.load(Ordering::Acquire);
        let path = PathId(self.position.path.load(Ordering::Acquire));
        self.stale = self.in_flight;
        self.switched_at = Some(now);
        if path != self.path {
            self.leave(now);
            self.path = path;
            self.restore(now);
        }
    }

    fn leave(&mut self, now: Instant) {
        if self.left.len() >= MAX_PATHS {
            let oldest = self
                .left
                .iter()
                .min_by_key(|(_, left)| left.at)
                .map(|(path, _)| *path);
            oldest.and_then(|path| self.left.remove(&path));
        }
        self.left.insert(
            self.path,
            Left {
                controller: self.inner.clone_box(),
                at: now,
            },
        );
    }

    fn restore(&mut self, now: Instant) {
        let Some(left) = self.left.remove(&self.path) else {
            return;
        };
        if now.saturating_duration_since(left.at) <= MEMORY {
            self.inner = left.controller;
            self.inner.on_mtu_update(self.mtu);
        }
    }

    /// Accounts for acknowledged bytes; true if the inner controller must hear of them.
    fn acked(&mut self, now: Instant, sent: Instant, bytes: u64, rtt: RoundTrip) -> bool {
        self.follow(now);
        self.in_flight = self.in_flight.saturating_sub(bytes);
        self.nudge.observe(rtt.smoothed);
        let Some(switched_at) = self.switched_at else {
            return true;
        };
        if sent < switched_at {
            self.stale = self.stale.saturating_sub(bytes);
            return false;
        }
        // By now loss detection has given up on everything older: no stale byte can be left.
        if sent >= switched_at + rtt.conservative {
            self.stale = 0;
        }
        true
    }

    /// Accounts for a batch of lost bytes, the latest of which was sent at `sent`; true if the
    /// inner controller must hear of it.
    fn lost(&mut self, now: Instant, sent: Instant, bytes: u64) -> bool {
        self.follow(now);
        self.in_flight = self.in_flight.saturating_sub(bytes);
        // A batch that spans the switch counts as stale in full: the window errs to the small side.
        self.stale = self.stale.saturating_sub(bytes);
        self.switched_at
            .is_none_or(|switched_at| sent >= switched_at)
    }

    fn settle(&mut self, now: Instant, in_flight: u64) {
        self.follow(now);
        self.in_flight = in_flight;
        self.stale = self.stale.min(in_flight);
    }
}

impl Nudge {
    fn observe(&mut self, smoothed: Duration) {
        if smoothed.abs_diff(self.sized_for) > self.sized_for / NUDGE_FRACTION {
            self.sized_for = smoothed;
            self.bytes ^= 1;
        }
    }
}

impl Controller for PathAware {
    fn on_sent(&mut self, now: Instant, bytes: u64, last_packet_number: u64) {
        self.follow(now);
        self.in_flight = self.in_flight.saturating_add(bytes);
        self.inner.on_sent(now, bytes, last_packet_number);
    }

    fn on_ack(
        &mut self,
        now: Instant,
        sent: Instant,
        bytes: u64,
        app_limited: bool,
        rtt: &RttEstimator,
    ) {
        let round_trip = RoundTrip {
            smoothed: rtt.get(),
            conservative: rtt.conservative(),
        };
        if self.acked(now, sent, bytes, round_trip) {
            self.inner.on_ack(now, sent, bytes, app_limited, rtt);
        }
    }

    fn on_end_acks(
        &mut self,
        now: Instant,
        in_flight: u64,
        app_limited: bool,
        largest_packet_num_acked: Option<u64>,
    ) {
        self.settle(now, in_flight);
        let fresh = in_flight.saturating_sub(self.stale);
        self.inner
            .on_end_acks(now, fresh, app_limited, largest_packet_num_acked);
    }

    fn on_congestion_event(
        &mut self,
        now: Instant,
        sent: Instant,
        is_persistent_congestion: bool,
        lost_bytes: u64,
    ) {
        if self.lost(now, sent, lost_bytes) {
            self.inner
                .on_congestion_event(now, sent, is_persistent_congestion, lost_bytes);
        }
    }

    fn on_mtu_update(&mut self, new_mtu: u16) {
        self.mtu = new_mtu;
        self.inner.on_mtu_update(new_mtu);
    }

    /// quinn asks before it sends, and a switch is followed only with the first packet sent: until
    /// then everything in flight is stale.
    fn window(&self) -> u64 {
        let stale = if self.has_switched() {
            self.in_flight
        } else {
            self.stale
        };
        self.inner
            .window()
            .saturating_add(stale)
            .saturating_add(self.nudge.bytes)
    }

    fn metrics(&self) -> ControllerMetrics {
        self.inner.metrics()
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        let left = self.left.iter().map(|(path, left)| {
            (
                *path,
                Left {
                    controller: left.controller.clone_box(),
                    at: left.at,
                },
            )
        });
        Box::new(Self {
            position: Arc::clone(&self.position),
            inner: self.inner.clone_box(),
            left: left.collect(),
            ..*self
        })
    }

    fn initial_window(&self) -> u64 {
        self.inner.initial_window()
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

impl fmt::Debug for PathAware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PathAware")
            .field("path", &self.path)
            .field("window", &self.window())
            .field("stale", &self.stale)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
