use crate::crypto::{CHUNK_BYTES, ContentDigest};
use crate::gossip::large::Outline;
use crate::wire::message::gossip::{MAX_CHUNKS, MAX_DATA, MAX_LARGE};

fn with(length: usize, chunks: usize) -> Option<Outline> {
    Outline::new(u32::try_from(length).unwrap(), vec![[1; 32]; chunks])
}

#[test]
fn it_is_of_more_than_a_frame_and_at_most_the_longest_message() {
    assert!(with(MAX_DATA, 1).is_none());
    assert!(with(MAX_DATA + 1, 1).is_some());
    assert!(with(MAX_LARGE, MAX_CHUNKS).is_some());
    assert!(with(MAX_LARGE + 1, MAX_CHUNKS + 1).is_none());
    assert!(with(0, 0).is_none());
    assert!(with(u32::MAX as usize, 65_536).is_none());
}

#[test]
fn it_has_as_many_hashes_as_its_length_has_chunks() {
    for (length, chunks) in [
        (CHUNK_BYTES, 1),
        (CHUNK_BYTES + 1, 2),
        (2 * CHUNK_BYTES, 2),
        (MAX_LARGE, MAX_CHUNKS),
    ] {
        assert!(with(length, chunks).is_some(), "{length}");
        assert!(with(length, chunks - 1).is_none(), "{length}");
        assert!(with(length, chunks + 1).is_none(), "{length}");
    }
}

#[test]
fn what_it_says_of_a_message_is_what_the_leaf_of_a_short_one_says() {
    for length in [
        MAX_DATA + 1,
        CHUNK_BYTES,
        CHUNK_BYTES + 1,
        3 * CHUNK_BYTES + 7,
    ] {
        let data: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
        let outline = Outline::of(&data).unwrap();
        assert_eq!(outline.content(), ContentDigest::of(&data), "{length}");
        assert_eq!(usize::from(outline.count()), outline.chunks().len());
    }
}

#[test]
fn attack_a_chunk_is_one_at_its_place_and_of_its_length_alone() {
    let data: Vec<u8> = (0..2 * CHUNK_BYTES + 9)
        .map(|at| (at / 7 % 251) as u8)
        .collect();
    let outline = Outline::of(&data).unwrap();
    let chunks: Vec<_> = data.chunks(CHUNK_BYTES).collect();
    for (place, chunk) in (0..).zip(&chunks) {
        assert!(outline.is_chunk(place, chunk));
        assert!(!outline.is_chunk(place + 1, chunk));
        assert!(!outline.is_chunk(place, &chunk[1..]));
        assert!(!outline.is_chunk(place, &[chunk, &[0][..]].concat()));
    }
    assert!(!outline.is_chunk(3, b""));
    assert!(!outline.is_chunk(u16::MAX, chunks[0]));
}
