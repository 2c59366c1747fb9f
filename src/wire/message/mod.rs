//! One file of messages per protocol: its number, its frame types, who sends what in which state,
//! and how long it may be.

pub mod chunks;
pub mod discovery;
pub mod gossip;
pub mod identify;
pub mod observed;
pub mod ping;
pub mod request;

/// The version of every protocol so far; a stream names it after the protocol number.
pub const VERSION: u16 = 1;

/// Numbers of the protocols that come with the node.
pub mod protocol {
    /// [`identify`](super::identify).
    pub const IDENTIFY: u32 = 1;
    /// [`ping`](super::ping).
    pub const PING: u32 = 2;
    /// [`observed`](super::observed).
    pub const OBSERVED: u32 = 3;
    /// [`discovery`](super::discovery).
    pub const DISCOVERY: u32 = 4;
    /// [`gossip`](super::gossip).
    pub const GOSSIP: u32 = 5;
    /// Relay reservations; reserved.
    pub const RELAY: u32 = 6;
    /// Hole punching; reserved.
    pub const PUNCH: u32 = 7;
    /// Onion circuits; reserved.
    pub const CIRCUIT: u32 = 8;
    /// [`chunks`](super::chunks).
    pub const CHUNKS: u32 = 9;
    /// The first number that an application may use. Below it a one-byte varint (0–63) holds every
    /// number that the node itself will ever need; the applications begin where two bytes do.
    pub const FIRST_APPLICATION: u32 = 0x40;
}
