use serde_json::json;

use super::Vectors;
use crate::wire::codec::{decode, encode};
use crate::wire::{Address, Violation};

pub(super) const PEER: &str = "aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypq";
pub(super) const RELAY: &str = "777777777777777777777777777777777777777777777777777q";

/// A name of `length` characters, at least 193, in four labels.
pub(super) fn name_of(length: usize) -> String {
    let label = "a".repeat(63);
    [&label, &label, &label, &"a".repeat(length - 192)]
        .map(String::as_str)
        .join(".")
}

/// Names that are none, although each character is printable.
pub(super) fn refused_names() -> Vec<(&'static str, String)> {
    [
        ("empty name", ""),
        ("name in upper case", "A"),
        ("name with a space", "a b"),
        ("name with an underscore", "a_b"),
        ("label that begins with a hyphen", "a.-b.c"),
        ("label that ends with a hyphen", "a-.b"),
        ("name that is a hyphen", "-"),
        ("empty label", "a..b"),
        ("dot at the beginning", ".a"),
        ("dot at the end", "a."),
        ("name that is an ipv4 address", "1.2.3.4"),
        ("last label of digits", "a.b.1"),
        ("name of digits", "1"),
    ]
    .map(|(name, text)| (name, text.to_owned()))
    .into_iter()
    .chain([("label of 64 characters", "a".repeat(64))])
    .collect()
}

pub(super) fn samples() -> Vec<(&'static str, Address)> {
    let texts = [
        ("ipv4", "/ip4/203.0.113.7/udp/9000/quic-v1".to_owned()),
        (
            "ipv4 and peer",
            format!("/ip4/203.0.113.7/udp/9000/quic-v1/p2p/{PEER}"),
        ),
        (
            "any ipv4, any port",
            "/ip4/0.0.0.0/udp/0/quic-v1".to_owned(),
        ),
        (
            "port 250, one byte",
            "/ip4/203.0.113.7/udp/250/quic-v1".to_owned(),
        ),
        (
            "port 251, three bytes",
            "/ip4/203.0.113.7/udp/251/quic-v1".to_owned(),
        ),
        ("ipv6", "/ip6/2001:db8::7/udp/65535/quic-v1".to_owned()),
        (
            "name for ipv4",
            "/dns4/node.example.org/udp/443/quic-v1".to_owned(),
        ),
        (
            "name for ipv6",
            format!("/dns6/localhost/udp/443/quic-v1/p2p/{PEER}"),
        ),
        (
            "behind a relay",
            format!("/ip4/203.0.113.7/udp/9000/quic-v1/p2p/{RELAY}/p2p-circuit/p2p/{PEER}"),
        ),
        (
            "longest address",
            format!(
                "/dns6/{}/udp/65535/quic-v1/p2p/{PEER}/p2p-circuit/p2p/{RELAY}",
                name_of(253)
            ),
        ),
        (
            "label of 63 characters",
            format!("/dns4/{}/udp/443/quic-v1", "a".repeat(63)),
        ),
        (
            "hyphens and digits within a name",
            "/dns4/4.a--b.0x4/udp/443/quic-v1".to_owned(),
        ),
    ];
    texts
        .into_iter()
        .map(|(name, text)| (name, text.parse().unwrap()))
        .collect()
}

#[test]
fn address() {
    let mut vectors = Vectors::new("hex: the binary form of one address. value: its text form.");
    for (name, address) in samples() {
        let body = encode(&address);
        assert_eq!(decode(&body), Ok(address.clone()));
        vectors.valid(name, &body, json!(address.to_string()));
    }
    for (name, parts, violation) in refused_bytes() {
        let bytes = parts.concat();
        assert_eq!(
            decode::<Address>(&bytes.clone().into()),
            Err(violation),
            "{name}"
        );
        vectors.invalid(name, &bytes, violation);
    }
    for (name, text) in refused_names() {
        let length = u8::try_from(text.len()).unwrap();
        let bytes = [&[2, length], text.as_bytes(), &[80, 0]].concat();
        let verdict = decode::<Address>(&bytes.clone().into());
        assert_eq!(verdict, Err(Violation::InvalidAddress), "{name}");
        vectors.invalid(name, &bytes, Violation::InvalidAddress);
    }
    vectors.check("address.json");
}

#[rustfmt::skip]
fn refused_bytes() -> Vec<(&'static str, Vec<&'static [u8]>, Violation)> {
    const IP4: &[u8] = &[0, 203, 0, 113, 7];
    const MAPPED: &[u8] = &[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 203, 0, 113, 7];
    const PEER: &[u8] = &[0; 32];
    let long = Violation::OverLimit { length: 254, limit: 253 };
    vec![
        ("empty", vec![], Violation::Truncated),
        ("unknown kind of host", vec![&[4, 203, 0, 113, 7, 80, 0]], Violation::InvalidValue),
        ("unknown route", vec![IP4, &[80, 3]], Violation::InvalidValue),
        ("port missing", vec![IP4], Violation::Truncated),
        ("port beyond 16 bits", vec![IP4, &[252, 0, 0, 1, 0, 0]], Violation::InvalidValue),
        ("port not in its shortest form", vec![IP4, &[251, 80, 0, 0]], Violation::NonCanonical),
        ("peer id cut short", vec![IP4, &[80, 1], &PEER[..31]], Violation::Truncated),
        ("target missing", vec![IP4, &[80, 2], PEER], Violation::Truncated),
        ("ipv4-mapped ipv6", vec![MAPPED, &[80, 0]], Violation::InvalidAddress),
        ("kind of host not in its shortest form", vec![&[251, 0, 0], &IP4[1..], &[80, 0]], Violation::NonCanonical),
        ("kind of host with the marker of 32 bits", vec![&[252, 0, 0, 0, 0], &IP4[1..], &[80, 0]], Violation::NonCanonical),
        ("kind of host with the marker of 64 bits", vec![&[253, 0, 0, 0, 0, 0, 0, 0, 0], &IP4[1..], &[80, 0]], Violation::InvalidValue),
        ("route not in its shortest form", vec![IP4, &[80, 251, 0, 0]], Violation::NonCanonical),
        ("name with 0x7f", vec![&[2, 1, 0x7f, 80, 0]], Violation::InvalidText),
        ("name with 0x80", vec![&[2, 1, 0x80, 80, 0]], Violation::InvalidText),
        ("name length not in its shortest form", vec![&[2, 251, 1, 0, b'a', 80, 0]], Violation::NonCanonical),
        ("name beyond 253 characters", vec![&[2, 251, 254, 0], &[b'a'; 254], &[80, 0]], long),
        ("byte after the end", vec![IP4, &[80, 0, 0]], Violation::TrailingBytes),
    ]
}
