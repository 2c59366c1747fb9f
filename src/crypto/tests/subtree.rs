//! Hashes of chunks and of the whole.

use crate::crypto::{CHUNK_BYTES, chunk_bytes, chunks_of, root_hash, subtree_hash, subtree_hashes};

fn message(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}

/// Lengths at and beside the bounds of chunks and of full trees.
fn lengths() -> Vec<usize> {
    let mut lengths = vec![0, 1, 1_024, 16_385];
    for chunks in 1..=17 {
        let full = chunks * CHUNK_BYTES;
        lengths.extend([full - 1, full, full + 1, full + 1_025]);
    }
    lengths
}

#[test]
fn the_hashes_of_the_chunks_make_the_hash_of_the_whole() {
    for length in lengths() {
        let data = message(length);
        let hashes = subtree_hashes(&data);
        assert_eq!(hashes.len(), chunks_of(length), "{length}");
        let whole = *blake3::hash(&data).as_bytes();
        assert_eq!(root_hash(length, &hashes), Some(whole), "{length}");
    }
}

#[test]
fn each_chunk_is_checked_alone() {
    for length in lengths() {
        let data = message(length);
        let hashes = subtree_hashes(&data);
        for (index, hash) in hashes.iter().enumerate() {
            let start = index * CHUNK_BYTES;
            let end = start + chunk_bytes(length, index).unwrap();
            let hashed = subtree_hash(length, index, &data[start..end]);
            assert_eq!(hashed.as_ref(), Some(hash), "{length}, chunk {index}");
        }
        assert_eq!(subtree_hash(length, hashes.len(), b""), None);
    }
}

#[test]
fn a_chunk_in_another_place_or_of_another_length_has_another_hash_or_none() {
    let data = vec![7; 3 * CHUNK_BYTES];
    let hashes = subtree_hashes(&data);
    // Equal bytes, and still no chunk stands for another: the place is hashed, too.
    assert_ne!(hashes[0], hashes[1]);
    assert_eq!(subtree_hash(data.len(), 0, &data[..CHUNK_BYTES - 1]), None);
    assert_eq!(subtree_hash(data.len(), 2, b""), None);
}

#[test]
fn a_list_of_another_length_than_the_message_has_no_hash() {
    let hashes = subtree_hashes(&message(3 * CHUNK_BYTES));
    assert_eq!(root_hash(2 * CHUNK_BYTES, &hashes), None);
    assert_eq!(root_hash(3 * CHUNK_BYTES + 1, &hashes), None);
    assert_eq!(root_hash(3 * CHUNK_BYTES, &[]), None);
    // Of a shorter last chunk the list cannot tell: the leaf names the length beside the hash.
    assert!(root_hash(3 * CHUNK_BYTES - 1, &hashes).is_some());
}
