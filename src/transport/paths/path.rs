//! How packets reach a peer, as the rooms above may know it.

use std::net::SocketAddr;

use crate::identity::PeerId;
use crate::policy::IpGroup;

/// The path that a connection's packets take now.
///
/// This is what other rooms get instead of quinn's remote address, which is virtual: a limit by IP
/// must charge the peer behind a direct path and must never charge the relay of a relayed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
        let ip = addr.ip().to_canonical();
        Self::Direct {
            addr: SocketAddr::new(ip, addr.port()),
            group: IpGroup::of(ip),
        }
    }
}
