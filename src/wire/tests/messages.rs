//! Three properties of every message: it survives, it fills its frame exactly, and no bytes panic.

use bytes::Bytes;
use proptest::prelude::*;

use super::{gossip_strategies, strategies};
use crate::wire::codec::{WireType, decode, encode};
use crate::wire::message::chunks::{Chunk, GetChunk};
use crate::wire::message::discovery::{
    Contact, FindNode, FindValue, GetProviders, HandOff, HandedOff, ImmutableRecord, MutableRecord,
    Nodes, ProviderRecord, Providers, Record, Store, Stored, Value,
};
use crate::wire::message::gossip::{
    Have, IDontWant, IHave, IWant, Key, Large, Message, Modes, Prune, Seal, Subscribe, Topics,
    Unsigned,
};
use crate::wire::message::identify::{self, Identify, Roles, SupportedProtocol};
use crate::wire::message::observed::{self, Observed};
use crate::wire::message::ping::{self, Ping};
use crate::wire::{Address, Violation};

fn survives<T: WireType + PartialEq + std::fmt::Debug>(message: &T) {
    let body = encode(message);
    assert_eq!(decode::<T>(&body).as_ref(), Ok(message));
    assert!(body.len() >= T::MIN_LEN);
    for end in 0..body.len() {
        assert!(decode::<T>(&body.slice(..end)).is_err(), "cut at {end}");
    }
    let longer = Bytes::from([&body[..], &[0]].concat());
    assert_eq!(decode::<T>(&longer), Err(Violation::TrailingBytes));
}

/// What decodes must be the only encoding of its value.
fn canonical_or_refused<T: WireType>(bytes: Vec<u8>) {
    let body = Bytes::from(bytes);
    if let Ok(message) = decode::<T>(&body) {
        assert_eq!(encode(&message), body);
    }
}

fn perturbed(body: &Bytes, changes: &[(usize, u8)]) -> Vec<u8> {
    let mut bytes = body.to_vec();
    for &(position, value) in changes {
        let position = position % bytes.len();
        bytes[position] ^= value;
    }
    bytes
}

proptest! {
    #[test]
    fn identify_survives(message in strategies::identify()) {
        survives(&message);
    }

    #[test]
    fn ping_survives(nonce: u64) {
        survives(&Ping { nonce });
    }

    #[test]
    fn observed_survives(sequence: u64, address in strategies::address()) {
        survives(&Observed { sequence, address });
    }

    #[test]
    fn perturbed_bytes_never_panic(
        message in strategies::identify(),
        address in strategies::address(),
        changes in prop::collection::vec((any::<usize>(), any::<u8>()), 0..6),
    ) {
        canonical_or_refused::<Identify>(perturbed(&encode(&message), &changes));
        canonical_or_refused::<Address>(perturbed(&encode(&address), &changes));
        let observed = encode(&Observed { sequence: 1, address });
        canonical_or_refused::<Observed>(perturbed(&observed, &changes));
        canonical_or_refused::<Ping>(perturbed(&encode(&Ping { nonce: u64::MAX }), &changes));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        canonical_or_refused::<Identify>(bytes.clone());
        canonical_or_refused::<Address>(bytes.clone());
        canonical_or_refused::<Observed>(bytes.clone());
        canonical_or_refused::<Ping>(bytes);
    }
}

macro_rules! properties {
    ($strategies:ident: $($name:ident: $message:ident, $type:ty;)+) => {
        proptest! {
            $(
                #[test]
                fn $name(
                    message in $strategies::$message(),
                    changes in prop::collection::vec((any::<usize>(), any::<u8>()), 0..6),
                    bytes in prop::collection::vec(any::<u8>(), 0..200),
                ) {
                    survives::<$type>(&message);
                    canonical_or_refused::<$type>(perturbed(&encode(&message), &changes));
                    canonical_or_refused::<$type>(bytes);
                }
            )+
        }
    };
}

properties! {
    strategies:
    find_node_survives: find_node, FindNode;
    find_value_survives: find_value, FindValue;
    get_providers_survives: get_providers, GetProviders;
    store_survives: store, Store;
    hand_off_survives: hand_off, HandOff;
    nodes_survives: nodes, Nodes;
    value_survives: value, Value;
    providers_survives: providers, Providers;
    stored_survives: stored, Stored;
    handed_off_survives: handed_off, HandedOff;
    contact_survives: contact, Contact;
    record_survives: record, Record;
    immutable_record_survives: immutable_record, ImmutableRecord;
    provider_record_survives: provider_record, ProviderRecord;
}

properties! {
    gossip_strategies:
    subscribe_survives: subscribe, Subscribe;
    topics_survive: topics, Topics;
    prune_survives: prune, Prune;
    ihave_survives: ihave, IHave;
    iwant_survives: iwant, IWant;
    idontwant_survives: idontwant, IDontWant;
    modes_survive: modes, Modes;
    sealed_message_survives: message, Message;
    unsigned_message_survives: unsigned, Unsigned;
    header_of_a_long_message_survives: large, Large;
    news_of_chunks_survive: have, Have;
    question_for_a_chunk_survives: get_chunk, GetChunk;
    chunk_survives: chunk, Chunk;
}

proptest! {
    // Each case decodes thousands of times as many bytes.
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn mutable_record_survives(message in strategies::mutable_record()) {
        survives::<MutableRecord>(&message);
    }

    #[test]
    fn key_survives(message in gossip_strategies::key()) {
        survives::<Key>(&message);
    }

    #[test]
    fn seal_survives(message in gossip_strategies::seal()) {
        survives::<Seal>(&message);
    }
}

proptest! {
    #[test]
    fn perturbed_long_messages_never_panic(
        record in strategies::mutable_record(),
        key in gossip_strategies::key(),
        seal in gossip_strategies::seal(),
        changes in prop::collection::vec((any::<usize>(), any::<u8>()), 0..6),
    ) {
        canonical_or_refused::<MutableRecord>(perturbed(&encode(&record), &changes));
        canonical_or_refused::<Key>(perturbed(&encode(&key), &changes));
        canonical_or_refused::<Seal>(perturbed(&encode(&seal), &changes));
    }

    #[test]
    fn arbitrary_bytes_are_no_key_and_no_seal(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(decode::<Key>(&bytes.clone().into()), Err(Violation::Truncated));
        prop_assert!(decode::<Seal>(&bytes.into()).is_err());
    }
}

/// The longest address: a name of 253 characters behind a relay.
fn longest_address() -> Address {
    let label = "a".repeat(63);
    let name = [&label[..], &label, &label, &label[..61]].join(".");
    assert_eq!(name.len(), 253);
    let peer = "a".repeat(52);
    let text = format!("/dns4/{name}/udp/65535/quic-v1/p2p/{peer}/p2p-circuit/p2p/{peer}");
    text.parse().unwrap()
}

#[test]
fn the_largest_identify_fits_its_frame() {
    let protocol = SupportedProtocol {
        number: u32::MAX,
        min_version: u16::MAX,
        max_version: u16::MAX,
    };
    let message = Identify {
        agent: "x".repeat(identify::MAX_AGENT).parse().unwrap(),
        listen_addresses: vec![longest_address(); identify::MAX_ADDRESSES]
            .try_into()
            .unwrap(),
        protocols: vec![protocol; identify::MAX_PROTOCOLS].try_into().unwrap(),
        roles: Roles { bits: u32::MAX },
        observed_address: Some(longest_address()),
    };
    let length = encode(&message).len();
    assert_eq!(length, 3702);
    assert!(length <= identify::MAX_BODY as usize);
}

#[test]
fn the_largest_ping_and_observation_fill_their_frames() {
    assert_eq!(
        encode(&Ping { nonce: u64::MAX }).len(),
        ping::MAX_BODY as usize
    );
    let peer = "a".repeat(52);
    let text = format!("/ip6/2001:db8::1/udp/65535/quic-v1/p2p/{peer}");
    let largest = Observed {
        sequence: u64::MAX,
        address: text.parse().unwrap(),
    };
    assert_eq!(encode(&largest).len(), observed::MAX_BODY as usize);
}

#[test]
fn roles_are_a_set_and_unknown_ones_are_kept() {
    let both = Roles::SERVER.with(Roles::RELAY);
    assert!(both.contains(Roles::SERVER) && both.contains(Roles::RELAY));
    assert!(!Roles::SERVER.contains(both));
    let future = Roles { bits: 1 << 31 };
    assert_eq!(decode(&encode(&future)), Ok(future));
}

#[test]
fn a_version_range_includes_both_ends() {
    let range = SupportedProtocol {
        number: 1,
        min_version: 2,
        max_version: 4,
    };
    let spoken = (1..=5).filter(|&version| range.speaks(version));
    assert_eq!(spoken.collect::<Vec<_>>(), [2, 3, 4]);
}
