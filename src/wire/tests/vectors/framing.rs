use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};

use super::{Vectors, hex};
use crate::wire::frame::encode_frame;
use crate::wire::{
    FrameDecoder, FrameRule, FrameRules, StreamHeader, StreamHeaderDecoder, Varint, Violation,
};

/// The form of `length` bytes, whether or not it is the shortest.
fn form(value: u64, length: usize) -> Vec<u8> {
    let mut bytes = value.to_be_bytes()[8 - length..].to_vec();
    bytes[0] |= u8::try_from(length.ilog2()).unwrap() << 6;
    bytes
}

#[test]
fn varint() {
    let mut vectors = Vectors::new(
        "hex: one varint and nothing else. value: its value, in decimal. Only the shortest form is \
         valid.",
    );
    let edges: [u64; 12] = [
        0,
        37,
        (1 << 6) - 1,
        1 << 6,
        15_293,
        (1 << 14) - 1,
        1 << 14,
        494_878_333,
        (1 << 30) - 1,
        1 << 30,
        151_288_809_941_952_652,
        (1 << 62) - 1,
    ];
    for value in edges {
        let mut out = BytesMut::new();
        Varint::try_from(value).unwrap().encode(&mut out);
        let decoded = Varint::decode(&out).unwrap().unwrap();
        assert_eq!(decoded, (Varint::try_from(value).unwrap(), out.len()));
        vectors.valid(
            &format!("{value} in {} bytes", out.len()),
            &out,
            json!(value.to_string()),
        );
    }
    let longer = [
        (37, 2),
        (0, 8),
        (63, 4),
        (64, 4),
        (16_383, 8),
        (1 << 14, 8),
        ((1 << 30) - 1, 8),
    ];
    for (value, length) in longer {
        let bytes = form(value, length);
        assert_eq!(Varint::decode(&bytes), Err(Violation::NonMinimalVarint));
        let name = format!("{value} in {length} bytes");
        vectors.invalid(&name, &bytes, Violation::NonMinimalVarint);
    }
    for (name, bytes, violation) in not_one_varint() {
        assert_eq!(only_varint(&bytes), Err(violation), "{name}");
        vectors.invalid(name, &bytes, violation);
    }
    vectors.check("varint.json");
}

/// The varint that fills `bytes`.
fn only_varint(bytes: &[u8]) -> Result<Varint, Violation> {
    match Varint::decode(bytes)? {
        None => Err(Violation::UnfinishedFrame),
        Some((value, length)) if length == bytes.len() => Ok(value),
        Some(_) => Err(Violation::TrailingBytes),
    }
}

fn not_one_varint() -> [(&'static str, Vec<u8>, Violation); 6] {
    let cut = Violation::UnfinishedFrame;
    let surplus = Violation::TrailingBytes;
    [
        ("empty", vec![], cut),
        ("one of two bytes", vec![0x40], cut),
        ("three of four bytes", vec![0x80, 0, 0x40], cut),
        ("seven of eight bytes", form(1 << 30, 8)[..7].to_vec(), cut),
        ("byte after one byte", vec![37, 0], surplus),
        ("byte after two bytes", vec![0x40, 64, 0], surplus),
    ]
}

/// The header of a stream that ends after `bytes`, which hold nothing else.
fn header_verdict(bytes: &[u8]) -> Result<StreamHeader, Violation> {
    let mut input = Bytes::copy_from_slice(bytes);
    let header = StreamHeaderDecoder::new().decode(&mut input)?;
    assert!(input.is_empty(), "these would be frames");
    header.ok_or(Violation::UnfinishedFrame)
}

#[test]
fn stream_header() {
    let mut vectors = Vectors::new(
        "hex: all bytes of a stream up to its first frame; the stream ends there. value: protocol \
         number and version.",
    );
    let headers = [
        ("identify", 1, 1),
        ("first application protocol", 0x40, 1),
        ("largest numbers", u32::MAX, u16::MAX),
    ];
    for (name, protocol, version) in headers {
        let header = StreamHeader { protocol, version };
        let mut out = BytesMut::new();
        header.encode(&mut out);
        assert_eq!(header_verdict(&out), Ok(header));
        vectors.valid(
            name,
            &out,
            json!({ "protocol": protocol, "version": version }),
        );
    }
    for (name, bytes, violation) in refused_headers() {
        assert_eq!(header_verdict(&bytes), Err(violation), "{name}");
        vectors.invalid(name, &bytes, violation);
    }
    vectors.check("stream_header.json");
}

#[rustfmt::skip]
fn refused_headers() -> Vec<(&'static str, Vec<u8>, Violation)> {
    let cut = Violation::UnfinishedFrame;
    let number = u64::from(u32::MAX) + 1;
    let version = u64::from(u16::MAX) + 1;
    let no_version = |protocol| Violation::UnknownVersion { protocol, version };
    vec![
        ("empty", vec![], cut),
        ("no version", vec![1], cut),
        ("end inside the protocol number", vec![0x40], cut),
        ("end inside the longest protocol number", form(u32::MAX.into(), 8)[..7].to_vec(), cut),
        ("end inside the version", vec![1, 0x40], cut),
        ("end inside the longest version", vec![1, 0x80, 0, 0xff], cut),
        ("protocol number too long", vec![0x40, 1, 1], Violation::NonMinimalVarint),
        ("version too long", vec![1, 0x40, 1], Violation::NonMinimalVarint),
        ("protocol number beyond 32 bits", [form(number, 8), vec![1]].concat(), Violation::UnknownProtocol { number }),
        ("protocol number beyond 32 bits, no version", form(number, 8), Violation::UnknownProtocol { number }),
        ("version beyond 16 bits", [vec![1], form(version, 4)].concat(), no_version(1)),
        ("version beyond 16 bits of a protocol that nobody speaks", [vec![0], form(version, 4)].concat(), no_version(0)),
    ]
}

const RULES: FrameRules = FrameRules {
    legal: &[
        FrameRule {
            kind: 1,
            max_body: 100,
        },
        FrameRule {
            kind: 3,
            max_body: 0,
        },
    ],
    defined: &[1, 2, 3],
};

/// All frames of a stream that ends after `bytes`.
fn frames(bytes: &[u8]) -> Result<Value, Violation> {
    let mut input = Bytes::copy_from_slice(bytes);
    let mut decoder = FrameDecoder::new();
    let mut frames = Vec::new();
    while let Some(frame) = decoder.decode(&mut input, RULES)? {
        frames.push(json!({ "type": frame.kind, "body": hex(&frame.body) }));
    }
    decoder.finish().map(|()| frames.into())
}

fn encoded(kind: u8, length: usize) -> Vec<u8> {
    let mut out = BytesMut::new();
    encode_frame(kind, &vec![0xab; length], &mut out);
    out.to_vec()
}

#[test]
fn frame() {
    let mut vectors = Vectors::new(
        "hex: all bytes of a stream after its header; the stream ends there. value: its frames. The \
         rules say which frame types are legal in this state, with the largest body, and which the \
         protocol defines at all.",
    );
    vectors.rules = Some(json!({
        "legal": [{ "type": 1, "max_body": 100 }, { "type": 3, "max_body": 0 }],
        "defined": [1, 2, 3],
    }));
    let streams = [
        ("no frame", vec![]),
        ("empty body", encoded(1, 0)),
        ("longest body with a one-byte length", encoded(1, 62)),
        ("shortest body with a two-byte length", encoded(1, 63)),
        ("body at its limit", encoded(1, 100)),
        ("two frames", [encoded(3, 0), encoded(1, 2)].concat()),
    ];
    for (name, bytes) in streams {
        vectors.valid(name, &bytes, frames(&bytes).unwrap());
    }
    for (name, bytes, violation) in refused_streams() {
        assert_eq!(frames(&bytes), Err(violation), "{name}");
        vectors.invalid(name, &bytes, violation);
    }
    vectors.check("frame.json");
}

#[rustfmt::skip]
fn refused_streams() -> Vec<(&'static str, Vec<u8>, Violation)> {
    let over = |kind, length, limit| Violation::OversizeFrame { kind, length, limit };
    let longest = [&[0xff; 8][..], &[1]].concat();
    let unknown_second = [encoded(1, 1), vec![1, 0]].concat();
    vec![
        ("length zero", vec![0, 1], Violation::ZeroLengthFrame),
        ("length not in its shortest form", vec![0x40, 2, 1, 0], Violation::NonMinimalVarint),
        ("unknown type", vec![1, 9], Violation::UnknownFrame { kind: 9 }),
        ("type illegal in this state", vec![1, 2], Violation::IllegalFrame { kind: 2 }),
        ("body above its limit", encoded(1, 101), over(1, 101, 100)),
        ("body where there must be none", encoded(3, 1), over(3, 1, 0)),
        ("longest length, refused before its body", longest, over(1, (1 << 62) - 2, 100)),
        ("end inside the length", vec![0x40], Violation::UnfinishedFrame),
        ("end before the type", vec![2], Violation::UnfinishedFrame),
        ("end inside the body", encoded(1, 10)[..11].to_vec(), Violation::UnfinishedFrame),
        ("second frame unknown", unknown_second, Violation::UnknownFrame { kind: 0 }),
    ]
}
