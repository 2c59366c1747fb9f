//! A varint that decodes is the shortest form of its value.
#![no_main]

use bytes::BytesMut;
use cretoai_network::wire::Varint;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(Some((value, length))) = Varint::decode(data) {
        let mut out = BytesMut::new();
        value.encode(&mut out);
        assert_eq!(out.as_ref(), &data[..length]);
        assert_eq!(value.encoded_len(), length);
    }
});
