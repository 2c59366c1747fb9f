//! Types that travel in the form of another.

use super::{WireType, wire_converted};
use crate::identity::PeerId;
use crate::wire::{NetworkId, Violation};

/// A type with rules of its own whose encoding is that of a simpler one.
pub(crate) trait Converted: Sized {
    /// The form on the wire.
    type Wire: WireType;

    fn to_wire(&self) -> Self::Wire;

    fn from_wire(wire: Self::Wire) -> Result<Self, Violation>;
}

impl Converted for PeerId {
    type Wire = [u8; 32];

    fn to_wire(&self) -> [u8; 32] {
        *self.as_bytes()
    }

    fn from_wire(wire: [u8; 32]) -> Result<Self, Violation> {
        Ok(Self::from_bytes(wire))
    }
}

impl Converted for NetworkId {
    type Wire = [u8; 32];

    fn to_wire(&self) -> [u8; 32] {
        *self.as_bytes()
    }

    fn from_wire(wire: [u8; 32]) -> Result<Self, Violation> {
        Ok(Self::from_bytes(wire))
    }
}

wire_converted!(PeerId, NetworkId);
