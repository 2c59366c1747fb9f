//! The compact form of addresses in messages.

use super::{Address, DnsName, Host, Route};
use crate::wire::Violation;
use crate::wire::codec::{Converted, Text, wire_converted, wire_message};

wire_message! {
    /// Host, port and route, one after the other.
    pub(crate) struct BinaryAddress {
        host: BinaryHost,
        port: u16,
        route: Route,
    }
}

wire_message! {
    /// IP addresses in network byte order, names as text.
    enum BinaryHost {
        Ip4(octets: [u8; 4]) = 0,
        Ip6(octets: [u8; 16]) = 1,
        Dns4(name: DnsName) = 2,
        Dns6(name: DnsName) = 3,
    }
}

impl Converted for DnsName {
    type Wire = Text<{ Self::MAX_LEN }>;

    fn to_wire(&self) -> Self::Wire {
        // A name is shorter than the field and its alphabet is part of the field's.
        self.as_str().parse().unwrap_or_default()
    }

    fn from_wire(wire: Self::Wire) -> Result<Self, Violation> {
        wire.as_str().parse().map_err(|_| Violation::InvalidAddress)
    }
}

impl Converted for Address {
    type Wire = BinaryAddress;

    fn to_wire(&self) -> BinaryAddress {
        let host = match &self.host {
            Host::Ip4(ip) => BinaryHost::Ip4(ip.octets()),
            Host::Ip6(ip) => BinaryHost::Ip6(ip.octets()),
            Host::Dns4(name) => BinaryHost::Dns4(name.clone()),
            Host::Dns6(name) => BinaryHost::Dns6(name.clone()),
        };
        BinaryAddress {
            host,
            port: self.port,
            route: self.route,
        }
    }

    fn from_wire(wire: BinaryAddress) -> Result<Self, Violation> {
        let host = match wire.host {
            BinaryHost::Ip4(octets) => Host::Ip4(octets.into()),
            BinaryHost::Ip6(octets) => Host::Ip6(octets.into()),
            BinaryHost::Dns4(name) => Host::Dns4(name),
            BinaryHost::Dns6(name) => Host::Dns6(name),
        };
        if matches!(&host, Host::Ip6(ip) if ip.to_ipv4_mapped().is_some()) {
            // The same host has a shorter form.
            return Err(Violation::InvalidAddress);
        }
        Ok(Self {
            host,
            port: wire.port,
            route: wire.route,
        })
    }
}

wire_converted!(DnsName, Address);
