use serde_json::json;

use super::Vectors;
use super::addresses::{PEER, name_of, refused_names, samples};
use crate::wire::Address;
use crate::wire::address::{AddressError, Component};

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
    for (name, ip, canonical) in SPELLINGS {
        let text = format!("/ip6/{ip}/udp/1/quic-v1");
        let address: Address = text.parse().unwrap();
        assert_eq!(
            address.to_string(),
            format!("/ip6/{canonical}/udp/1/quic-v1")
        );
        vectors.valid_text(name, &text, json!(address.to_string()));
    }
    for (name, text, error) in refused_texts() {
        assert_eq!(text.parse::<Address>(), Err(error), "{name}");
        vectors.invalid_text(name, &text, &error);
    }
    for (name, host) in refused_names() {
        let text = format!("/dns6/{host}/udp/1/quic-v1");
        let error = AddressError::Invalid(Component::DnsName);
        assert_eq!(text.parse::<Address>(), Err(error), "{name}");
        vectors.invalid_text(name, &text, &error);
    }
    vectors.check("address_text.json");
}

/// Spellings of IPv6 addresses, and the one that RFC 5952 recommends.
#[rustfmt::skip]
const SPELLINGS: [(&str, &str, &str); 9] = [
    ("upper case", "2001:DB8:0::7", "2001:db8::7"),
    ("zeros before groups", "2001:0db8::0007", "2001:db8::7"),
    ("no gap", "0:0:0:0:0:0:0:0", "::"),
    ("gap in the place of one group", "2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
    ("gap in the place of the second of two runs", "2001:db8:0:0:1::1", "2001:db8::1:0:0:1"),
    ("longer run last", "2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
    ("ipv4 tail", "64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
    ("ipv4 tail without a gap", "1:2:3:4:5:6:192.0.2.33", "1:2:3:4:5:6:c000:221"),
    ("ipv4-compatible", "::1.2.3.4", "::102:304"),
];

#[rustfmt::skip]
fn refused_texts() -> Vec<(&'static str, String, AddressError)> {
    use AddressError::{Invalid, Missing, TooLong, Unexpected};
    use Component::{Circuit, DnsName, End, HostKind, Ip4, Ip6, P2p, PeerId, Port, Quic, Slash, Udp};
    let direct = format!("/ip4/1.2.3.4/udp/1/quic-v1/p2p/{PEER}");
    vec![
        ("empty", String::new(), Missing(Slash)),
        ("slash alone", "/".into(), Unexpected(HostKind)),
        ("two slashes", "//ip4/1.2.3.4/udp/1/quic-v1".into(), Unexpected(HostKind)),
        ("end before the ipv4 address", "/ip4".into(), Missing(Ip4)),
        ("end before the ipv6 address", "/ip6".into(), Missing(Ip6)),
        ("end before the name", "/dns4".into(), Missing(DnsName)),
        ("end before udp", "/ip4/1.2.3.4".into(), Missing(Udp)),
        ("end before the port", "/ip4/1.2.3.4/udp".into(), Missing(Port)),
        ("end before quic-v1", "/ip4/1.2.3.4/udp/1".into(), Missing(Quic)),
        ("end before the peer id", "/ip4/1.2.3.4/udp/1/quic-v1/p2p".into(), Missing(PeerId)),
        ("end before the second p2p", format!("{direct}/p2p-circuit"), Missing(P2p)),
        ("end before the target", format!("{direct}/p2p-circuit/p2p"), Missing(PeerId)),
        ("target without p2p", format!("{direct}/p2p-circuit/{PEER}"), Unexpected(P2p)),
        ("target that is no peer id", format!("{direct}/p2p-circuit/p2p/a"), Invalid(PeerId)),
        ("empty port", "/ip4/1.2.3.4/udp//quic-v1".into(), Invalid(Port)),
        ("empty ipv4 address", "/ip4//udp/1/quic-v1".into(), Invalid(Ip4)),
        ("empty peer id", "/ip4/1.2.3.4/udp/1/quic-v1/p2p/".into(), Invalid(PeerId)),
        ("slash after the peer id", format!("{direct}/"), Unexpected(Circuit)),
        ("slash after the target", format!("{direct}/p2p-circuit/p2p/{PEER}/"), Unexpected(End)),
        ("quic without version", "/ip4/1.2.3.4/udp/1/quic".into(), Unexpected(Quic)),
        ("ipv6 in the place of ipv4", "/ip4/::1/udp/1/quic-v1".into(), Invalid(Ip4)),
        ("ipv4 in the place of ipv6", "/ip6/1.2.3.4/udp/1/quic-v1".into(), Invalid(Ip6)),
        ("three numbers", "/ip4/1.2.3/udp/1/quic-v1".into(), Invalid(Ip4)),
        ("number above 255", "/ip4/1.2.3.256/udp/1/quic-v1".into(), Invalid(Ip4)),
        ("zero before a number of an ipv4 tail", "/ip6/64:ff9b::1.2.3.04/udp/1/quic-v1".into(), Invalid(Ip6)),
        ("ipv4-mapped ipv6 in groups", "/ip6/::ffff:102:304/udp/1/quic-v1".into(), Invalid(Ip6)),
        ("group of five digits", "/ip6/2001:00db8::1/udp/1/quic-v1".into(), Invalid(Ip6)),
        ("nine groups", "/ip6/1:2:3:4:5:6:7:8:9/udp/1/quic-v1".into(), Invalid(Ip6)),
        ("gap of no group", "/ip6/1:2:3:4::5:6:7:8/udp/1/quic-v1".into(), Invalid(Ip6)),
        ("two gaps", "/ip6/1::2::3/udp/1/quic-v1".into(), Invalid(Ip6)),
        ("name beyond 253 characters", format!("/dns4/{}/udp/1/quic-v1", name_of(254)), Invalid(DnsName)),
        ("letter beyond ASCII in a name", "/dns4/büro.example/udp/1/quic-v1".into(), Invalid(DnsName)),
        ("no leading slash", "ip4/1.2.3.4/udp/1/quic-v1".into(), Unexpected(Slash)),
        ("unknown kind of host", "/dns/a.org/udp/1/quic-v1".into(), Unexpected(HostKind)),
        ("zero before an octet", "/ip4/01.2.3.4/udp/1/quic-v1".into(), Invalid(Ip4)),
        ("ipv6 zone", "/ip6/fe80::1%eth0/udp/1/quic-v1".into(), Invalid(Ip6)),
        ("ipv4-mapped ipv6", "/ip6/::ffff:1.2.3.4/udp/1/quic-v1".into(), Invalid(Ip6)),
        ("tcp", "/ip4/1.2.3.4/tcp/1/quic-v1".into(), Unexpected(Udp)),
        ("port beyond 16 bits", "/ip4/1.2.3.4/udp/65536/quic-v1".into(), Invalid(Port)),
        ("zero before the port", "/ip4/1.2.3.4/udp/01/quic-v1".into(), Invalid(Port)),
        ("plus before the port", "/ip4/1.2.3.4/udp/+1/quic-v1".into(), Invalid(Port)),
        ("slash at the end", "/ip4/1.2.3.4/udp/1/quic-v1/".into(), Unexpected(P2p)),
        ("peer id too short", "/ip4/1.2.3.4/udp/1/quic-v1/p2p/aaaa".into(), Invalid(PeerId)),
        ("word after the peer id", format!("{direct}/x"), Unexpected(Circuit)),
        ("relay without peer id", format!("/ip4/1.2.3.4/udp/1/quic-v1/p2p-circuit/p2p/{PEER}"), Unexpected(P2p)),
        ("two relays", format!("{direct}/p2p-circuit/p2p/{PEER}/p2p-circuit/p2p/{PEER}"), Unexpected(End)),
        ("longest text that is looked at", "/".repeat(512), Unexpected(HostKind)),
        ("one character more", "/".repeat(513), TooLong { limit: 512 }),
        ("257 characters in 513 bytes", format!("/{}", "ü".repeat(256)), TooLong { limit: 512 }),
    ]
}
