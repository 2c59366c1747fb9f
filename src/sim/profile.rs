//! What a link does to datagrams, and what it did.

use std::time::Duration;

/// The properties of one direction of a link.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinkProfile {
    /// One-way propagation delay.
    pub latency: Duration,
    /// Each datagram's delay varies uniformly within ± this; never below zero. Jitter alone never
    /// reorders: a datagram arrives no earlier than its predecessor, as behind one queue.
    pub jitter: Duration,
    /// Probability, 0 to 1, that a datagram is lost on the way, after the queue.
    pub loss: f64,
    /// Probability, 0 to 1, that a datagram is held back by 1 ms to 1 ms + `latency` while later
    /// ones pass it.
    pub reorder: f64,
    /// Bits of UDP payload a second; `None` is an infinitely fast link without a queue.
    pub rate_bits_per_s: Option<u64>,
    /// Bytes that may wait for a rate-limited link; a datagram that does not fit is dropped.
    pub queue_bytes: usize,
    /// Largest UDP payload that passes; larger ones vanish without a notice.
    pub max_payload_bytes: usize,
}

/// An Ethernet frame of 1500 bytes less the IPv4 (20) and UDP (8) headers.
const ETHERNET_PAYLOAD_BYTES: usize = 1472;

/// 100 ms at 50 Mbit/s, a common depth of a consumer router's queue.
const DEFAULT_QUEUE_BYTES: usize = 625_000;

/// A continental path.
const DEFAULT_LATENCY: Duration = Duration::from_millis(10);

impl LinkProfile {
    /// A link that only delays.
    #[must_use]
    pub const fn with_latency(latency: Duration) -> Self {
        Self {
            latency,
            jitter: Duration::ZERO,
            loss: 0.0,
            reorder: 0.0,
            rate_bits_per_s: None,
            queue_bytes: DEFAULT_QUEUE_BYTES,
            max_payload_bytes: ETHERNET_PAYLOAD_BYTES,
        }
    }
}

impl Default for LinkProfile {
    fn default() -> Self {
        Self::with_latency(DEFAULT_LATENCY)
    }
}

/// A number of datagrams and the UDP payload in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Datagrams.
    pub datagrams: u64,
    /// Bytes of UDP payload.
    pub bytes: u64,
}

impl Traffic {
    pub(super) fn count(&mut self, payload_bytes: usize) {
        self.datagrams = self.datagrams.saturating_add(1);
        self.bytes = self
            .bytes
            .saturating_add(u64::try_from(payload_bytes).unwrap_or(u64::MAX));
    }
}

/// What became of the datagrams of one direction of a link.
///
/// `sent` is the sum of all others and of what is still under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LinkCounters {
    /// Handed to the link, injected ones included.
    pub sent: Traffic,
    /// Put into a socket's receive buffer.
    pub delivered: Traffic,
    /// Lost by chance, or by the tap's verdict.
    pub lost: Traffic,
    /// Did not fit into the link's queue.
    pub overflowed: Traffic,
    /// Larger than the link's MTU.
    pub oversized: Traffic,
    /// Sent into a partition.
    pub blocked: Traffic,
    /// Arrived where no socket was bound.
    pub unclaimed: Traffic,
    /// Arrived at a socket whose receive buffer was full.
    pub unread: Traffic,
}
