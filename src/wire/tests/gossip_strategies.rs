//! What property tests of gossip draw from.

use proptest::prelude::*;

use super::strategies::{bytes, contact, list, payload, peer_id};
use crate::crypto::{SIGNATURE_BYTES, VERIFYING_KEY_BYTES};
use crate::wire::message::chunks::{Chunk, GetChunk};
use crate::wire::message::gossip::{
    ChunkRange, Have, IDontWant, IHave, IWant, Key, Large, Message, Mode, ModeChange, Modes, Prune,
    Seal, Subscribe, Topics, Unsigned,
};

/// Ordinals of every width, small ones most of all.
fn ordinal() -> impl Strategy<Value = u64> {
    prop_oneof![0..300_u64, any::<u64>()]
}

fn hash() -> impl Strategy<Value = [u8; 32]> {
    any::<[u8; 32]>()
}

pub(super) fn subscribe() -> impl Strategy<Value = Subscribe> {
    list(hash(), 6).prop_map(|topics| Subscribe { topics })
}

pub(super) fn topics() -> impl Strategy<Value = Topics> {
    list(ordinal(), 128).prop_map(|topics| Topics { topics })
}

pub(super) fn prune() -> impl Strategy<Value = Prune> {
    (ordinal(), any::<u32>(), list(contact(), 3)).prop_map(|(topic, backoff_s, peers)| Prune {
        topic,
        backoff_s,
        peers,
    })
}

pub(super) fn ihave() -> impl Strategy<Value = IHave> {
    (ordinal(), list(hash(), 6)).prop_map(|(topic, ids)| IHave { topic, ids })
}

pub(super) fn iwant() -> impl Strategy<Value = IWant> {
    list(hash(), 6).prop_map(|ids| IWant { ids })
}

pub(super) fn idontwant() -> impl Strategy<Value = IDontWant> {
    list(hash(), 6).prop_map(|ids| IDontWant { ids })
}

fn change() -> impl Strategy<Value = ModeChange> {
    let mode = prop_oneof![Just(Mode::Silent), Just(Mode::Lazy), Just(Mode::Eager)];
    (peer_id(), mode).prop_map(|(publisher, mode)| ModeChange { publisher, mode })
}

pub(super) fn modes() -> impl Strategy<Value = Modes> {
    (ordinal(), list(change(), 6)).prop_map(|(topic, changes)| Modes { topic, changes })
}

pub(super) fn key() -> impl Strategy<Value = Key> {
    (any::<u8>(), bytes::<VERIFYING_KEY_BYTES>()).prop_map(|(suite, key)| Key { suite, key })
}

pub(super) fn seal() -> impl Strategy<Value = Seal> {
    let numbers = (ordinal(), hash(), any::<u64>(), any::<u64>());
    (numbers, list(hash(), 6), bytes::<SIGNATURE_BYTES>()).prop_map(
        |((key, topic, epoch, first), leaves, signature)| Seal {
            key,
            topic,
            epoch,
            first,
            leaves,
            signature,
        },
    )
}

pub(super) fn message() -> impl Strategy<Value = Message> {
    (ordinal(), any::<u16>(), any::<u64>(), payload(300)).prop_map(
        |(seal, index, timestamp_ms, data)| Message {
            seal,
            index,
            timestamp_ms,
            data,
        },
    )
}

pub(super) fn unsigned() -> impl Strategy<Value = Unsigned> {
    (ordinal(), payload(300)).prop_map(|(topic, data)| Unsigned { topic, data })
}

pub(super) fn large() -> impl Strategy<Value = Large> {
    let numbers = (ordinal(), any::<u16>(), any::<u64>(), any::<u32>());
    (numbers, list(hash(), 6)).prop_map(|((seal, index, timestamp_ms, length), chunks)| Large {
        seal,
        index,
        timestamp_ms,
        length,
        chunks,
    })
}

fn range() -> impl Strategy<Value = ChunkRange> {
    (any::<u16>(), any::<u16>()).prop_map(|(first, count)| ChunkRange { first, count })
}

pub(super) fn have() -> impl Strategy<Value = Have> {
    (hash(), list(range(), 6), list(range(), 6)).prop_map(|(message, has, offers)| Have {
        message,
        has,
        offers,
    })
}

pub(super) fn get_chunk() -> impl Strategy<Value = GetChunk> {
    (hash(), any::<u16>()).prop_map(|(message, index)| GetChunk { message, index })
}

pub(super) fn chunk() -> impl Strategy<Value = Chunk> {
    payload(300).prop_map(|data| Chunk { data })
}
