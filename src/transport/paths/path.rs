//! How packets reach a peer, as the rooms above may know it.

use std::fmt;
use std::net::SocketAddr;

use super::virtual_address::canonical;
use crate::identity::PeerId;
use crate::policy::IpGroup;

/// The path that a connection's packets take now.
///
/// This is what other rooms get instead of quinn's remote address, which is virtual: a limit by IP
/// must charge the peer behind a direct path and must never charge the relay of a relayed one.
/// `Debug` does not print the address.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// UDP straight to the peer, or to the NAT in front of it.
    Direct {
        /// Where packets go, in canonical form (IPv4 as IPv4).
        addr: SocketAddr,
        /// Who pays for this address when limits are counted.
        group: IpGroup,
    },
    /// Through a relay; the peer's own address is not known.
    Relayed {
        /// The relay.
        relay: PeerId,
        /// The relay's group: for diversity of relays, never for limits on the peer.
        relay_group: IpGroup,
    },
}

impl Path {
    /// The direct path to `addr`.
    #[must_use]
    pub fn direct(addr: SocketAddr) -> Self {
        let addr = canonical(addr);
        Self::Direct {
            addr,
            group: IpGroup::of(addr.ip()),
        }
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct { .. } => f.write_str("Direct([redacted])"),
            Self::Relayed { relay, .. } => f.debug_tuple("Relayed").field(relay).finish(),
        }
    }
}
