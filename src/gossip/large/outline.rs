//! What a header says of a long message.

use bytes::Bytes;

use crate::crypto::{CHUNK_BYTES, ContentDigest, root_hash, subtree_hash, subtree_hashes};
use crate::wire::message::gossip::{MAX_DATA, MAX_LARGE};

/// How long a message is, and what each of its chunks hashes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    length: u32,
    chunks: Vec<[u8; 32]>,
    hash: [u8; 32],
}

impl Outline {
    /// Of a header. `None` for a length that no long message has (16 KiB or less, or more than 32 MiB), or
    /// another number of hashes than that length has chunks.
    #[must_use]
    pub fn new(length: u32, chunks: Vec<[u8; 32]>) -> Option<Self> {
        let bytes = usize::try_from(length).ok()?;
        if bytes <= MAX_DATA || bytes > MAX_LARGE {
            return None;
        }
        let hash = root_hash(bytes, &chunks)?;
        Some(Self {
            length,
            chunks,
            hash,
        })
    }

    /// Of a message that is here; `None` as above. Costs a hash of the message.
    #[must_use]
    pub fn of(data: &[u8]) -> Option<Self> {
        Self::new(u32::try_from(data.len()).ok()?, subtree_hashes(data))
    }

    /// What a leaf says of the message.
    #[must_use]
    pub fn content(&self) -> ContentDigest {
        ContentDigest {
            length: u64::from(self.length),
            hash: self.hash,
        }
    }

    /// Bytes of the message.
    #[must_use]
    pub const fn length(&self) -> u32 {
        self.length
    }

    /// The hashes of its chunks: at least one, at most 512.
    #[must_use]
    pub fn chunks(&self) -> &[[u8; 32]] {
        &self.chunks
    }

    /// How many chunks there are.
    #[must_use]
    pub fn count(&self) -> u16 {
        u16::try_from(self.chunks.len()).unwrap_or(u16::MAX)
    }

    /// Whether these bytes are the chunk at `index`. Costs a hash of them: about 20 µs.
    #[must_use]
    pub fn is_chunk(&self, index: u16, data: &[u8]) -> bool {
        let index = usize::from(index);
        let hash = subtree_hash(self.length as usize, index, data);
        hash.is_some() && self.chunks.get(index) == hash.as_ref()
    }

    /// A message in the chunks of its outline.
    pub(super) fn cut(&self, data: &Bytes) -> Vec<Option<Bytes>> {
        let chunks = (0..self.chunks.len()).map(|index| {
            let start = index * CHUNK_BYTES;
            data.slice(start..data.len().min(start + CHUNK_BYTES))
        });
        chunks.map(Some).collect()
    }
}
