//! Golden vectors of what discovery computes and judges: which contacts may be told, where records are
//! held, whose they are.

use serde_json::json;

use super::{ContactFault, Key, Scope, check_contact};
use crate::crypto::{Label, Provider, RustCrypto, SignedInput, Suite};
use crate::identity::{PeerId, PublicKey};
use crate::wire::NetworkId;
use crate::wire::codec::{Payload, decode, encode};
use crate::wire::message::discovery::MutableRecord;
use crate::wire::tests::vectors::contacts::{PEER, RELAY, contact, contact_value, direct, relayed};
use crate::wire::tests::vectors::discovery::{KEY, TARGET};
use crate::wire::tests::vectors::records::{
    CREATED, Fields, LIFETIME, TYPICAL, owner, record, signed,
};
use crate::wire::tests::vectors::{Vectors, hex, variant};

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
            Err(fault) => vectors.invalid_unsent(name, &body, variant(&fault)),
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

#[test]
fn keys_of_values() {
    let mut vectors = Vectors::new(
        "hex: the value of an immutable record. value: the key under which it is held.",
    );
    for (name, value) in [
        ("no byte", &b""[..]),
        ("a few bytes", b"hello"),
        ("251 bytes", &[0xab; 251]),
    ] {
        let key = json!(hex(Key::of_value(value).as_bytes()));
        vectors.valid(name, value, key);
    }
    vectors.check("immutable_key.json");
}

#[test]
fn keys_of_owners() {
    let mut vectors = Vectors::new(
        "hex: the salt of a mutable record. value: its owner and the key under which it is held.",
    );
    let peer = owner().peer_id();
    let sevens = PeerId::from_bytes([7; 32]);
    for (name, owner, salt) in [
        ("no salt", peer, &b""[..]),
        ("a few bytes", peer, b"profile"),
        ("another owner", sevens, b"profile"),
        ("longest salt", sevens, &[0xee; 64]),
    ] {
        let value = json!({
            "owner": hex(owner.as_bytes()),
            "key": hex(Key::of_owner(owner, salt).as_bytes()),
        });
        vectors.valid(name, salt, value);
    }
    vectors.check("mutable_key.json");
}

#[test]
fn keys_of_roles() {
    let mut vectors =
        Vectors::new("text: the name of a role. value: the key under which nodes advertise it.");
    for role in ["relay", "", "Büro"] {
        let key = json!(hex(Key::of_role(role).as_bytes()));
        vectors.valid_text(&format!("role {role:?}"), role, key);
    }
    vectors.check("role_key.json");
}

#[test]
fn distances() {
    let mut vectors = Vectors::new(
        "hex: two keys. value: their distance, most significant byte first, and how many leading bits \
         they share.",
    );
    let mut last_bit = KEY;
    last_bit[31] ^= 1;
    for (name, a, b) in [
        ("same key", KEY, KEY),
        ("last bit", KEY, last_bit),
        ("first bit", [0; 32], [0x80; 32]),
        ("typical", KEY, TARGET),
    ] {
        let (from, to) = (Key::from_bytes(a), Key::from_bytes(b));
        let xor: Vec<u8> = a.iter().zip(b).map(|(a, b)| a ^ b).collect();
        let difference = Key::from_bytes(xor.clone().try_into().unwrap());
        let origin = Key::from_bytes([0; 32]);
        assert_eq!(from.distance(&to), origin.distance(&difference), "{name}");
        let value = json!({ "distance": hex(&xor), "common_prefix": from.common_prefix(&to) });
        vectors.valid(name, &[a, b].concat(), value);
    }
    vectors.check("distance.json");
}

/// What a reader of a mutable record on network `test` finds wrong with it, whatever the time.
fn verdict(record: &MutableRecord) -> Result<(PeerId, Key), String> {
    let suite = Suite::try_from(record.suite).map_err(|unknown| variant(&unknown))?;
    assert_eq!(suite, Suite::MlDsa87);
    let lifetime = record.expires.checked_sub(record.created);
    if !lifetime.is_some_and(|lifetime| (1..=LIFETIME).contains(&lifetime)) {
        return Err("Lifetime".to_owned());
    }
    let owner = PublicKey::ml_dsa_87(&record.public_key).peer_id();
    let signed = SignedInput::new(Label::MutableRecord, NetworkId::of("test").as_bytes())
        .array(owner.as_bytes())
        .hash_of(record.salt.as_bytes())
        .u64(record.sequence)
        .u64(record.created)
        .u64(record.expires)
        .hash_of(record.value.as_bytes());
    RustCrypto::new()
        .verify(&record.public_key, signed.as_bytes(), &record.signature)
        .map_err(|_| "Signature".to_owned())?;
    Ok((owner, Key::of_owner(owner, record.salt.as_bytes())))
}

#[test]
fn signatures_of_mutable_records() {
    let mut vectors = Vectors::new(
        "hex: the body of a record of kind 2 that decodes, on the network `test`. value: its owner, and \
         the key under which it is held. violation: what no passing of time can mend.",
    );
    let shortest = Fields {
        salt: b"",
        expires: CREATED + 1,
        ..TYPICAL
    };
    for (name, fields) in [
        ("lives 48 hours", TYPICAL),
        ("no salt, lives a millisecond", shortest),
    ] {
        let record = signed("test", &fields);
        let body = encode(&record);
        assert_eq!(decode(&body), Ok(record.clone()), "{name}");
        let (owner, key) = verdict(&record).unwrap();
        let value = json!({ "owner": hex(owner.as_bytes()), "key": hex(key.as_bytes()) });
        vectors.valid(name, &body, value);
    }
    for (name, record, error) in refused_signed() {
        assert_eq!(verdict(&record).unwrap_err(), error, "{name}");
        let body = encode(&record);
        assert_eq!(decode(&body), Ok(record), "{name}");
        vectors.invalid_unsent(name, &body, error.to_owned());
    }
    vectors.check("mutable_signature.json");
}

fn payload<const MAX: usize>(bytes: &'static [u8]) -> Payload<MAX> {
    bytes::Bytes::from_static(bytes).try_into().unwrap()
}

fn refused_signed() -> Vec<(&'static str, MutableRecord, &'static str)> {
    let valid = signed("test", &TYPICAL);
    let lasting = |expires| Fields { expires, ..TYPICAL };
    let too_long = signed("test", &lasting(CREATED + LIFETIME + 1));
    let no_time = signed("test", &lasting(CREATED));
    let of_suite = |suite| MutableRecord {
        suite,
        ..valid.clone()
    };
    let mut changed = valid.signature;
    changed[0] ^= 1;
    vec![
        ("suite 0, never assigned", of_suite(0), "UnknownSuite(0)"),
        ("suite 2, unassigned", of_suite(2), "UnknownSuite(2)"),
        ("lives a millisecond too long", too_long, "Lifetime"),
        ("expires when it is created", no_time, "Lifetime"),
        (
            "expires before it is created",
            record(&lasting(CREATED - 1), valid.signature),
            "Lifetime",
        ),
        (
            "signed for another network",
            signed("main", &TYPICAL),
            "Signature",
        ),
        (
            "one bit of the signature",
            record(&TYPICAL, changed),
            "Signature",
        ),
        (
            "another sequence",
            MutableRecord {
                sequence: 8,
                ..valid.clone()
            },
            "Signature",
        ),
        (
            "another value",
            MutableRecord {
                value: payload(b"hellp"),
                ..valid.clone()
            },
            "Signature",
        ),
        (
            "another salt",
            MutableRecord {
                salt: payload(b"profilf"),
                ..valid
            },
            "Signature",
        ),
    ]
}
