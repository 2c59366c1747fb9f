//! Which addresses count as one holder when connections, seats and replies are limited.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The network that an address belongs to: what one holder gets cheaply as a whole.
///
/// A /24 is the smallest IPv4 network that is routed on its own; a /48 is what one site is given in
/// IPv6 (RFC 6177). Addresses that carry an IPv4 address inside (IPv4-mapped, NAT64 of RFC 6052,
/// 6to4 of RFC 3056) belong to the group of that address, or one IPv4 host would own many groups.
///
/// `Debug` does not print the network: it is most of an address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IpGroup {
    /// A globally routable IPv4 network, by its first 24 bits.
    V4([u8; 3]),
    /// A globally routable IPv6 network, by its first 48 bits.
    V6([u8; 6]),
    /// Not globally routable (loopback, private, link-local, shared, documentation …): no group,
    /// to which no limit applies.
    Local,
}

impl IpGroup {
    /// The group of an address.
    #[must_use]
    pub fn of(ip: IpAddr) -> Self {
        match unwrap_v4(ip) {
            IpAddr::V4(v4) if is_global_v4(v4) => {
                let [a, b, c, _] = v4.octets();
                Self::V4([a, b, c])
            }
            IpAddr::V6(v6) if is_global_v6(v6) => {
                let [a, b, c, d, e, f, ..] = v6.octets();
                Self::V6([a, b, c, d, e, f])
            }
            IpAddr::V4(_) | IpAddr::V6(_) => Self::Local,
        }
    }

    /// Whether this is no group at all.
    #[must_use]
    pub const fn is_local(self) -> bool {
        matches!(self, Self::Local)
    }
}

impl fmt::Debug for IpGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4(_) => "V4([redacted])",
            Self::V6(_) => "V6([redacted])",
            Self::Local => "Local",
        })
    }
}

/// Whether an address can be reached from anywhere on the Internet.
///
/// After the IANA special-purpose address registries (RFC 6890 and its updates); multicast is not
/// routable in this sense. An IPv6 address with an IPv4 address inside is judged by the latter.
#[must_use]
pub fn is_globally_routable(ip: IpAddr) -> bool {
    !IpGroup::of(ip).is_local()
}

/// The IPv4 address inside an IPv6 address, if there is one.
fn unwrap_v4(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else {
        return ip;
    };
    let octets = v6.octets();
    match (v6.segments(), octets) {
        ([0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..], [.., a, b, c, d])
        | ([0x2002, ..], [_, _, a, b, c, d, ..]) => Ipv4Addr::new(a, b, c, d).into(),
        _ => ip,
    }
}

const fn is_global_v4(ip: Ipv4Addr) -> bool {
    !matches!(
        ip.octets(),
        [0 | 10 | 127 | 224..=255, ..]      // this network, private, loopback, multicast, reserved
            | [100, 64..=127, ..]           // shared by carrier-grade NAT
            | [169, 254, ..]                // link-local
            | [172, 16..=31, ..]            // private
            | [192, 168, ..]                // private
            | [192, 0, 0 | 2, _]            // protocol assignments, documentation
            | [192, 88, 99, _]              // 6to4 relay anycast, withdrawn
            | [198, 18 | 19, ..]            // benchmarks
            | [198, 51, 100, _]             // documentation
            | [203, 0, 113, _] // documentation
    )
}

const fn is_global_v6(ip: Ipv6Addr) -> bool {
    match ip.segments() {
        [0x2001, 0x0db8, ..]                // documentation
        | [0x2001, 0x0002, 0, ..]           // benchmarks
        | [0x2001, 0x0010..=0x002f, ..]     // ORCHID: hashes, never routed
        | [0x3fff, 0x0000..=0x0fff, ..] => false, // documentation
        // The only block that is assigned for global unicast so far.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}
