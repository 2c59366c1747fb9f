//! BLAKE3 of a long message from the hashes of its chunks, so that each chunk can be checked alone.
//!
//! BLAKE3 hashes a tree (its paper, section 2.1). A chunk of 64 KiB at a multiple of its length is a
//! subtree of that tree: with the list of the subtrees' hashes anybody computes the hash of the whole,
//! and whoever trusts that trusts each item of the list.

use blake3::hazmat::{
    HasherExt, Mode, left_subtree_len, merge_subtrees_non_root, merge_subtrees_root,
};

/// Bytes of a chunk but the last one; a power of two of the 1 024 bytes that BLAKE3's leaves have.
pub const CHUNK_BYTES: usize = 64 << 10;

/// How many chunks a message of so many bytes has; one that says nothing has one.
#[must_use]
pub const fn chunks_of(length: usize) -> usize {
    if length == 0 {
        return 1;
    }
    length.div_ceil(CHUNK_BYTES)
}

/// The hashes of all chunks of a message. Of a message of one chunk it is the hash of the message.
#[must_use]
pub fn subtree_hashes(data: &[u8]) -> Vec<[u8; 32]> {
    if data.len() <= CHUNK_BYTES {
        return vec![*blake3::hash(data).as_bytes()];
    }
    let chunks = (0..).zip(data.chunks(CHUNK_BYTES));
    chunks
        .map(|(index, chunk)| inner_hash(index, chunk))
        .collect()
}

/// The hash of the chunk at `index` of a message of `length` bytes, as it stands in the list.
///
/// `None` if the message has no such chunk, or if the chunk has another length there.
#[must_use]
pub fn subtree_hash(length: usize, index: usize, chunk: &[u8]) -> Option<[u8; 32]> {
    if chunk.len() != chunk_bytes(length, index)? {
        return None;
    }
    if length <= CHUNK_BYTES {
        return Some(*blake3::hash(chunk).as_bytes());
    }
    Some(inner_hash(index as u64, chunk))
}

/// Bytes of the chunk at `index` of a message of `length` bytes; `None` if it has no such chunk.
#[must_use]
pub fn chunk_bytes(length: usize, index: usize) -> Option<usize> {
    let start = index.checked_mul(CHUNK_BYTES)?;
    let is_there = index < chunks_of(length);
    is_there.then(|| length.saturating_sub(start).min(CHUNK_BYTES))
}

/// BLAKE3 of a message of `length` bytes whose chunks have these hashes.
///
/// `None` if a message of that length has another number of chunks.
#[must_use]
pub fn root_hash(length: usize, chunks: &[[u8; 32]]) -> Option<[u8; 32]> {
    if chunks.len() != chunks_of(length) {
        return None;
    }
    if let [only] = chunks {
        return Some(*only);
    }
    let (left, right) = halves(length, chunks)?;
    Some(*merge_subtrees_root(&left, &right, Mode::Hash).as_bytes())
}

/// The hashes of both subtrees below the node that stands over these chunks.
fn halves(length: usize, chunks: &[[u8; 32]]) -> Option<([u8; 32], [u8; 32])> {
    // More than one chunk: longer than a leaf of BLAKE3, as the function demands.
    let left_bytes = usize::try_from(left_subtree_len(length as u64)).ok()?;
    let (left, right) = chunks.split_at_checked(left_bytes / CHUNK_BYTES)?;
    let rest = length.checked_sub(left_bytes)?;
    Some((node(left_bytes, left)?, node(rest, right)?))
}

fn node(length: usize, chunks: &[[u8; 32]]) -> Option<[u8; 32]> {
    if let [only] = chunks {
        return Some(*only);
    }
    let (left, right) = halves(length, chunks)?;
    Some(merge_subtrees_non_root(&left, &right, Mode::Hash))
}

/// The hash of a subtree that is not the whole tree.
fn inner_hash(index: u64, chunk: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.set_input_offset(index.saturating_mul(CHUNK_BYTES as u64));
    hasher.update(chunk);
    hasher.finalize_non_root()
}
