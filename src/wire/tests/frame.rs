use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use crate::wire::frame::encode_frame;
use crate::wire::{Frame, FrameDecoder, FrameRule, FrameRules};

const SMALL: FrameRule = FrameRule {
    kind: 1,
    max_body: 64,
};
const LARGE: FrameRule = FrameRule {
    kind: 2,
    max_body: 100_000,
};
const RULES: FrameRules = FrameRules {
    legal: &[SMALL, LARGE],
    defined: &[1, 2, 3],
};

fn encoded(kind: u8, body: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    encode_frame(kind, body, &mut out);
    out.freeze()
}

fn decode_all(decoder: &mut FrameDecoder, chunk: Bytes) -> Vec<(u8, Bytes)> {
    let mut input = chunk;
    let mut frames = Vec::new();
    while let Some(frame) = decoder.decode(&mut input, RULES).unwrap() {
        frames.push((frame.kind, frame.body));
    }
    assert!(input.is_empty());
    frames
}

#[test]
fn the_length_counts_the_type_byte() {
    assert_eq!(encoded(1, b"ab"), &[3, 1, b'a', b'b'][..]);
    assert_eq!(encoded(1, b""), &[1, 1][..]);
    assert_eq!(encoded(2, &[0; 62])[..1], [0x3f]);
    assert_eq!(encoded(2, &[0; 63])[..2], [0x40, 0x40]);
}

#[test]
fn a_frame_in_one_chunk_is_not_copied() {
    let chunk = encoded(2, &[7; 1000]);
    let Frame { body, backing, .. } = FrameDecoder::new()
        .decode(&mut chunk.clone(), RULES)
        .unwrap()
        .unwrap();
    assert_eq!(body.as_ptr(), chunk[3..].as_ptr());
    assert_eq!(backing, chunk.len());
}

#[test]
fn the_last_small_frame_of_a_chunk_is_known_to_keep_all_of_it_alive() {
    let chunk = [encoded(2, &[7; 5000]), encoded(1, b"small")].concat();
    let (length, mut input) = (chunk.len(), Bytes::from(chunk));
    let mut decoder = FrameDecoder::new();
    for _ in 0..2 {
        assert_eq!(
            decoder.decode(&mut input, RULES).unwrap().unwrap().backing,
            length
        );
    }
    let mut next = encoded(1, b"next chunk");
    let length = next.len();
    assert_eq!(
        decoder.decode(&mut next, RULES).unwrap().unwrap().backing,
        length
    );
}

#[test]
fn a_frame_of_several_chunks_has_a_buffer_of_its_own() {
    let chunk = encoded(2, &[7; 5000]);
    let mut decoder = FrameDecoder::new();
    assert_eq!(decoder.decode(&mut chunk.slice(..100), RULES), Ok(None));
    let frame = decoder
        .decode(&mut chunk.slice(100..), RULES)
        .unwrap()
        .unwrap();
    assert!((5000..10_000).contains(&frame.backing), "{}", frame.backing);
}

#[test]
fn frames_of_one_chunk_come_out_in_order() {
    let chunk = [encoded(1, b"a"), encoded(2, b""), encoded(1, b"bc")].concat();
    let frames = decode_all(&mut FrameDecoder::new(), chunk.into());
    let expected = [(1, "a".into()), (2, "".into()), (1, "bc".into())];
    assert_eq!(frames, expected);
}

#[test]
fn rules_may_change_between_frames() {
    let only = |kind: &'static [FrameRule]| FrameRules {
        legal: kind,
        defined: &[1, 2],
    };
    let mut input = Bytes::from([encoded(1, b"a"), encoded(2, b"b")].concat());
    let mut decoder = FrameDecoder::new();
    assert_eq!(
        decoder
            .decode(&mut input, only(&[SMALL]))
            .unwrap()
            .unwrap()
            .kind,
        1
    );
    assert_eq!(
        decoder
            .decode(&mut input, only(&[LARGE]))
            .unwrap()
            .unwrap()
            .kind,
        2
    );
}

#[test]
fn memory_follows_what_arrived_and_not_what_was_announced() {
    let chunk = encoded(2, &[0; 100_000]);
    let mut decoder = FrameDecoder::new();
    assert_eq!(decoder.decode(&mut chunk.slice(..6), RULES), Ok(None));
    assert_eq!(decoder.buffered(), 1);
    assert_eq!(decoder.decode(&mut chunk.slice(6..106), RULES), Ok(None));
    assert_eq!(decoder.buffered(), 101);
}

proptest! {
    #[test]
    fn any_split_gives_the_same_frames(
        frames in prop::collection::vec((1u8..=2, prop::collection::vec(any::<u8>(), 0..=64)), 0..6),
        cuts in prop::collection::vec(1usize..40, 0..40),
    ) {
        let stream: Vec<u8> = frames.iter().flat_map(|(kind, body)| encoded(*kind, body)).collect();
        let mut rest = Bytes::from(stream);
        let mut decoder = FrameDecoder::new();
        let mut decoded = Vec::new();
        for cut in cuts {
            let chunk = rest.split_to(cut.min(rest.len()));
            decoded.extend(decode_all(&mut decoder, chunk));
        }
        decoded.extend(decode_all(&mut decoder, rest));
        prop_assert!(decoder.finish().is_ok());
        let decoded: Vec<_> = decoded.into_iter().map(|(kind, body)| (kind, body.to_vec())).collect();
        prop_assert_eq!(decoded, frames);
    }
}
