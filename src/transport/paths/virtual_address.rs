//! The addresses that quinn sees.
//!
//! They are always IPv6. Most are the peer's real address in IPv6 form, which takes no state; an
//! allocated one stands for a peer whose real address does not name its connection.

use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

/// `fd63:7265:746f::/48`, a unique local prefix (RFC 4193) that spells "creto".
const ALLOCATED_PREFIX: [u16; 3] = [0xfd63, 0x7265, 0x746f];

/// Any port but 0, which quinn refuses to dial.
const ALLOCATED_PORT: u16 = 1;

/// The virtual address that is the real one, in IPv6 form.
///
/// The flow label is dropped: it may differ from packet to packet. The scope stays, because a
/// link-local address means nothing without it.
pub(super) fn bare(real: SocketAddr) -> SocketAddrV6 {
    match real {
        SocketAddr::V4(v4) => SocketAddrV6::new(v4.ip().to_ipv6_mapped(), v4.port(), 0, 0),
        SocketAddr::V6(v6) => SocketAddrV6::new(*v6.ip(), v6.port(), 0, v6.scope_id()),
    }
}

/// The real address that a bare virtual address stands for, IPv4 as IPv4, without flow label.
pub(super) fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        IpAddr::V4(v4) => SocketAddr::new(v4.into(), address.port()),
        IpAddr::V6(_) => bare(address).into(),
    }
}

/// The `number`th allocated virtual address.
pub(super) fn allocated(number: u64) -> SocketAddrV6 {
    let [a, b, c, d] = [48, 32, 16, 0].map(|shift| (number >> shift) as u16);
    let [p, q, r] = ALLOCATED_PREFIX;
    SocketAddrV6::new(Ipv6Addr::new(p, q, r, 0, a, b, c, d), ALLOCATED_PORT, 0, 0)
}

/// Whether no real peer may have this address: it would be taken for an allocated one.
pub(super) fn is_reserved(address: SocketAddr) -> bool {
    let IpAddr::V6(v6) = address.ip() else {
        return false;
    };
    let [p, q, r, ..] = v6.segments();
    [p, q, r] == ALLOCATED_PREFIX
}

/// `address` as a socket of the given family sends to it; `None` if it cannot.
pub(super) fn for_family(address: SocketAddr, is_ipv6: bool) -> Option<SocketAddr> {
    if is_ipv6 {
        return Some(bare(address).into());
    }
    let canonical = canonical(address);
    canonical.is_ipv4().then_some(canonical)
}

/// `ip` as quinn is told and as it gives it back: always IPv6.
pub(super) fn as_ipv6(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().into(),
        IpAddr::V6(_) => ip,
    }
}
