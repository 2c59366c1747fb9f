use serde_json::{Value, json};

use super::{Vectors, addresses};
use crate::wire::Violation;
use crate::wire::codec::{WireType, decode, encode};
use crate::wire::message::identify::{Identify, Roles, SupportedProtocol};
use crate::wire::message::observed::Observed;
use crate::wire::message::ping::Ping;

fn identify_value(message: &Identify) -> Value {
    let text = |address: &crate::wire::Address| address.to_string();
    let protocol = |protocol: &SupportedProtocol| {
        json!({
            "number": protocol.number,
            "min_version": protocol.min_version,
            "max_version": protocol.max_version,
        })
    };
    json!({
        "agent": message.agent.as_str(),
        "listen_addresses": message.listen_addresses.iter().map(text).collect::<Vec<_>>(),
        "protocols": message.protocols.iter().map(protocol).collect::<Vec<_>>(),
        "roles": message.roles.bits,
        "observed_address": message.observed_address.as_ref().map(text),
    })
}

fn sample() -> Identify {
    let protocol = |number, max_version| SupportedProtocol {
        number,
        min_version: 1,
        max_version,
    };
    Identify {
        agent: "creto/0.1.0".parse().unwrap(),
        listen_addresses: addresses::samples()
            .into_iter()
            .take(2)
            .map(|(_, address)| address)
            .collect::<Vec<_>>()
            .try_into()
            .unwrap(),
        protocols: vec![protocol(1, 1), protocol(2, 1), protocol(0x40, 300)]
            .try_into()
            .unwrap(),
        roles: Roles::SERVER,
        observed_address: addresses::samples()
            .into_iter()
            .find(|(name, _)| *name == "behind a relay")
            .map(|(_, address)| address),
    }
}

fn empty() -> Identify {
    Identify {
        agent: "".parse().unwrap(),
        listen_addresses: vec![].try_into().unwrap(),
        protocols: vec![].try_into().unwrap(),
        roles: Roles::default(),
        observed_address: None,
    }
}

/// Checks that the bytes are refused as expected and adds them.
pub(super) fn refuse<T: WireType>(
    vectors: &mut Vectors,
    name: &str,
    bytes: &[u8],
    violation: Violation,
) {
    let verdict = decode::<T>(&bytes.to_vec().into()).map(drop);
    assert_eq!(verdict, Err(violation), "{name}");
    vectors.invalid(name, bytes, violation);
}

#[test]
fn identify() {
    let mut vectors = Vectors::new(
        "hex: the body of HELLO or HELLO_REPLY (protocol 1). value: its fields, addresses as text.",
    );
    let full = Identify {
        agent: "~".repeat(64).parse().unwrap(),
        listen_addresses: vec![sample().listen_addresses[0].clone(); 8]
            .try_into()
            .unwrap(),
        protocols: vec![sample().protocols[0]; 64].try_into().unwrap(),
        roles: Roles { bits: u32::MAX },
        observed_address: None,
    };
    let edges = Identify {
        agent: " ~".parse().unwrap(),
        ..empty()
    };
    for (name, message) in [
        ("typical", sample()),
        ("empty", empty()),
        ("every list full", full),
        ("first and last printable character in the agent", edges),
    ] {
        let body = encode(&message);
        assert_eq!(decode(&body), Ok(message.clone()));
        vectors.valid(name, &body, identify_value(&message));
    }
    assert_eq!(encode(&empty()), [0; 5].as_slice());
    for (name, bytes, violation) in refused_identify() {
        refuse::<Identify>(&mut vectors, name, &bytes, violation);
    }
    vectors.check("identify.json");
}

#[test]
fn ping() {
    let mut vectors =
        Vectors::new("hex: the body of PING or PONG (protocol 2). value: the nonce, in decimal.");
    for nonce in [
        0,
        250,
        251,
        65_535,
        65_536,
        u64::from(u32::MAX),
        1 << 32,
        u64::MAX,
    ] {
        let body = encode(&Ping { nonce });
        assert_eq!(decode(&body), Ok(Ping { nonce }));
        let value = json!({ "nonce": nonce.to_string() });
        vectors.valid(&format!("nonce {nonce}"), &body, value);
    }
    let small = [&[253][..], &7u64.to_le_bytes()].concat();
    refuse::<Ping>(&mut vectors, "empty", &[], Violation::Truncated);
    refuse::<Ping>(
        &mut vectors,
        "truncated",
        &[253, 1, 2, 3, 4, 5, 6, 7],
        Violation::Truncated,
    );
    refuse::<Ping>(
        &mut vectors,
        "byte after the end",
        &[7, 0],
        Violation::TrailingBytes,
    );
    refuse::<Ping>(
        &mut vectors,
        "small nonce in nine bytes",
        &small,
        Violation::NonCanonical,
    );
    refuse::<Ping>(
        &mut vectors,
        "250 in three bytes",
        &[251, 250, 0],
        Violation::NonCanonical,
    );
    refuse::<Ping>(
        &mut vectors,
        "marker of a 128-bit integer",
        &[254; 17],
        Violation::InvalidValue,
    );
    refuse::<Ping>(
        &mut vectors,
        "reserved marker",
        &[255],
        Violation::InvalidValue,
    );
    vectors.check("ping.json");
}

#[test]
fn observed() {
    let mut vectors = Vectors::new(
        "hex: the body of OBSERVED (protocol 3). value: sequence number, in decimal, and address.",
    );
    for (name, address) in addresses::samples().into_iter().take(2) {
        for sequence in [0, u64::MAX] {
            let message = Observed {
                sequence,
                address: address.clone(),
            };
            let body = encode(&message);
            assert_eq!(decode(&body), Ok(message));
            let value = json!({ "sequence": sequence.to_string(), "address": address.to_string() });
            vectors.valid(&format!("{name}, sequence {sequence}"), &body, value);
        }
    }
    let address = encode(&addresses::samples()[0].1);
    let with = |head: &[u8], tail: &[u8]| [head, &address, tail].concat();
    refuse::<Observed>(&mut vectors, "no address", &[0], Violation::Truncated);
    refuse::<Observed>(
        &mut vectors,
        "byte after the end",
        &with(&[0], &[0]),
        Violation::TrailingBytes,
    );
    refuse::<Observed>(
        &mut vectors,
        "sequence not in its shortest form",
        &with(&[251, 1, 0], &[]),
        Violation::NonCanonical,
    );
    refuse::<Observed>(
        &mut vectors,
        "unknown kind of host",
        &[0, 9, 0],
        Violation::InvalidValue,
    );
    vectors.check("observed.json");
}

/// Variations of the empty message, which is five zeros.
#[rustfmt::skip]
fn refused_identify() -> Vec<(&'static str, Vec<u8>, Violation)> {
    let over = |length, limit| Violation::OverLimit { length, limit };
    let long_agent = [&[65][..], &[b'a'; 69]].concat();
    let bomb = [&[0, 253][..], &(1u64 << 29).to_le_bytes(), &[0; 3]].concat();
    vec![
        ("truncated", vec![0; 4], Violation::Truncated),
        ("byte after the end", vec![0; 6], Violation::TrailingBytes),
        ("agent of 65 characters", long_agent, over(65, 64)),
        ("escape in the agent", vec![1, 0x1b, 0, 0, 0, 0], Violation::InvalidText),
        ("0x1f in the agent", vec![1, 0x1f, 0, 0, 0, 0], Violation::InvalidText),
        ("0x7f in the agent", vec![1, 0x7f, 0, 0, 0, 0], Violation::InvalidText),
        ("0x80 in the agent", vec![1, 0x80, 0, 0, 0, 0], Violation::InvalidText),
        ("0xff in the agent", vec![1, 0xff, 0, 0, 0, 0], Violation::InvalidText),
        ("letter in UTF-8 in the agent", vec![2, 0xc3, 0xbc, 0, 0, 0, 0], Violation::InvalidText),
        ("agent length not in its shortest form", vec![251, 1, 0, b'a', 0, 0, 0, 0], Violation::NonCanonical),
        ("agent longer than its bytes", vec![5, b'a', b'b', b'c', b'd'], Violation::Truncated),
        ("nine addresses", vec![0, 9, 0, 0, 0], over(9, 8)),
        ("65 protocols", vec![0, 0, 65, 0, 0], over(65, 64)),
        ("list of 2^29 addresses in nine bytes", bomb, over(1 << 29, 8)),
        ("list longer than its bytes", vec![0, 0, 64, 0, 0], Violation::Truncated),
        // An address that decodes to its end and is then refused: the check of the list comes first.
        ("list of one address in three bytes", vec![0, 1, 2, 0, 80], Violation::Truncated),
        ("list of one address in four bytes, refused for its empty name", vec![0, 1, 2, 0, 80, 0], Violation::InvalidAddress),
        ("list of two addresses in seven bytes", vec![0, 2, 2, 0, 80, 0, 2, 0, 80], Violation::Truncated),
        ("list of one protocol in two bytes", vec![0, 0, 1, 1, 252], Violation::Truncated),
        ("list of one protocol in three bytes, refused for its version", vec![0, 0, 1, 1, 1, 252], Violation::InvalidValue),
        ("list length not in its shortest form", vec![0, 251, 0, 0, 0, 0, 0], Violation::NonCanonical),
        ("roles with the marker of 64 bits", vec![0, 0, 0, 253, 1, 0, 0, 0, 0, 0, 0, 0, 0], Violation::InvalidValue),
        ("roles not in their shortest form", vec![0, 0, 0, 252, 1, 0, 0, 0, 0], Violation::NonCanonical),
        ("version with the marker of 32 bits", vec![0, 0, 1, 1, 252, 1, 0, 0, 0, 1, 0, 0], Violation::InvalidValue),
        ("option neither none nor some", vec![0, 0, 0, 0, 2], Violation::InvalidValue),
    ]
}
