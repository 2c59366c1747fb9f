//! What sits between a host's socket and its link.
//!
//! A box that rewrites addresses belongs exactly here: it sees a datagram after the socket and
//! before the link going out, and after the link and before the socket coming in. Links, taps and
//! counters then know outside addresses only, sockets inside ones only. No host has a box: both
//! directions are the identity.

use super::net::Datagram;

/// The datagram as it leaves the host's site.
pub(super) fn outbound(datagram: Datagram) -> Datagram {
    datagram
}

/// The datagram as it reaches the host's socket.
pub(super) fn inbound(datagram: Datagram) -> Datagram {
    datagram
}
