//! The largest message of each frame of gossip fills it to the last byte, and one element more is
//! refused.

use bytes::{BufMut, Bytes, BytesMut};

use super::discovery_limits::{fills, longest_contact, over};
use crate::crypto::{CHUNK_BYTES, MAX_SEAL_LEAVES, SIGNATURE_BYTES, VERIFYING_KEY_BYTES};
use crate::identity::PeerId;
use crate::wire::Violation;
use crate::wire::codec::{List, WireType, decode, encode};
use crate::wire::frame::FrameDecoder;
use crate::wire::message::chunks::{
    ACCEPTOR_READS, CHUNK, Chunk, DIALLER_READS, GET_CHUNK, GetChunk,
};
use crate::wire::message::gossip::{
    ChunkRange, GRAFT, HAVE, Have, IDONTWANT, IDontWant, IHAVE, IHave, IWANT, IWant, KEY, Key,
    LARGE, Large, MAX_CHANGES, MAX_CHUNKS, MAX_DATA, MAX_EXCHANGED, MAX_IDS, MAX_RANGES,
    MAX_TOPICS, MAX_UNWANTED, MESSAGE, MODES, Message, Mode, ModeChange, Modes, PRUNE, Prune,
    RECEIVER_READS, SEAL, SUBSCRIBE, Seal, Subscribe, Topics, UNSIGNED, UNSUBSCRIBE, Unsigned,
    WAKE,
};
use crate::wire::varint::Varint;

const HASH: [u8; 32] = [0xff; 32];

fn full<T: WireType + Clone, const MAX: usize>(element: T) -> List<T, MAX> {
    vec![element; MAX].try_into().unwrap()
}

fn longest_data() -> Bytes {
    Bytes::from_static(&[0; MAX_DATA])
}

#[test]
fn the_largest_messages_about_topics_fill_their_frames() {
    let subscribe = Subscribe { topics: full(HASH) };
    fills(RECEIVER_READS, SUBSCRIBE, &subscribe);
    let topics = Topics {
        topics: full(u64::MAX),
    };
    for kind in [UNSUBSCRIBE, GRAFT, WAKE] {
        fills(RECEIVER_READS, kind, &topics);
    }
    let prune = Prune {
        topic: u64::MAX,
        backoff_s: u32::MAX,
        peers: full(longest_contact()),
    };
    fills(RECEIVER_READS, PRUNE, &prune);
}

#[test]
fn the_largest_messages_about_messages_fill_their_frames() {
    let ihave = IHave {
        topic: u64::MAX,
        ids: full(HASH),
    };
    fills(RECEIVER_READS, IHAVE, &ihave);
    fills(RECEIVER_READS, IWANT, &IWant { ids: full(HASH) });
    let idontwant = IDontWant { ids: full(HASH) };
    fills(RECEIVER_READS, IDONTWANT, &idontwant);
    let change = ModeChange {
        publisher: PeerId::from_bytes(HASH),
        mode: Mode::Eager,
    };
    let modes = Modes {
        topic: u64::MAX,
        changes: full(change),
    };
    fills(RECEIVER_READS, MODES, &modes);
}

#[test]
fn the_largest_carriers_of_messages_fill_their_frames() {
    let key = Key {
        suite: u8::MAX,
        key: [0xff; VERIFYING_KEY_BYTES],
    };
    fills(RECEIVER_READS, KEY, &key);
    let seal = Seal {
        key: u64::MAX,
        topic: HASH,
        epoch: u64::MAX,
        first: u64::MAX,
        leaves: full(HASH),
        signature: [0xff; SIGNATURE_BYTES],
    };
    fills(RECEIVER_READS, SEAL, &seal);
    let message = Message {
        seal: u64::MAX,
        index: u16::MAX,
        timestamp_ms: u64::MAX,
        data: longest_data().try_into().unwrap(),
    };
    fills(RECEIVER_READS, MESSAGE, &message);
    let unsigned = Unsigned {
        topic: u64::MAX,
        data: longest_data().try_into().unwrap(),
    };
    fills(RECEIVER_READS, UNSIGNED, &unsigned);
}

#[test]
fn the_largest_messages_about_long_messages_fill_their_frames() {
    let large = Large {
        seal: u64::MAX,
        index: u16::MAX,
        timestamp_ms: u64::MAX,
        length: u32::MAX,
        chunks: full(HASH),
    };
    fills(RECEIVER_READS, LARGE, &large);
    let range = ChunkRange {
        first: u16::MAX,
        count: u16::MAX,
    };
    let have = Have {
        message: HASH,
        has: full(range),
        offers: full(range),
    };
    fills(RECEIVER_READS, HAVE, &have);
}

#[test]
fn the_largest_question_for_a_chunk_and_the_longest_chunk_fill_their_frames() {
    let question = GetChunk {
        message: HASH,
        index: u16::MAX,
    };
    fills(ACCEPTOR_READS, GET_CHUNK, &question);
    let data = Bytes::from_static(&[0; CHUNK_BYTES]).try_into().unwrap();
    fills(DIALLER_READS, CHUNK, &Chunk { data });
}

#[test]
fn every_frame_is_legal_and_nothing_else_is_defined() {
    let legal: Vec<u8> = RECEIVER_READS.legal.iter().map(|rule| rule.kind).collect();
    assert_eq!(legal, RECEIVER_READS.defined);
    let numbers: Vec<u8> = (0x01..=0x09).chain(0x10..=0x15).collect();
    assert_eq!(legal, numbers);
}

/// What is made of `head`, then `count` elements of `size` zeros behind their number, then `tail`
/// zeros.
fn zeros<T: WireType>(
    head: &[u8],
    count: usize,
    size: usize,
    tail: usize,
) -> Result<(), Violation> {
    let mut body = BytesMut::from(head);
    body.put(encode(&(count as u64)));
    body.put_bytes(0, count * size + tail);
    decode::<T>(&body.freeze()).map(drop)
}

/// The limit and one below are taken, one above is not.
fn ends_at<T: WireType>(head: &[u8], limit: usize, size: usize, tail: usize) {
    assert_eq!(zeros::<T>(head, limit - 1, size, tail), Ok(()));
    assert_eq!(zeros::<T>(head, limit, size, tail), Ok(()));
    let refused = over(limit as u64 + 1, u32::try_from(limit).unwrap());
    assert_eq!(zeros::<T>(head, limit + 1, size, tail).err(), refused);
}

#[test]
fn one_element_more_is_refused() {
    ends_at::<Subscribe>(&[], MAX_TOPICS, 32, 0);
    ends_at::<Topics>(&[], MAX_TOPICS, 1, 0);
    ends_at::<Prune>(&[0, 0], MAX_EXCHANGED, 33, 0);
    ends_at::<IHave>(&[0], MAX_IDS, 32, 0);
    ends_at::<IWant>(&[], MAX_IDS, 32, 0);
    ends_at::<IDontWant>(&[], MAX_UNWANTED, 32, 0);
    ends_at::<Modes>(&[0], MAX_CHANGES, 33, 0);
    let before_leaves = [0; 1 + 32 + 1 + 1];
    ends_at::<Seal>(&before_leaves, MAX_SEAL_LEAVES, 32, SIGNATURE_BYTES);
    ends_at::<Large>(&[0; 4], MAX_CHUNKS, 32, 0);
    ends_at::<Have>(&HASH, MAX_RANGES, 2, 1);
    ends_at::<Have>(&[0; 33], MAX_RANGES, 2, 0);
}

#[test]
fn one_byte_more_of_data_is_refused() {
    ends_at::<Message>(&[0, 0, 0], MAX_DATA, 1, 0);
    ends_at::<Unsigned>(&[0], MAX_DATA, 1, 0);
    ends_at::<Chunk>(&[], CHUNK_BYTES, 1, 0);
}

#[test]
fn attack_16_a_list_bomb_in_any_message_allocates_nothing() {
    let bomb =
        |head: &[u8], length: u64| Bytes::from([head, &[253], &length.to_le_bytes()[..]].concat());
    for length in [1 << 29, u64::MAX] {
        let refused = |limit: usize| over(length, u32::try_from(limit).unwrap());
        let verdicts = [
            (decode::<Subscribe>(&bomb(&[], length)).err(), MAX_TOPICS),
            (decode::<Topics>(&bomb(&[], length)).err(), MAX_TOPICS),
            (decode::<Prune>(&bomb(&[0, 0], length)).err(), MAX_EXCHANGED),
            (decode::<IHave>(&bomb(&[0], length)).err(), MAX_IDS),
            (decode::<IWant>(&bomb(&[], length)).err(), MAX_IDS),
            (decode::<IDontWant>(&bomb(&[], length)).err(), MAX_UNWANTED),
            (decode::<Modes>(&bomb(&[0], length)).err(), MAX_CHANGES),
            (
                decode::<Seal>(&bomb(&[0; 35], length)).err(),
                MAX_SEAL_LEAVES,
            ),
            (decode::<Message>(&bomb(&[0; 3], length)).err(), MAX_DATA),
            (decode::<Unsigned>(&bomb(&[0], length)).err(), MAX_DATA),
            (decode::<Large>(&bomb(&[0; 4], length)).err(), MAX_CHUNKS),
            (decode::<Have>(&bomb(&HASH, length)).err(), MAX_RANGES),
            (decode::<Have>(&bomb(&[0; 33], length)).err(), MAX_RANGES),
            (decode::<Chunk>(&bomb(&[], length)).err(), CHUNK_BYTES),
        ];
        for (verdict, limit) in verdicts {
            assert_eq!(verdict, refused(limit), "limit {limit}");
        }
    }
}

/// The length is refused as soon as the type is read: no byte of a body has come, and none is held.
#[test]
fn attack_16_a_length_beyond_the_limit_of_its_frame_allocates_nothing() {
    for rule in RECEIVER_READS.legal {
        for length in [u64::from(rule.max_body) + 1, (1 << 62) - 2] {
            let (mut head, mut decoder) = (BytesMut::new(), FrameDecoder::new());
            Varint::try_from(length + 1).unwrap().encode(&mut head);
            head.put_u8(rule.kind);
            let refused = decoder.decode(&mut head.freeze(), RECEIVER_READS);
            let over = Violation::OversizeFrame {
                kind: rule.kind,
                length,
                limit: rule.max_body,
            };
            assert_eq!(refused, Err(over));
            assert_eq!(decoder.buffered(), 0);
        }
    }
}
