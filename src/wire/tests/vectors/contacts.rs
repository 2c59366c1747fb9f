//! Contacts, and which of them may be told.

use serde_json::{Value as Json, json};

use super::discovery::{KEY, accept};
use super::messages::refuse;
use super::{Vectors, hex};
use crate::discovery::{ContactFault, Scope, check_contact};
use crate::identity::PeerId;
use crate::wire::codec::{decode, encode};
use crate::wire::message::discovery::Contact;
use crate::wire::{Address, Violation};

/// The peer of every contact here, and a relay.
const PEER: &str = super::addresses::PEER;
const RELAY: &str = super::addresses::RELAY;

fn contact(addresses: &[String]) -> Contact {
    let parse = |text: &String| text.parse::<Address>().unwrap();
    Contact {
        peer: PEER.parse::<PeerId>().unwrap(),
        addresses: addresses
            .iter()
            .map(parse)
            .collect::<Vec<_>>()
            .try_into()
            .unwrap(),
    }
}

fn direct(endpoint: &str) -> String {
    format!("{endpoint}/quic-v1")
}

fn relayed(endpoint: &str, target: &str) -> String {
    format!("{endpoint}/quic-v1/p2p/{RELAY}/p2p-circuit/p2p/{target}")
}

/// A contact without addresses.
pub(super) fn bare() -> Contact {
    contact(&[])
}

pub(super) fn contact_value(contact: &Contact) -> Json {
    let addresses = contact.addresses.iter().map(Address::to_string);
    json!({
        "peer": hex(contact.peer.as_bytes()),
        "addresses": addresses.collect::<Vec<_>>(),
    })
}

pub(super) fn samples() -> Vec<(&'static str, Contact)> {
    let (ip4, ip6) = ("/ip4/203.0.113.7/udp/9000", "/ip6/2001:db8::7/udp/9000");
    vec![
        ("one address", contact(&[direct(ip4)])),
        (
            "four addresses",
            contact(&[
                direct(ip4),
                direct(ip6),
                relayed(ip4, PEER),
                relayed(ip6, PEER),
            ]),
        ),
        ("no address", bare()),
    ]
}

#[test]
fn contact_encoding() {
    let mut vectors = Vectors::new(
        "hex: a Contact, as it stands in NODES, VALUE and PROVIDERS. value: its fields, addresses as \
         text. Its addresses are not judged here.",
    );
    for (name, contact) in samples() {
        accept(&mut vectors, name, &contact, contact_value(&contact));
    }
    let name = contact(&["/dns4/node.example.org/udp/443/quic-v1".to_owned()]);
    let value = contact_value(&name);
    accept(&mut vectors, "name, which decodes", &name, value);
    let over = Violation::OverLimit {
        length: 5,
        limit: 4,
    };
    let with = |tail: &[u8]| [&KEY[..], tail].concat();
    for (name, bytes, violation) in [
        ("empty", vec![], Violation::Truncated),
        ("peer of 31 bytes", KEY[..31].to_vec(), Violation::Truncated),
        ("no addresses", KEY.to_vec(), Violation::Truncated),
        (
            "five addresses",
            with(&[vec![5], vec![0; 35]].concat()),
            over,
        ),
        (
            "two addresses in seven bytes",
            with(&[2, 0, 203, 0, 113, 7, 80, 0]),
            Violation::Truncated,
        ),
        (
            "number of addresses not in its shortest form",
            with(&[251, 0, 0]),
            Violation::NonCanonical,
        ),
        (
            "byte after the end",
            with(&[0, 0]),
            Violation::TrailingBytes,
        ),
    ] {
        refuse::<Contact>(&mut vectors, name, &bytes, violation);
    }
    vectors.check("contact.json");
}

/// Addresses of a contact, and the verdict on them when the teller is reached over the public
/// Internet and when it is not.
type Told = (
    &'static str,
    Vec<String>,
    Result<(), ContactFault>,
    Result<(), ContactFault>,
);

#[rustfmt::skip]
fn told() -> Vec<Told> {
    use ContactFault::{Name, NotDialable, NotOfPeer, Private};
    let ip4 = "/ip4/9.9.9.9/udp/9000";
    let ip6 = "/ip6/2620:fe::fe/udp/9000";
    let refused = |fault| (Err(fault), Err(fault));
    let private = (Err(Private), Ok(()));
    let public = (Ok(()), Ok(()));
    let named = |peer: &str| format!("{ip4}/quic-v1/p2p/{peer}");
    let cases = [
        ("no address", vec![], public),
        ("direct and relayed", vec![direct(ip4), direct(ip6), relayed(ip4, PEER), relayed(ip6, PEER)], public),
        ("largest port", vec![direct("/ip4/9.9.9.9/udp/65535")], public),
        ("name", vec![direct("/dns4/node.example.org/udp/443")], refused(Name)),
        ("name behind the first address", vec![direct(ip4), direct("/dns6/localhost/udp/443")], refused(Name)),
        ("port zero", vec![direct("/ip4/9.9.9.9/udp/0")], refused(NotDialable)),
        ("unspecified ipv4", vec![direct("/ip4/0.0.0.0/udp/9000")], refused(NotDialable)),
        ("unspecified ipv6", vec![direct("/ip6/::/udp/9000")], refused(NotDialable)),
        ("multicast ipv4", vec![direct("/ip4/239.255.255.255/udp/9000")], refused(NotDialable)),
        ("multicast ipv6", vec![direct("/ip6/ff0e::1/udp/9000")], refused(NotDialable)),
        ("broadcast", vec![direct("/ip4/255.255.255.255/udp/9000")], refused(NotDialable)),
        ("loopback", vec![direct("/ip4/127.0.0.1/udp/9000")], private),
        ("private", vec![direct("/ip4/192.168.1.2/udp/9000")], private),
        ("carrier-grade NAT", vec![direct("/ip4/100.64.0.1/udp/9000")], private),
        ("documentation", vec![direct("/ip4/203.0.113.7/udp/9000")], private),
        ("link-local ipv6", vec![direct("/ip6/fe80::1/udp/9000")], private),
        ("unique local ipv6", vec![direct("/ip6/fd00::1/udp/9000")], private),
        ("private ipv4 inside NAT64", vec![direct("/ip6/64:ff9b::a00:1/udp/9000")], private),
        ("public ipv4 inside NAT64", vec![direct("/ip6/64:ff9b::909:909/udp/9000")], public),
        ("relay at a private address", vec![relayed("/ip4/10.0.0.1/udp/9000", PEER)], private),
        ("direct address with the peer", vec![named(PEER)], refused(NotOfPeer)),
        ("direct address with another peer", vec![named(RELAY)], refused(NotOfPeer)),
        ("relayed address of another target", vec![relayed(ip4, RELAY)], refused(NotOfPeer)),
        ("name and port zero", vec![direct("/dns4/node.example.org/udp/0")], refused(Name)),
        ("private address of somebody else", vec![format!("/ip4/10.0.0.1/udp/9000/quic-v1/p2p/{PEER}")], (Err(Private), Err(NotOfPeer))),
        ("port zero before a name", vec![direct("/ip4/9.9.9.9/udp/0"), direct("/dns4/node.example.org/udp/443")], refused(NotDialable)),
    ];
    cases.map(|(name, addresses, (public, local))| (name, addresses, public, local)).into()
}

fn check_told(scope: Scope, description: &'static str, file: &str) {
    let mut vectors = Vectors::new(description);
    for (name, addresses, public, local) in told() {
        let contact = contact(&addresses);
        let body = encode(&contact);
        assert_eq!(decode(&body), Ok(contact.clone()), "{name}");
        let verdict = check_contact(&contact, scope);
        let expected = match scope {
            Scope::Public => public,
            Scope::Local => local,
        };
        assert_eq!(verdict, expected, "{name}");
        match verdict {
            Ok(()) => vectors.valid(name, &body, contact_value(&contact)),
            Err(fault) => vectors.invalid_unsent(name, &body, super::variant(&fault)),
        }
    }
    vectors.check(file);
}

#[test]
fn contacts_told_over_the_internet() {
    check_told(
        Scope::Public,
        "hex: a Contact that decodes, told by a node that is reached over the public Internet. value: \
         its fields, addresses as text. violation: the rule that its addresses break.",
        "contact_public.json",
    );
}

#[test]
fn contacts_told_within_a_local_network() {
    check_told(
        Scope::Local,
        "hex: a Contact that decodes, told by a node that is not reached over the public Internet. \
         value: its fields, addresses as text. violation: the rule that its addresses break.",
        "contact_local.json",
    );
}
