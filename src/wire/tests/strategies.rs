//! What property tests draw from.

use proptest::prelude::*;

use crate::identity::PeerId;
use crate::wire::Address;
use crate::wire::address::{DnsName, Host, Route};
use crate::wire::message::identify::{Identify, Roles, SupportedProtocol};

pub(super) fn peer_id() -> impl Strategy<Value = PeerId> {
    any::<[u8; 32]>().prop_map(PeerId::from_bytes)
}

pub(super) fn dns_name() -> impl Strategy<Value = DnsName> {
    "([a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?\\.){0,4}[a-z]{2,10}".prop_map(|text| text.parse().unwrap())
}

fn host() -> impl Strategy<Value = Host> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(|octets| Host::Ip4(octets.into())),
        any::<[u8; 16]>().prop_map(|octets| Host::Ip6(octets.into())),
        dns_name().prop_map(Host::Dns4),
        dns_name().prop_map(Host::Dns6),
    ]
}

fn route() -> impl Strategy<Value = Route> {
    prop_oneof![
        Just(Route::Anyone),
        peer_id().prop_map(Route::Peer),
        (peer_id(), peer_id()).prop_map(|(relay, target)| Route::Relayed { relay, target }),
    ]
}

pub(super) fn address() -> impl Strategy<Value = Address> {
    (host(), any::<u16>(), route()).prop_map(|(host, port, route)| Address::new(host, port, route))
}

fn supported() -> impl Strategy<Value = SupportedProtocol> {
    any::<(u32, u16, u16)>().prop_map(|(number, min_version, max_version)| SupportedProtocol {
        number,
        min_version,
        max_version,
    })
}

pub(super) fn identify() -> impl Strategy<Value = Identify> {
    (
        "[ -~]{0,64}",
        prop::collection::vec(address(), 0..=8),
        prop::collection::vec(supported(), 0..=64),
        any::<u32>(),
        prop::option::of(address()),
    )
        .prop_map(
            |(agent, addresses, protocols, bits, observed_address)| Identify {
                agent: agent.parse().unwrap(),
                listen_addresses: addresses.try_into().unwrap(),
                protocols: protocols.try_into().unwrap(),
                roles: Roles { bits },
                observed_address,
            },
        )
}
