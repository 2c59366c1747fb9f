//! What can be read of a datagram without a key.

/// What the first byte says. QUIC owns the upper three quarters of its values (RFC 9443 keeps the
/// rest for other protocols on the same port).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Handshake packets, Retry, version negotiation. The latter may have any low bits.
    LongHeader,
    /// Packets of an established connection.
    ShortHeader,
    /// Not QUIC: the first byte is the kind of a datagram of ours. Peers may not grease the QUIC
    /// bit (RFC 9287), which would make their packets look like this: endpoints must not offer it.
    Other,
}

const LONG_HEADER: u8 = 0x80;
const QUIC_BIT: u8 = 0x40;

pub(super) fn kind(datagram: &[u8]) -> Kind {
    match datagram.first() {
        Some(first) if first & LONG_HEADER != 0 => Kind::LongHeader,
        Some(first) if first & QUIC_BIT != 0 => Kind::ShortHeader,
        _ => Kind::Other,
    }
}

/// The first bytes of a connection id of ours, enough to tell ids apart: they are unpredictable.
pub(super) type IdPrefix = [u8; 8];

/// To which of our connection ids a short-header packet is addressed. The packet does not say how
/// long the id is; ours have at least eight bytes, the length that quinn's generator uses.
pub(super) fn destination(short_header: &[u8]) -> Option<IdPrefix> {
    short_header.get(1..)?.first_chunk().copied()
}
