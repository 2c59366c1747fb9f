//! A stream header gives the same verdict however it is cut, and encodes to what was read.
#![no_main]

use bytes::{Bytes, BytesMut};
use cretoai_network::wire::{StreamHeader, StreamHeaderDecoder, Violation};
use cretoai_network_fuzz::chunks;
use libfuzzer_sys::fuzz_target;

/// The header and how many bytes it took.
type Outcome = Result<Option<(StreamHeader, usize)>, Violation>;

fn read(stream: impl Iterator<Item = Bytes>) -> Outcome {
    let mut decoder = StreamHeaderDecoder::new();
    let mut taken = 0;
    for mut chunk in stream {
        taken += chunk.len();
        if let Some(header) = decoder.decode(&mut chunk)? {
            return Ok(Some((header, taken - chunk.len())));
        }
        assert!(chunk.is_empty());
    }
    Ok(None)
}

fuzz_target!(|data: &[u8]| {
    let whole = read(chunks(data, data.len().max(1)));
    assert_eq!(read(chunks(data, 1)), whole);
    if let Ok(Some((header, length))) = whole {
        let mut out = BytesMut::new();
        header.encode(&mut out);
        assert_eq!(out.as_ref(), &data[..length]);
    }
});
