use std::net::SocketAddr;

use proptest::prelude::*;

use super::strategies;
use crate::wire::Address;
use crate::wire::address::{AddressError, Component, DnsName, Host, Route};

const PEER: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const RELAY: &str = "aeaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn parse(text: &str) -> Result<Address, AddressError> {
    text.replace("<peer>", PEER)
        .replace("<relay>", RELAY)
        .parse()
}

#[test]
fn each_form_parses_and_prints_as_it_was() {
    let forms = [
        "/ip4/1.2.3.4/udp/9000/quic-v1",
        "/ip4/1.2.3.4/udp/9000/quic-v1/p2p/<peer>",
        "/ip4/0.0.0.0/udp/0/quic-v1",
        "/ip6/2001:db8::1/udp/65535/quic-v1",
        "/dns4/node.example.org/udp/9000/quic-v1",
        "/dns6/localhost/udp/9000/quic-v1/p2p/<peer>",
        "/ip4/1.2.3.4/udp/9000/quic-v1/p2p/<relay>/p2p-circuit/p2p/<peer>",
    ];
    for form in forms {
        let text = form.replace("<peer>", PEER).replace("<relay>", RELAY);
        assert_eq!(parse(form).unwrap().to_string(), text);
    }
}

#[test]
fn other_spellings_of_an_ipv6_address_print_alike() {
    let address = parse("/ip6/2001:DB8:0:0:0:0:0:1/udp/1/quic-v1").unwrap();
    assert_eq!(address.to_string(), "/ip6/2001:db8::1/udp/1/quic-v1");
}

#[test]
fn an_error_names_the_component() {
    use AddressError::{Invalid, Missing, Unexpected};
    use Component::{
        Circuit, DnsName, End, HostKind, Ip4, Ip6, P2p, PeerId, Port, Quic, Slash, Udp,
    };
    let cases = [
        ("", Missing(Slash)),
        ("ip4/1.2.3.4", Unexpected(Slash)),
        ("/", Unexpected(HostKind)),
        ("/dns/a.org/udp/1/quic-v1", Unexpected(HostKind)),
        ("/ip4", Missing(Ip4)),
        ("/ip4/1.2.3/udp/1/quic-v1", Invalid(Ip4)),
        ("/ip4/01.2.3.4/udp/1/quic-v1", Invalid(Ip4)),
        ("/ip4/::1/udp/1/quic-v1", Invalid(Ip4)),
        ("/ip6/1.2.3.4/udp/1/quic-v1", Invalid(Ip6)),
        ("/ip6/fe80::1%eth0/udp/1/quic-v1", Invalid(Ip6)),
        ("/ip6/::ffff:1.2.3.4/udp/1/quic-v1", Invalid(Ip6)),
        ("/dns4/Example.org/udp/1/quic-v1", Invalid(DnsName)),
        ("/dns6//udp/1/quic-v1", Invalid(DnsName)),
        ("/ip4/1.2.3.4", Missing(Udp)),
        ("/ip4/1.2.3.4/tcp/1/quic-v1", Unexpected(Udp)),
        ("/ip4/1.2.3.4/udp", Missing(Port)),
        ("/ip4/1.2.3.4/udp/65536/quic-v1", Invalid(Port)),
        ("/ip4/1.2.3.4/udp/+1/quic-v1", Invalid(Port)),
        ("/ip4/1.2.3.4/udp/01/quic-v1", Invalid(Port)),
        ("/ip4/1.2.3.4/udp/00/quic-v1", Invalid(Port)),
        ("/ip4/1.2.3.4/udp//quic-v1", Invalid(Port)),
        ("/ip4/1.2.3.4/udp/1", Missing(Quic)),
        ("/ip4/1.2.3.4/udp/1/quic", Unexpected(Quic)),
        ("/ip4/1.2.3.4/udp/1/quic-v1/", Unexpected(P2p)),
        (
            "/ip4/1.2.3.4/udp/1/quic-v1/p2p-circuit/p2p/<peer>",
            Unexpected(P2p),
        ),
        ("/ip4/1.2.3.4/udp/1/quic-v1/p2p", Missing(PeerId)),
        ("/ip4/1.2.3.4/udp/1/quic-v1/p2p/x", Invalid(PeerId)),
        (
            "/ip4/1.2.3.4/udp/1/quic-v1/p2p/<peer>/",
            Unexpected(Circuit),
        ),
        (
            "/ip4/1.2.3.4/udp/1/quic-v1/p2p/<relay>/p2p-circuit",
            Missing(P2p),
        ),
        (
            "/ip4/1.2.3.4/udp/1/quic-v1/p2p/<relay>/p2p-circuit/<peer>",
            Unexpected(P2p),
        ),
        (
            "/ip4/1.2.3.4/udp/1/quic-v1/p2p/<relay>/p2p-circuit/p2p/<peer>/x",
            Unexpected(End),
        ),
    ];
    for (text, error) in cases {
        assert_eq!(parse(text), Err(error), "{text}");
    }
}

#[test]
fn a_text_beyond_the_limit_is_not_looked_at() {
    let limit = Address::MAX_TEXT_LEN;
    assert_eq!(
        parse(&"/".repeat(limit + 1)),
        Err(AddressError::TooLong { limit })
    );
    assert_eq!(
        parse(&"/".repeat(limit)),
        Err(AddressError::Unexpected(Component::HostKind))
    );
}

#[test]
fn dns_names_keep_to_their_limits() {
    let label = |length: usize| "a".repeat(length);
    assert!(label(63).parse::<DnsName>().is_ok());
    assert!(label(64).parse::<DnsName>().is_err());
    let name = |last: usize| [label(63), label(63), label(63), label(last)].join(".");
    assert_eq!(name(61).len(), DnsName::MAX_LEN);
    assert!(name(60).parse::<DnsName>().is_ok());
    assert!(name(61).parse::<DnsName>().is_ok());
    assert!(name(62).parse::<DnsName>().is_err());
}

#[test]
fn only_host_names_are_dns_names() {
    for text in [
        "a",
        "a-b.c",
        "4.example",
        "xn--bcher-kva.example",
        "127.0.0.1.nip.io",
    ] {
        assert!(text.parse::<DnsName>().is_ok(), "{text}");
    }
    for text in [
        "", ".", "a.", ".a", "a..b", "-a", "a-", "a_b", "bücher", "A", "1.2.3.4", "7", "a b",
    ] {
        assert!(text.parse::<DnsName>().is_err(), "{text}");
    }
}

#[test]
fn accessors_look_behind_the_relay_or_at_it() {
    let direct = parse("/ip4/8.8.8.8/udp/9000/quic-v1/p2p/<relay>").unwrap();
    let relayed = direct.clone().through(PEER.parse().unwrap()).unwrap();
    assert_eq!(relayed.peer_id(), Some(PEER.parse().unwrap()));
    assert_eq!(relayed.relay(), Some(direct.clone()));
    assert_eq!(relayed.socket_addr(), direct.socket_addr());
    assert_eq!(relayed.socket_addr(), Some("8.8.8.8:9000".parse().unwrap()));
    assert_eq!(direct.relay(), None);
    let other = relayed.clone().with_peer_id(RELAY.parse().unwrap());
    assert_eq!(other.peer_id(), Some(RELAY.parse().unwrap()));
    assert_eq!(other.relay(), Some(direct));
}

#[test]
fn one_relay_is_as_far_as_an_address_goes() {
    let peer = PEER.parse().unwrap();
    let unknown = parse("/ip4/8.8.8.8/udp/9000/quic-v1").unwrap();
    assert_eq!(unknown.clone().through(peer), None);
    let relayed = unknown.with_peer_id(peer).through(peer).unwrap();
    assert_eq!(relayed.through(peer), None);
}

#[test]
fn a_mapped_socket_address_is_an_ipv4_address() {
    let socket: SocketAddr = "[::ffff:8.8.8.8]:9000".parse().unwrap();
    assert_eq!(
        Address::from(socket),
        parse("/ip4/8.8.8.8/udp/9000/quic-v1").unwrap()
    );
}

#[test]
fn routable_and_dialable_are_told_apart() {
    let cases = [
        ("/ip4/8.8.8.8/udp/9000/quic-v1", true, true),
        ("/ip4/8.8.8.8/udp/0/quic-v1", true, false),
        ("/ip4/127.0.0.1/udp/9000/quic-v1", false, true),
        ("/ip4/0.0.0.0/udp/9000/quic-v1", false, false),
        ("/ip4/224.0.0.1/udp/9000/quic-v1", false, false),
        ("/ip4/255.255.255.255/udp/9000/quic-v1", false, false),
        ("/ip6/::/udp/9000/quic-v1", false, false),
        ("/ip6/ff02::1/udp/9000/quic-v1", false, false),
        ("/ip6/fe80::1/udp/9000/quic-v1", false, true),
        ("/ip6/2a00:1450::1/udp/9000/quic-v1", true, true),
        ("/dns4/example.org/udp/9000/quic-v1", true, true),
    ];
    for (text, routable, dialable) in cases {
        let address = parse(text).unwrap();
        assert_eq!(address.is_globally_routable(), routable, "{text}");
        assert_eq!(address.is_dialable(), dialable, "{text}");
    }
}

#[test]
fn a_mapped_host_cannot_be_built() {
    let mapped = Host::Ip6("::ffff:8.8.8.8".parse().unwrap());
    let address = Address::new(mapped, 1, Route::Anyone);
    assert_eq!(address.host(), &Host::Ip4([8, 8, 8, 8].into()));
}

proptest! {
    #[test]
    fn text_and_value_are_one_to_one(address in strategies::address()) {
        let text = address.to_string();
        prop_assert!(text.len() <= Address::MAX_TEXT_LEN);
        prop_assert_eq!(text.parse(), Ok(address));
    }

    #[test]
    fn arbitrary_text_never_panics(text: String, tail in "(/[a-z0-9.:-]{0,12}){0,9}") {
        let _ = text.parse::<Address>();
        if let Ok(address) = tail.parse::<Address>() {
            prop_assert_eq!(address.to_string().parse(), Ok(address));
        }
    }
}
