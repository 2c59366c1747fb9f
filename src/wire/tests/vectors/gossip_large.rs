//! Long messages: their headers, news of chunks, questions for chunks, and what chunks hash to.

use bytes::Bytes;
use serde_json::{Value as Json, json};

use super::discovery::{KEY, TARGET, accept, list, over, refuse_lengths};
use super::gossip_receiver::{Fault, check_header};
use super::messages::refuse;
use super::{Vectors, hex};
use crate::crypto::{CHUNK_BYTES, chunks_of, root_hash, subtree_hashes};
use crate::wire::Violation;
use crate::wire::codec::{decode, encode};
use crate::wire::message::chunks::{Chunk, GetChunk};
use crate::wire::message::gossip::{ChunkRange, Have, Large, MAX_CHUNKS, MAX_DATA, MAX_LARGE};

const TIMESTAMP_MS: u64 = 1_700_000_000_000;

/// What the messages below say, again and again.
const PATTERN: &[u8] = b"chunks.";

fn said(length: usize) -> Vec<u8> {
    PATTERN.iter().copied().cycle().take(length).collect()
}

fn header(length: usize, chunks: usize) -> Large {
    Large {
        seal: 0,
        index: 0,
        timestamp_ms: TIMESTAMP_MS,
        length: u32::try_from(length).unwrap(),
        chunks: vec![KEY; chunks].try_into().unwrap(),
    }
}

fn header_value(message: &Large) -> Json {
    json!({
        "seal": message.seal.to_string(),
        "index": message.index,
        "timestamp_ms": message.timestamp_ms.to_string(),
        "length": message.length,
        "chunks": list(&message.chunks, |hash| json!(hex(hash))),
    })
}

#[test]
fn large() {
    let mut vectors = Vectors::new(
        "hex: the body of LARGE (protocol 5). value: its fields, index and length numbers, the other \
         integers in decimal. Length and number of hashes are judged, the leaf is not.",
    );
    let of_three = Large {
        chunks: vec![KEY, TARGET, [0xff; 32]].try_into().unwrap(),
        ..header(2 * CHUNK_BYTES + 1, 3)
    };
    let large_numbers = Large {
        seal: u64::MAX,
        index: u16::MAX,
        timestamp_ms: u64::MAX,
        ..header(CHUNK_BYTES, 1)
    };
    for (name, message) in [
        ("typical", of_three),
        ("16385 bytes, the shortest", header(MAX_DATA + 1, 1)),
        ("one whole chunk, largest numbers", large_numbers),
        ("a byte in the second chunk", header(CHUNK_BYTES + 1, 2)),
        (
            "251 chunks, their number in three bytes",
            header(251 * CHUNK_BYTES, 251),
        ),
        ("32 MiB, the longest", header(MAX_LARGE, MAX_CHUNKS)),
    ] {
        check_header(&message).unwrap();
        accept(&mut vectors, name, &message, header_value(&message));
    }
    let body = encode(&header(CHUNK_BYTES, 1));
    refuse_lengths::<Large>(&mut vectors, &body);
    for (name, bytes, violation) in refused_headers() {
        refuse::<Large>(&mut vectors, name, &bytes, violation);
    }
    for (name, length, chunks) in [
        ("16384 bytes", MAX_DATA, 1),
        ("no bytes", 0, 1),
        ("no bytes, no hash", 0, 0),
        ("a byte more than 32 MiB", MAX_LARGE + 1, MAX_CHUNKS),
        ("2^32 - 1 bytes", u32::MAX as usize, MAX_CHUNKS),
        ("no hash", MAX_DATA + 1, 0),
        ("one hash too few", 3 * CHUNK_BYTES, 2),
        ("one hash too many", 3 * CHUNK_BYTES, 4),
    ] {
        let body = encode(&header(length, chunks));
        let decoded = decode::<Large>(&body).unwrap();
        assert_eq!(check_header(&decoded), Err(Fault::InvalidHeader), "{name}");
        let code = Fault::InvalidHeader.code();
        vectors.invalid_with(name, &body, "InvalidHeader", code);
    }
    vectors.check("large.json");
}

#[rustfmt::skip]
fn refused_headers() -> Vec<(&'static str, Vec<u8>, Violation)> {
    let with = |length: &[u8], tail: &[u8]| [&[0, 0, 0], length, tail].concat();
    let shortest = [251, 1, 0x40];
    vec![
        ("empty", vec![], Violation::Truncated),
        ("no hashes", with(&shortest, &[]), Violation::Truncated),
        ("more hashes than bytes", with(&shortest, &[&[2], &KEY[..]].concat()), Violation::Truncated),
        ("513 hashes", with(&shortest, &[251, 1, 2]), over(513, 512)),
        ("list of 2^29 hashes in nine bytes", with(&shortest, &[&[253], &(1_u64 << 29).to_le_bytes()[..]].concat()), over(1 << 29, 512)),
        ("length with the marker of 64 bits", with(&[253, 1, 0x40, 0, 0, 0, 0, 0, 0], &[0]), Violation::InvalidValue),
        ("length not in its shortest form", with(&[252, 1, 0x40, 0, 0], &[0]), Violation::NonCanonical),
    ]
}

fn range_value(range: &ChunkRange) -> Json {
    json!({ "first": range.first, "count": range.count })
}

fn ranges(ranges: &[(u16, u16)]) -> Vec<ChunkRange> {
    let ranges = ranges.iter();
    ranges
        .map(|&(first, count)| ChunkRange { first, count })
        .collect()
}

#[test]
fn have() {
    let mut vectors = Vectors::new(
        "hex: the body of HAVE (protocol 5). value: its fields. Ranges are not judged here: what they \
         mean depends on the header.",
    );
    let scattered: Vec<_> = (0..64).map(|number| (number * 300, 299)).collect();
    for (name, has, offers) in [
        ("typical", &[(0, 3)][..], &[(5, 1), (300, 12)][..]),
        ("nothing yet", &[], &[]),
        ("all of the longest message", &[(0, 512)], &[]),
        ("64 ranges of each", &scattered, &scattered),
        ("an empty range, which decodes", &[(7, 0)], &[]),
        (
            "beyond every message, which decodes",
            &[],
            &[(u16::MAX, u16::MAX)],
        ),
        ("one twice, which decodes", &[(1, 2), (1, 2)], &[(1, 2)]),
    ] {
        let message = Have {
            message: KEY,
            has: ranges(has).try_into().unwrap(),
            offers: ranges(offers).try_into().unwrap(),
        };
        let value = json!({
            "message": hex(&KEY),
            "has": list(&message.has, range_value),
            "offers": list(&message.offers, range_value),
        });
        accept(&mut vectors, name, &message, value);
    }
    refuse_lengths::<Have>(&mut vectors, &[&KEY[..], &[0, 1, 2, 3]].concat());
    for (name, tail, violation) in [
        ("no lists", &[][..], Violation::Truncated),
        ("no offers", &[0], Violation::Truncated),
        ("65 ranges", &[65; 132], over(65, 64)),
        ("65 offers", &[&[0][..], &[65; 131]].concat(), over(65, 64)),
        (
            "two ranges in three bytes",
            &[2, 0, 1, 2],
            Violation::Truncated,
        ),
        (
            "first not in its shortest form",
            &[1, 251, 250, 0, 1, 0],
            Violation::NonCanonical,
        ),
        (
            "count with the marker of 32 bits",
            &[1, 0, 252, 0, 0, 1, 0, 0],
            Violation::InvalidValue,
        ),
    ] {
        refuse::<Have>(&mut vectors, name, &[&KEY[..], tail].concat(), violation);
    }
    refuse::<Have>(&mut vectors, "empty", &[], Violation::Truncated);
    vectors.check("have.json");
}

#[test]
fn get_chunk() {
    let mut vectors =
        Vectors::new("hex: the body of GET_CHUNK (protocol 9). value: its fields, index a number.");
    for (name, index) in [
        ("typical", 3),
        ("first chunk", 0),
        ("last chunk of the longest message", 511),
        ("a chunk that no message has, which decodes", u16::MAX),
    ] {
        let message = GetChunk {
            message: KEY,
            index,
        };
        let value = json!({ "message": hex(&KEY), "index": index });
        accept(&mut vectors, name, &message, value);
    }
    refuse_lengths::<GetChunk>(&mut vectors, &[&KEY[..], &[3]].concat());
    for (name, index, violation) in [
        ("no index", &[][..], Violation::Truncated),
        (
            "index not in its shortest form",
            &[251, 3, 0],
            Violation::NonCanonical,
        ),
        (
            "index with the marker of 32 bits",
            &[252, 3, 0, 0, 0],
            Violation::InvalidValue,
        ),
        (
            "index with a reserved marker",
            &[255],
            Violation::InvalidValue,
        ),
    ] {
        let body = [&KEY[..], index].concat();
        refuse::<GetChunk>(&mut vectors, name, &body, violation);
    }
    refuse::<GetChunk>(&mut vectors, "empty", &[], Violation::Truncated);
    vectors.check("get_chunk.json");
}

#[test]
fn chunk() {
    let mut vectors =
        Vectors::new("hex: the body of CHUNK (protocol 9). value: its field, data in hex.");
    for (name, data) in [
        ("typical", b"hello".to_vec()),
        ("251 bytes, their number in three", said(251)),
        ("no bytes, which decodes", vec![]),
    ] {
        let value = json!({ "data": hex(&data) });
        let data = Bytes::from(data).try_into().unwrap();
        accept(&mut vectors, name, &Chunk { data }, value);
    }
    refuse_lengths::<Chunk>(&mut vectors, &[1, 7]);
    for (name, bytes, violation) in [
        ("empty", &[][..], Violation::Truncated),
        ("65537 bytes", &[252, 1, 0, 1, 0], over(65_537, 65_536)),
        (
            "data of 2^63 bytes",
            &[253, 0, 0, 0, 0, 0, 0, 0, 0x80],
            over(1 << 63, 65_536),
        ),
        (
            "more data than bytes",
            &[5, 1, 2, 3, 4],
            Violation::Truncated,
        ),
        (
            "length not in its shortest form",
            &[251, 1, 0, 7],
            Violation::NonCanonical,
        ),
    ] {
        refuse::<Chunk>(&mut vectors, name, bytes, violation);
    }
    vectors.check("chunk.json");
}

#[test]
fn hashes_of_chunks() {
    let mut vectors = Vectors::new(
        "hex: bytes that are said again and again until the message has the stated length. value: \
         length, the hashes of its chunks, and BLAKE3 of the message, which follows from both.",
    );
    for (name, length) in [
        ("one chunk that is not full", MAX_DATA + 1),
        ("one chunk", CHUNK_BYTES),
        ("a byte in the second chunk", CHUNK_BYTES + 1),
        ("two chunks", 2 * CHUNK_BYTES),
        ("a byte in the third chunk", 2 * CHUNK_BYTES + 1),
        ("three chunks and a thousand bytes", 3 * CHUNK_BYTES + 1_000),
        (
            "a kibibyte and a byte in the fifth chunk",
            4 * CHUNK_BYTES + 1_025,
        ),
        ("seven chunks", 7 * CHUNK_BYTES),
    ] {
        let data = said(length);
        let chunks = subtree_hashes(&data);
        assert_eq!(chunks.len(), chunks_of(length));
        let root = root_hash(length, &chunks).unwrap();
        assert_eq!(root, *blake3::hash(&data).as_bytes(), "{name}");
        let chunks: Vec<_> = chunks.iter().map(|hash| hex(hash)).collect();
        let value = json!({ "length": length, "chunks": chunks, "hash": hex(&root) });
        vectors.valid(name, PATTERN, value);
    }
    vectors.check("chunk_hashes.json");
}
