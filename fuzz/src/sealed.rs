//! Messages with seals around them, as an honest publisher makes them but for the signature.

use std::sync::OnceLock;

use bytes::Bytes;
use cretoai_network::crypto::{
    CHUNK_BYTES, ContentDigest, LeafInput, SIGNATURE_BYTES, Suite, VERIFYING_KEY_BYTES,
    VerifyingKey,
};
use cretoai_network::gossip::TopicHash;
use cretoai_network::gossip::large::Outline;
use cretoai_network::wire::message::gossip::{
    Key, Large, MAX_CHUNKS, MAX_DATA, MAX_LARGE, Message, MessageId, Seal,
};

/// The network of all fuzzed machines.
pub const NETWORK: [u8; 32] = [7; 32];

/// The topic to which they subscribe.
pub fn topic() -> TopicHash {
    TopicHash::from_bytes([9; 32])
}

/// A long message, and what there is of it: one of two chunks, one of one, and the longest, of which
/// nobody has any.
#[derive(Clone)]
pub struct Content {
    pub outline: Outline,
    pub data: Option<Bytes>,
}

/// One of a few contents, hashed once.
pub fn content(number: usize) -> &'static Content {
    static CONTENTS: OnceLock<Vec<Content>> = OnceLock::new();
    let contents = CONTENTS.get_or_init(|| {
        let lengths = [MAX_DATA + 1, CHUNK_BYTES, CHUNK_BYTES + 1, 4 * CHUNK_BYTES];
        let mut contents: Vec<_> = lengths.into_iter().map(there).collect();
        let longest = Outline::new(MAX_LARGE as u32, vec![[1; 32]; MAX_CHUNKS]).unwrap();
        contents.push(Content {
            outline: longest,
            data: None,
        });
        contents
    });
    &contents[number % contents.len()]
}

fn there(length: usize) -> Content {
    let data: Bytes = (0..length).map(|at| (at / 7 % 251) as u8).collect();
    Content {
        outline: Outline::of(&data).unwrap(),
        data: Some(data),
    }
}

/// The chunk at `index`, if its bytes are there.
pub fn chunk(content: &Content, index: u16) -> Option<Bytes> {
    let data = content.data.as_ref()?;
    let start = usize::from(index) * CHUNK_BYTES;
    (start < data.len()).then(|| data.slice(start..data.len().min(start + CHUNK_BYTES)))
}

fn key(publisher: u8) -> [u8; VERIFYING_KEY_BYTES] {
    [publisher; VERIFYING_KEY_BYTES]
}

/// The frame with the key of a publisher.
pub fn key_of(publisher: u8) -> Key {
    Key {
        suite: Suite::MlDsa87.byte(),
        key: key(publisher),
    }
}

/// Under which ordinals a link names the next key and the next seal.
pub type Ordinals = (u64, u64);

/// A seal that lists one message, and the message's header, under the given ordinals.
pub fn sealed(
    publisher: u8,
    counter: u64,
    timestamp_ms: u64,
    content: &Content,
    named: Ordinals,
) -> (MessageId, Seal, Large) {
    let id = leaf(publisher, counter, timestamp_ms, content.outline.content());
    let large = Large {
        seal: named.1,
        index: 0,
        timestamp_ms,
        length: content.outline.length(),
        chunks: content.outline.chunks().to_vec().try_into().unwrap(),
    };
    (id, seal(counter, vec![id], named), large)
}

/// A seal that lists short messages, and the messages, under the given ordinals.
pub fn sealed_short(
    publisher: u8,
    first: u64,
    timestamp_ms: u64,
    texts: &[Bytes],
    named: Ordinals,
) -> (Seal, Vec<(MessageId, Message)>) {
    let messages = (0..).zip(texts).map(|(index, text)| {
        let counter = first + u64::from(index);
        let message = Message {
            seal: named.1,
            index,
            timestamp_ms,
            data: text.clone().try_into().unwrap(),
        };
        let content = ContentDigest::of(text);
        (leaf(publisher, counter, timestamp_ms, content), message)
    });
    let messages: Vec<_> = messages.collect();
    let leaves = messages.iter().map(|(id, _)| *id).collect();
    (seal(first, leaves, named), messages)
}

/// The epoch of all publishers.
const EPOCH: u64 = 1;

fn leaf(publisher: u8, counter: u64, timestamp_ms: u64, content: ContentDigest) -> MessageId {
    let topic = topic();
    let input = LeafInput {
        network: &NETWORK,
        topic: topic.as_bytes(),
        publisher: VerifyingKey::ml_dsa_87(&key(publisher)).hash(),
        epoch: EPOCH,
        counter,
        timestamp_ms,
        content,
    };
    input.leaf().0
}

fn seal(first: u64, leaves: Vec<MessageId>, named: Ordinals) -> Seal {
    Seal {
        key: named.0,
        topic: *topic().as_bytes(),
        epoch: EPOCH,
        first,
        leaves: leaves.try_into().unwrap(),
        signature: [0; SIGNATURE_BYTES],
    }
}
