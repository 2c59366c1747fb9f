//! Contacts, whatever their addresses.

use serde_json::{Value as Json, json};

use super::discovery::{KEY, accept};
use super::messages::refuse;
use super::{Vectors, hex};
use crate::identity::PeerId;
use crate::wire::message::discovery::Contact;
use crate::wire::{Address, Violation};

/// The peer of every contact here, and a relay.
pub(crate) const PEER: &str = super::addresses::PEER;
pub(crate) const RELAY: &str = super::addresses::RELAY;

pub(crate) fn contact(addresses: &[String]) -> Contact {
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

pub(crate) fn direct(endpoint: &str) -> String {
    format!("{endpoint}/quic-v1")
}

pub(crate) fn relayed(endpoint: &str, target: &str) -> String {
    format!("{endpoint}/quic-v1/p2p/{RELAY}/p2p-circuit/p2p/{target}")
}

/// A contact without addresses.
pub(super) fn bare() -> Contact {
    contact(&[])
}

pub(crate) fn contact_value(contact: &Contact) -> Json {
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
