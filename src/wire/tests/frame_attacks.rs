use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use crate::wire::frame::encode_frame;
use crate::wire::{FrameDecoder, FrameRule, FrameRules, Varint, Violation};

const LIMIT: u32 = 100;
const RULES: FrameRules = FrameRules {
    legal: &[FrameRule {
        kind: 1,
        max_body: LIMIT,
    }],
    defined: &[1, 2],
};

fn verdict(bytes: &[u8]) -> Result<bool, Violation> {
    let mut input = Bytes::copy_from_slice(bytes);
    FrameDecoder::new()
        .decode(&mut input, RULES)
        .map(|frame| frame.is_some())
}

fn head(length: u64, kind: u8) -> Vec<u8> {
    let mut out = BytesMut::new();
    Varint::try_from(length).unwrap().encode(&mut out);
    [&out[..], &[kind]].concat()
}

#[test]
fn zero_length() {
    assert_eq!(verdict(&[0]), Err(Violation::ZeroLengthFrame));
    assert_eq!(verdict(&[0, 1]), Err(Violation::ZeroLengthFrame));
}

#[test]
fn non_shortest_length() {
    assert_eq!(
        verdict(&[0x40, 0x02, 1, 0]),
        Err(Violation::NonMinimalVarint)
    );
}

#[test]
fn unknown_frame_type() {
    assert_eq!(verdict(&[1, 9]), Err(Violation::UnknownFrame { kind: 9 }));
}

#[test]
fn frame_illegal_in_this_state() {
    assert_eq!(verdict(&[1, 2]), Err(Violation::IllegalFrame { kind: 2 }));
}

#[test]
fn oversize_is_seen_before_the_body() {
    let limit = u64::from(LIMIT);
    assert_eq!(verdict(&head(limit, 1)), Ok(false));
    assert_eq!(verdict(&head(limit + 1, 1)), Ok(false));
    let oversize = |length| Violation::OversizeFrame {
        kind: 1,
        length,
        limit: LIMIT,
    };
    assert_eq!(verdict(&head(limit + 2, 1)), Err(oversize(limit + 1)));
    let longest = Varint::MAX.get();
    assert_eq!(verdict(&head(longest, 1)), Err(oversize(longest - 1)));
}

#[test]
fn a_body_at_the_limit_passes() {
    let mut out = BytesMut::new();
    encode_frame(1, &[0; LIMIT as usize], &mut out);
    assert_eq!(verdict(&out), Ok(true));
}

#[test]
fn a_stream_must_not_end_inside_a_frame() {
    let mut out = BytesMut::new();
    encode_frame(1, &[0; 80], &mut out);
    for end in 1..out.len() {
        let mut decoder = FrameDecoder::new();
        let mut part = Bytes::copy_from_slice(&out[..end]);
        assert_eq!(decoder.decode(&mut part, RULES), Ok(None));
        assert_eq!(
            decoder.finish(),
            Err(Violation::UnfinishedFrame),
            "cut at {end}"
        );
    }
    assert_eq!(FrameDecoder::new().finish(), Ok(()));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic_and_never_exceed_the_limit(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..20),
    ) {
        let mut decoder = FrameDecoder::new();
        'stream: for chunk in chunks {
            let mut input = Bytes::from(chunk);
            loop {
                match decoder.decode(&mut input, RULES) {
                    Ok(Some(frame)) => prop_assert!(frame.body.len() <= LIMIT as usize),
                    Ok(None) => break,
                    Err(_) => break 'stream,
                }
                prop_assert!(decoder.buffered() <= LIMIT as usize);
            }
        }
    }
}
