//! Long messages with seals around them, as an honest publisher makes them but for the signature.

use std::sync::OnceLock;

use bytes::Bytes;
use cretoai_network::crypto::{
    CHUNK_BYTES, LeafInput, SIGNATURE_BYTES, Suite, VERIFYING_KEY_BYTES, VerifyingKey,
};
use cretoai_network::gossip::TopicHash;
use cretoai_network::gossip::large::Outline;
use cretoai_network::wire::message::gossip::{
    Key, Large, MAX_CHUNKS, MAX_DATA, MAX_LARGE, MessageId, Seal,
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

/// A seal that lists one message, and the message's header, under the given ordinals.
pub fn sealed(
    publisher: u8,
    counter: u64,
    timestamp_ms: u64,
    content: &Content,
    (key_ordinal, seal_ordinal): (u64, u64),
) -> (MessageId, Seal, Large) {
    let topic = *topic().as_bytes();
    let epoch = 1;
    let input = LeafInput {
        network: &NETWORK,
        topic: &topic,
        publisher: VerifyingKey::ml_dsa_87(&key(publisher)).hash(),
        epoch,
        counter,
        timestamp_ms,
        content: content.outline.content(),
    };
    let id = input.leaf().0;
    let seal = Seal {
        key: key_ordinal,
        topic,
        epoch,
        first: counter,
        leaves: vec![id].try_into().unwrap(),
        signature: [0; SIGNATURE_BYTES],
    };
    let large = Large {
        seal: seal_ordinal,
        index: 0,
        timestamp_ms,
        length: content.outline.length(),
        chunks: content.outline.chunks().to_vec().try_into().unwrap(),
    };
    (id, seal, large)
}
