//! The body of both frames of chunks, behind the byte of its type. What decodes fits its frame.
#![no_main]

use cretoai_network::wire::message::chunks::{
    ACCEPTOR_READS, CHUNK, Chunk, DIALLER_READS, GET_CHUNK, GetChunk,
};
use cretoai_network_fuzz::canonical;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&kind, body)) = data.split_first() else {
        return;
    };
    let (decodes, rules) = match kind {
        GET_CHUNK => (canonical::<GetChunk>(body).is_some(), ACCEPTOR_READS),
        CHUNK => (canonical::<Chunk>(body).is_some(), DIALLER_READS),
        _ => return,
    };
    if decodes {
        assert!(body.len() <= rules.max_body(kind).unwrap() as usize);
    }
});
