//! A stream gives the same frames and the same verdict however it is cut, and what it gives
//! encodes to the bytes that were read.
#![no_main]

use bytes::{Bytes, BytesMut};
use cretoai_network::wire::frame::encode_frame;
use cretoai_network::wire::{FrameDecoder, FrameRule, FrameRules, Violation};
use cretoai_network_fuzz::chunks;
use libfuzzer_sys::fuzz_target;

const LIMIT: u32 = 100;

/// The rules of `wire-spec/vectors/frame.json`, so that its cases are good seeds.
const RULES: FrameRules = FrameRules {
    legal: &[
        FrameRule {
            kind: 1,
            max_body: LIMIT,
        },
        FrameRule {
            kind: 3,
            max_body: 0,
        },
    ],
    defined: &[1, 2, 3],
};

type Outcome = (Vec<(u8, Bytes)>, Result<(), Violation>);

fn read(stream: impl Iterator<Item = Bytes>) -> Outcome {
    let mut decoder = FrameDecoder::new();
    let mut frames = Vec::new();
    for mut chunk in stream {
        loop {
            match decoder.decode(&mut chunk, RULES) {
                Ok(Some(frame)) => frames.push((frame.kind, frame.body)),
                Ok(None) => break,
                Err(violation) => return (frames, Err(violation)),
            }
        }
        assert!(chunk.is_empty() && decoder.buffered() <= LIMIT as usize);
    }
    let end = decoder.finish();
    (frames, end)
}

fuzz_target!(|data: &[u8]| {
    let (frames, end) = read(chunks(data, data.len().max(1)));
    for size in [1, 2, 7] {
        assert_eq!(read(chunks(data, size)), (frames.clone(), end));
    }
    let mut out = BytesMut::new();
    for (kind, body) in &frames {
        encode_frame(*kind, body, &mut out);
    }
    assert!(data.starts_with(&out));
    assert!(end.is_err() || data.len() == out.len());
});
