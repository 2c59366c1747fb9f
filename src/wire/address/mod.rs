//! Where a peer can be reached.

mod binary;
mod dns;
mod error;
mod text;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::identity::PeerId;
use crate::policy;
use crate::wire::codec::wire_message;

pub use dns::DnsName;
pub use error::{AddressError, Component};

/// Where a peer can be reached: a UDP endpoint that speaks QUIC, and who answers there; or a relay
/// and who is reached through it.
///
/// As text it is a multiaddr: `/ip4/192.0.2.7/udp/9000/quic-v1/p2p/<peer id>`, with `/ip6`, `/dns4`
/// or `/dns6` in the place of `/ip4` and the `/p2p` part left out when the peer is unknown; or
/// `<address of the relay, with /p2p>/p2p-circuit/p2p/<peer id>`. On the wire it has a compact binary
/// form. Both forms are strict and unique: `Display` and `FromStr` are inverse to each other.
///
/// An address says where a person is. `Display` writes all of it, for files, for the wire and for
/// the screen of its owner; `Debug` does not, so that no derived `Debug` brings it into a log. A log
/// line that has to name it takes [`Sensitive`](super::Sensitive).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    host: Host,
    port: u16,
    route: Route,
}

/// The host part of an address.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// An IPv4 address.
    Ip4(Ipv4Addr),
    /// An IPv6 address; in an [`Address`] never an IPv4-mapped one.
    Ip6(Ipv6Addr),
    /// A name that resolves to IPv4 addresses.
    Dns4(DnsName),
    /// A name that resolves to IPv6 addresses.
    Dns6(DnsName),
}

wire_message! {
    /// Who is reached at the endpoint.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Route {
        /// Whoever answers.
        Anyone = 0,
        /// This peer.
        Peer(peer: PeerId) = 1,
        /// A peer through a relay.
        Relayed {
            /// Who answers at the endpoint.
            relay: PeerId,
            /// Who is reached through it.
            target: PeerId,
        } = 2,
    }
}

impl Address {
    /// An address; an IPv4-mapped IPv6 host becomes the IPv4 host that it is.
    #[must_use]
    pub fn new(host: Host, port: u16, route: Route) -> Self {
        let host = match host {
            Host::Ip6(ip) => ip.to_ipv4_mapped().map_or(Host::Ip6(ip), Host::Ip4),
            other => other,
        };
        Self { host, port, route }
    }

    /// The same endpoint with a known peer; in a relayed address the peer behind the relay.
    #[must_use]
    pub fn with_peer_id(self, peer: PeerId) -> Self {
        let route = match self.route {
            Route::Anyone | Route::Peer(_) => Route::Peer(peer),
            Route::Relayed { relay, .. } => Route::Relayed {
                relay,
                target: peer,
            },
        };
        Self { route, ..self }
    }

    /// The address of `target` through the relay at this address; `None` if the relay's peer id is
    /// unknown or this is a relayed address itself (one relay is as far as a packet goes).
    #[must_use]
    pub fn through(self, target: PeerId) -> Option<Self> {
        match self.route {
            Route::Peer(relay) => Some(Self {
                route: Route::Relayed { relay, target },
                ..self
            }),
            Route::Anyone | Route::Relayed { .. } => None,
        }
    }

    /// The peer that is reached, if the address says who it is: behind a relay, not the relay.
    #[must_use]
    pub const fn peer_id(&self) -> Option<PeerId> {
        match self.route {
            Route::Anyone => None,
            Route::Peer(peer) | Route::Relayed { target: peer, .. } => Some(peer),
        }
    }

    /// The address of the relay, if this is a relayed address.
    #[must_use]
    pub fn relay(&self) -> Option<Self> {
        match self.route {
            Route::Relayed { relay, .. } => Some(Self {
                host: self.host.clone(),
                port: self.port,
                route: Route::Peer(relay),
            }),
            Route::Anyone | Route::Peer(_) => None,
        }
    }

    /// Where the packets go, unless a name has to be resolved first; behind a relay, the relay.
    #[must_use]
    pub const fn socket_addr(&self) -> Option<SocketAddr> {
        let ip = match self.host {
            Host::Ip4(ip) => IpAddr::V4(ip),
            Host::Ip6(ip) => IpAddr::V6(ip),
            Host::Dns4(_) | Host::Dns6(_) => return None,
        };
        Some(SocketAddr::new(ip, self.port))
    }

    /// The host; behind a relay, the relay's.
    #[must_use]
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// The UDP port. Zero only makes sense where one listens.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Who is reached, and how.
    #[must_use]
    pub const fn route(&self) -> Route {
        self.route
    }

    /// Whether the endpoint can be reached from anywhere on the Internet. A DNS name counts as
    /// routable: what it resolves to is judged when it is dialled.
    #[must_use]
    pub fn is_globally_routable(&self) -> bool {
        self.socket_addr()
            .is_none_or(|addr| policy::is_globally_routable(addr.ip()))
    }

    /// Whether a packet could be sent there at all: the port is not zero, the host neither
    /// unspecified nor multicast nor broadcast.
    #[must_use]
    pub fn is_dialable(&self) -> bool {
        self.port != 0
            && match self.host {
                Host::Ip4(ip) => !(ip.is_unspecified() || ip.is_multicast() || ip.is_broadcast()),
                Host::Ip6(ip) => !(ip.is_unspecified() || ip.is_multicast()),
                Host::Dns4(_) | Host::Dns6(_) => true,
            }
    }
}

impl From<SocketAddr> for Address {
    /// The endpoint with an unknown peer. Flow label and scope of an IPv6 socket are dropped.
    fn from(addr: SocketAddr) -> Self {
        let host = match addr.ip() {
            IpAddr::V4(ip) => Host::Ip4(ip),
            IpAddr::V6(ip) => Host::Ip6(ip),
        };
        Self::new(host, addr.port(), Route::Anyone)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({:?}, {:?})", self.host, self.route)
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ip4(_) => "Ip4([redacted])",
            Self::Ip6(_) => "Ip6([redacted])",
            Self::Dns4(_) => "Dns4([redacted])",
            Self::Dns6(_) => "Dns6([redacted])",
        })
    }
}
