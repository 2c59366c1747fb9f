use serde_json::json;

use super::Vectors;
use crate::wire::address::{AddressError, Component};
use crate::wire::codec::{decode, encode};
use crate::wire::{Address, Violation};

const PEER: &str = "aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypq";
const RELAY: &str = "777777777777777777777777777777777777777777777777777q";

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
    vectors.check("address.json");
}

#[test]
fn address_text() {
    let mut vectors = Vectors::new(
        "text: an address as text. value: its canonical text. violation: what is wrong, and with \
         which part.",
    );
    for (name, address) in samples() {
        let text = address.to_string();
        vectors.valid_text(name, &text, json!(text));
    }
    let other_spelling = "/ip6/2001:DB8:0::7/udp/1/quic-v1";
    let address: Address = other_spelling.parse().unwrap();
    vectors.valid_text(
        "other spelling of an ipv6 address",
        other_spelling,
        json!(address.to_string()),
    );
    for (name, text, error) in refused_texts() {
        assert_eq!(text.parse::<Address>(), Err(error), "{name}");
        vectors.invalid_text(name, &text, &error);
    }
    vectors.check("address_text.json");
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
        ("name in upper case", vec![&[2, 1, b'A', 80, 0]], Violation::InvalidAddress),
        ("name that is an ipv4 address", vec![&[2, 7], b"1.2.3.4", &[80, 0]], Violation::InvalidAddress),
        ("name beyond 253 characters", vec![&[2, 251, 254, 0], &[b'a'; 254], &[80, 0]], long),
        ("byte after the end", vec![IP4, &[80, 0, 0]], Violation::TrailingBytes),
    ]
}

#[rustfmt::skip]
fn refused_texts() -> Vec<(&'static str, String, AddressError)> {
    use AddressError::{Invalid, Missing, TooLong, Unexpected};
    use Component::{Circuit, DnsName, End, HostKind, Ip4, Ip6, P2p, PeerId, Port, Quic, Slash, Udp};
    let direct = format!("/ip4/1.2.3.4/udp/1/quic-v1/p2p/{PEER}");
    vec![
        ("no leading slash", "ip4/1.2.3.4/udp/1/quic-v1".into(), Unexpected(Slash)),
        ("unknown kind of host", "/dns/a.org/udp/1/quic-v1".into(), Unexpected(HostKind)),
        ("zero before an octet", "/ip4/01.2.3.4/udp/1/quic-v1".into(), Invalid(Ip4)),
        ("ipv6 zone", "/ip6/fe80::1%eth0/udp/1/quic-v1".into(), Invalid(Ip6)),
        ("ipv4-mapped ipv6", "/ip6/::ffff:1.2.3.4/udp/1/quic-v1".into(), Invalid(Ip6)),
        ("name in upper case", "/dns4/Example.org/udp/1/quic-v1".into(), Invalid(DnsName)),
        ("name that is an ipv4 address", "/dns4/1.2.3.4/udp/1/quic-v1".into(), Invalid(DnsName)),
        ("tcp", "/ip4/1.2.3.4/tcp/1/quic-v1".into(), Unexpected(Udp)),
        ("port beyond 16 bits", "/ip4/1.2.3.4/udp/65536/quic-v1".into(), Invalid(Port)),
        ("zero before the port", "/ip4/1.2.3.4/udp/01/quic-v1".into(), Invalid(Port)),
        ("plus before the port", "/ip4/1.2.3.4/udp/+1/quic-v1".into(), Invalid(Port)),
        ("no transport", "/ip4/1.2.3.4/udp/1".into(), Missing(Quic)),
        ("slash at the end", "/ip4/1.2.3.4/udp/1/quic-v1/".into(), Unexpected(P2p)),
        ("peer id too short", "/ip4/1.2.3.4/udp/1/quic-v1/p2p/aaaa".into(), Invalid(PeerId)),
        ("word after the peer id", format!("{direct}/x"), Unexpected(Circuit)),
        ("relay without peer id", format!("/ip4/1.2.3.4/udp/1/quic-v1/p2p-circuit/p2p/{PEER}"), Unexpected(P2p)),
        ("two relays", format!("{direct}/p2p-circuit/p2p/{PEER}/p2p-circuit/p2p/{PEER}"), Unexpected(End)),
        ("too long", "/".repeat(513), TooLong { limit: 512 }),
    ]
}
