//! What went over the network, and what it was.

use std::time::Duration;

use super::frames::{Frame, Parts};
use crate::wire::message::gossip as wire;

/// Types of frames are below this.
const KINDS: usize = 0x20;

/// Bytes of headers around the frames of a packet: IPv4 20, UDP 8, short header with a connection id
/// of eight bytes 11, authentication tag 16 (RFC 9000 and 9001), STREAM frame 8.
const PACKET_HEADERS: u64 = 63;

/// Bytes of frames in a packet.
const PACKET_BYTES: usize = 1_200;

/// What honest nodes received, and what that cost them, in a time.
///
/// Received is what arrived at an honest node that runs, whoever sent it; *sent* is what such a node
/// put on its uplink, whoever was to get it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traffic {
    frames: [u64; KINDS],
    bytes: [u64; KINDS],
    /// Bytes of what the received messages said, all copies.
    pub payload_bytes: u64,
    /// Bytes by which these named their seals.
    pub reference_bytes: u64,
    /// Messages that a node delivered to its program, other than its own, for the first time.
    pub deliveries: u64,
    /// Messages that a node delivered again: a fault of the machine.
    pub repeated: u64,
    /// Messages that nobody published.
    pub foreign: u64,
    /// Seals that were made.
    pub seals_made: u64,
    /// Seals that were verified.
    pub seals_verified: u64,
    /// Of these, those that were not valid.
    pub seals_refused: u64,
    /// Time that cores spent verifying.
    pub verifying: Duration,
    /// Bytes of frames that were sent.
    pub sent_bytes: u64,
    /// Batches of frames that were sent.
    pub sent_batches: u64,
    /// Packets that these took.
    pub sent_packets: u64,
    /// Neighbours that were taken into a mesh.
    pub grafts: u64,
    /// Neighbours that were taken out of one.
    pub prunes: u64,
    /// Recommended nodes that a machine wanted dialled.
    pub dials: u64,
}

impl Traffic {
    pub(super) fn receive(&mut self, frame: &Frame) {
        let Some((frames, bytes)) = self
            .frames
            .get_mut(usize::from(frame.kind))
            .zip(self.bytes.get_mut(usize::from(frame.kind)))
        else {
            return;
        };
        *frames += 1;
        *bytes += frame.bytes as u64;
        let parts = Parts::of(frame.kind, &frame.body);
        self.payload_bytes += parts.data as u64;
        self.reference_bytes += parts.reference as u64;
    }

    pub(super) fn send(&mut self, bytes: usize) {
        self.sent_bytes += bytes as u64;
        self.sent_batches += 1;
        self.sent_packets += bytes.div_ceil(PACKET_BYTES) as u64;
    }

    /// Frames of a type that were received.
    #[must_use]
    pub fn frames(&self, kind: u8) -> u64 {
        self.frames.get(usize::from(kind)).copied().unwrap_or(0)
    }

    /// Bytes of these, heads included.
    #[must_use]
    pub fn bytes(&self, kind: u8) -> u64 {
        self.bytes.get(usize::from(kind)).copied().unwrap_or(0)
    }

    /// Copies of messages that were received.
    #[must_use]
    pub fn copies(&self) -> u64 {
        self.frames(wire::MESSAGE) + self.frames(wire::UNSIGNED)
    }

    /// Bytes of everything but messages, keys and seals.
    #[must_use]
    pub fn control_bytes(&self) -> u64 {
        let all: u64 = self.bytes.iter().sum();
        let rest = [wire::KEY, wire::SEAL, wire::MESSAGE, wire::UNSIGNED];
        all - rest.iter().map(|kind| self.bytes(*kind)).sum::<u64>()
    }

    /// Bytes of keys and seals.
    #[must_use]
    pub fn proof_bytes(&self) -> u64 {
        self.bytes(wire::KEY) + self.bytes(wire::SEAL)
    }

    /// Bytes of heads, timestamps and lengths: what a message without a proof would need, too.
    #[must_use]
    pub fn envelope_bytes(&self) -> u64 {
        let messages = self.bytes(wire::MESSAGE) + self.bytes(wire::UNSIGNED);
        messages - self.payload_bytes - self.reference_bytes
    }

    /// Bytes of packet headers around what was sent, on IPv4. They take no room on the uplink.
    #[must_use]
    pub const fn header_bytes(&self) -> u64 {
        self.sent_packets * PACKET_HEADERS
    }
}
