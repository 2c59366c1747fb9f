//! What property tests draw from.

use bytes::Bytes;
use proptest::prelude::*;

use crate::crypto::{SIGNATURE_BYTES, VERIFYING_KEY_BYTES};
use crate::identity::PeerId;
use crate::wire::Address;
use crate::wire::address::{DnsName, Host, Route};
use crate::wire::codec::{List, Payload, WireType};
use crate::wire::message::discovery::{
    Contact, FindNode, FindValue, GetProviders, HandOff, HandedOff, ImmutableRecord, MutableRecord,
    Nodes, ProviderRecord, Providers, Record, Store, StoreOutcome, Stored, Value,
};
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

pub(super) fn payload<const MAX: usize>(length: usize) -> impl Strategy<Value = Payload<MAX>> {
    prop::collection::vec(any::<u8>(), 0..=length.min(MAX))
        .prop_map(|bytes| Bytes::from(bytes).try_into().unwrap())
}

pub(super) fn list<T: WireType + std::fmt::Debug, const MAX: usize>(
    element: impl Strategy<Value = T>,
    length: usize,
) -> impl Strategy<Value = List<T, MAX>> {
    prop::collection::vec(element, 0..=length).prop_map(|elements| elements.try_into().unwrap())
}

pub(super) fn bytes<const N: usize>() -> impl Strategy<Value = [u8; N]> {
    prop::collection::vec(any::<u8>(), N).prop_map(|bytes| bytes.try_into().unwrap())
}

pub(super) fn find_node() -> impl Strategy<Value = FindNode> {
    any::<([u8; 32], u8)>().prop_map(|(target, want)| FindNode { target, want })
}

pub(super) fn find_value() -> impl Strategy<Value = FindValue> {
    any::<([u8; 32], u16, [u8; 32])>().prop_map(|(target, kind, key)| FindValue {
        target,
        kind,
        key,
    })
}

pub(super) fn get_providers() -> impl Strategy<Value = GetProviders> {
    any::<([u8; 32], [u8; 32])>().prop_map(|(target, key)| GetProviders { target, key })
}

pub(super) fn hand_off() -> impl Strategy<Value = HandOff> {
    any::<Option<[u8; 32]>>().prop_map(|after| HandOff { after })
}

pub(super) fn contact() -> impl Strategy<Value = Contact> {
    (peer_id(), list(address(), 4)).prop_map(|(peer, addresses)| Contact {
        peer,
        addresses: addresses.into(),
    })
}

pub(super) fn record() -> impl Strategy<Value = Record> {
    (any::<u16>(), payload(60)).prop_map(|(kind, body)| Record { kind, body })
}

pub(super) fn store() -> impl Strategy<Value = Store> {
    list(record(), 6).prop_map(|records| Store { records })
}

pub(super) fn nodes() -> impl Strategy<Value = Nodes> {
    list(contact(), 3).prop_map(|contacts| Nodes { contacts })
}

pub(super) fn value() -> impl Strategy<Value = Value> {
    (record(), list(contact(), 2)).prop_map(|(record, contacts)| Value { record, contacts })
}

pub(super) fn providers() -> impl Strategy<Value = Providers> {
    (list(contact(), 2), list(contact(), 2)).prop_map(|(providers, contacts)| Providers {
        providers,
        contacts,
    })
}

fn outcome() -> impl Strategy<Value = StoreOutcome> {
    prop_oneof![
        Just(StoreOutcome::Stored),
        Just(StoreOutcome::Superseded),
        Just(StoreOutcome::Unsupported),
        Just(StoreOutcome::Full),
        Just(StoreOutcome::Invalid),
    ]
}

pub(super) fn stored() -> impl Strategy<Value = Stored> {
    list(outcome(), 64).prop_map(|outcomes| Stored { outcomes })
}

pub(super) fn handed_off() -> impl Strategy<Value = HandedOff> {
    (list(record(), 6), any::<Option<[u8; 32]>>())
        .prop_map(|(records, next)| HandedOff { records, next })
}

pub(super) fn immutable_record() -> impl Strategy<Value = ImmutableRecord> {
    payload(200).prop_map(|value| ImmutableRecord { value })
}

pub(super) fn mutable_record() -> impl Strategy<Value = MutableRecord> {
    (
        any::<(u8, u64, u64, u64)>(),
        bytes::<VERIFYING_KEY_BYTES>(),
        payload(64),
        payload(200),
        bytes::<SIGNATURE_BYTES>(),
    )
        .prop_map(
            |((suite, sequence, created, expires), public_key, salt, value, signature)| {
                MutableRecord {
                    suite,
                    public_key,
                    salt,
                    sequence,
                    created,
                    expires,
                    value,
                    signature,
                }
            },
        )
}

pub(super) fn provider_record() -> impl Strategy<Value = ProviderRecord> {
    any::<([u8; 32], u32)>().prop_map(|(key, lifetime)| ProviderRecord { key, lifetime })
}
