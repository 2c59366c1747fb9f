//! Frames of gossip that carry no message: who wants which topic, and which messages how.

use serde_json::{Value as Json, json};

use super::contacts::{contact_value, samples};
use super::discovery::{KEY, TARGET, accept, contacts_of, list, over, refuse_lengths};
use super::messages::refuse;
use super::{Vectors, hex, variant};
use crate::identity::PeerId;
use crate::wire::Violation;
use crate::wire::message::gossip::{
    IDontWant, IHave, IWant, Mode, ModeChange, Modes, Prune, Subscribe, Topics,
};

/// The topic with the name `topic`.
pub(super) fn topic() -> [u8; 32] {
    *blake3::hash(b"topic").as_bytes()
}

fn hash_value(hash: &[u8; 32]) -> Json {
    json!(hex(hash))
}

fn list_of_hashes(head: &[u8], count: u8) -> Vec<u8> {
    [head, &[count], &vec![0; usize::from(count) * 32]].concat()
}

/// A list of 2^29 elements in nine bytes.
fn bomb(head: &[u8]) -> Vec<u8> {
    [head, &[253], &(1_u64 << 29).to_le_bytes()].concat()
}

#[test]
fn subscribe() {
    let mut vectors = Vectors::new("hex: the body of SUBSCRIBE (protocol 5). value: its field.");
    for (name, topics) in [
        ("typical", vec![topic()]),
        ("two topics", vec![topic(), KEY]),
        ("no topic", vec![]),
        ("128 topics", vec![KEY; 128]),
    ] {
        let message = Subscribe {
            topics: topics.try_into().unwrap(),
        };
        let value = json!({ "topics": list(&message.topics, hash_value) });
        accept(&mut vectors, name, &message, value);
    }
    refuse_lengths::<Subscribe>(&mut vectors, &list_of_hashes(&[], 1));
    for (name, bytes, violation) in [
        ("empty", vec![], Violation::Truncated),
        ("129 topics", vec![129], over(129, 128)),
        (
            "list of 2^29 topics in nine bytes",
            bomb(&[]),
            over(1 << 29, 128),
        ),
        (
            "number of topics not in its shortest form",
            [&[251, 1, 0][..], &KEY].concat(),
            Violation::NonCanonical,
        ),
    ] {
        refuse::<Subscribe>(&mut vectors, name, &bytes, violation);
    }
    vectors.check("subscribe.json");
}

#[test]
fn topics() {
    let mut vectors = Vectors::new(
        "hex: the body of UNSUBSCRIBE, GRAFT or WAKE (protocol 5). value: its ordinals, in decimal.",
    );
    for (name, topics) in [
        ("typical", vec![0]),
        ("each width", vec![250, 251, 65_536, 1 << 32, u64::MAX]),
        ("no topic", vec![]),
        ("one twice, which decodes", vec![7, 7]),
        ("128 topics", (0..128).collect()),
    ] {
        let message = Topics {
            topics: topics.try_into().unwrap(),
        };
        let value =
            json!({ "topics": list(&message.topics, |ordinal| json!(ordinal.to_string())) });
        accept(&mut vectors, name, &message, value);
    }
    refuse_lengths::<Topics>(&mut vectors, &[2, 0, 251, 251, 0]);
    for (name, bytes, violation) in [
        ("empty", vec![], Violation::Truncated),
        (
            "129 topics",
            [vec![129], vec![0; 129]].concat(),
            over(129, 128),
        ),
        ("two topics in one byte", vec![2, 0], Violation::Truncated),
        (
            "ordinal not in its shortest form",
            vec![1, 251, 250, 0],
            Violation::NonCanonical,
        ),
        (
            "ordinal with the marker of 128 bits",
            [vec![1], vec![254; 17]].concat(),
            Violation::InvalidValue,
        ),
    ] {
        refuse::<Topics>(&mut vectors, name, &bytes, violation);
    }
    vectors.check("topics.json");
}

#[test]
fn prune() {
    let mut vectors = Vectors::new(
        "hex: the body of PRUNE (protocol 5). value: its fields, the topic in decimal, addresses as \
         text. Neither the back-off nor the addresses are judged here.",
    );
    for (name, topic, backoff_s, contacts) in [
        ("typical", 0, 60, 1),
        ("nobody else", 3, 60, 0),
        ("no back-off", 0, 0, 0),
        (
            "back-off beyond an hour, which decodes",
            u64::MAX,
            u32::MAX,
            0,
        ),
        ("three contacts", 251, 3_600, 3),
    ] {
        let message = Prune {
            topic,
            backoff_s,
            peers: contacts_of(&samples(), contacts).try_into().unwrap(),
        };
        accept(&mut vectors, name, &message, prune_value(&message));
    }
    let crowd = Prune {
        topic: 0,
        backoff_s: 10,
        peers: vec![super::contacts::bare(); 16].try_into().unwrap(),
    };
    let value = prune_value(&crowd);
    accept(&mut vectors, "16 contacts without addresses", &crowd, value);
    for (name, bytes, violation) in refused_prunes() {
        refuse::<Prune>(&mut vectors, name, &bytes, violation);
    }
    vectors.check("prune.json");
}

fn prune_value(message: &Prune) -> Json {
    json!({
        "topic": message.topic.to_string(),
        "backoff_s": message.backoff_s,
        "peers": list(&message.peers, contact_value),
    })
}

#[rustfmt::skip]
fn refused_prunes() -> Vec<(&'static str, Vec<u8>, Violation)> {
    let one = |addresses: &[u8]| [&[0, 60, 1], &KEY[..], addresses].concat();
    vec![
        ("empty", vec![], Violation::Truncated),
        ("no back-off field", vec![0], Violation::Truncated),
        ("no list of contacts", vec![0, 60], Violation::Truncated),
        ("back-off of 2^32 s", [&[0, 253][..], &(1_u64 << 32).to_le_bytes(), &[0]].concat(), Violation::InvalidValue),
        ("back-off not in its shortest form", vec![0, 251, 60, 0, 0], Violation::NonCanonical),
        ("17 contacts", [vec![0, 60, 17], vec![0; 17 * 33]].concat(), over(17, 16)),
        ("list of 2^29 contacts in nine bytes", bomb(&[0, 60]), over(1 << 29, 16)),
        ("one contact in 32 bytes", one(&[]), Violation::Truncated),
        ("five addresses", one(&[vec![5], vec![0; 35]].concat()), over(5, 4)),
        ("address with an unknown host", one(&[1, 9, 0, 0, 0]), Violation::InvalidValue),
        ("byte after the end", vec![0, 60, 0, 0], Violation::TrailingBytes),
    ]
}

#[test]
fn ihave() {
    let mut vectors = Vectors::new(
        "hex: the body of IHAVE (protocol 5). value: its fields, the topic in decimal.",
    );
    for (name, topic, ids) in [
        ("typical", 0, vec![KEY, TARGET]),
        ("no id", 0, vec![]),
        ("one id twice, which decodes", u64::MAX, vec![KEY; 2]),
        ("251 ids, their number in three bytes", 7, vec![TARGET; 251]),
    ] {
        let message = IHave {
            topic,
            ids: ids.try_into().unwrap(),
        };
        let value = json!({ "topic": topic.to_string(), "ids": list(&message.ids, hash_value) });
        accept(&mut vectors, name, &message, value);
    }
    refuse_lengths::<IHave>(&mut vectors, &list_of_hashes(&[0], 1));
    for (name, bytes, violation) in [
        ("empty", vec![], Violation::Truncated),
        ("topic alone", vec![0], Violation::Truncated),
        ("1025 ids", vec![0, 251, 1, 4], over(1_025, 1_024)),
        (
            "list of 2^29 ids in nine bytes",
            bomb(&[0]),
            over(1 << 29, 1_024),
        ),
        (
            "topic not in its shortest form",
            vec![251, 0, 0, 0],
            Violation::NonCanonical,
        ),
        (
            "topic with a reserved marker",
            vec![255, 0],
            Violation::InvalidValue,
        ),
    ] {
        refuse::<IHave>(&mut vectors, name, &bytes, violation);
    }
    vectors.check("ihave.json");
}

#[test]
fn iwant() {
    let mut vectors = Vectors::new("hex: the body of IWANT (protocol 5). value: its field.");
    for (name, ids) in [
        ("typical", vec![KEY]),
        ("no id", vec![]),
        ("251 ids, their number in three bytes", vec![TARGET; 251]),
    ] {
        let message = IWant {
            ids: ids.try_into().unwrap(),
        };
        let value = json!({ "ids": list(&message.ids, hash_value) });
        accept(&mut vectors, name, &message, value);
    }
    refuse_lengths::<IWant>(&mut vectors, &list_of_hashes(&[], 1));
    for (name, bytes, violation) in [
        ("empty", vec![], Violation::Truncated),
        ("1025 ids", vec![251, 1, 4], over(1_025, 1_024)),
        (
            "list of 2^29 ids in nine bytes",
            bomb(&[]),
            over(1 << 29, 1_024),
        ),
        (
            "number of ids not in its shortest form",
            vec![251, 0, 0],
            Violation::NonCanonical,
        ),
    ] {
        refuse::<IWant>(&mut vectors, name, &bytes, violation);
    }
    vectors.check("iwant.json");
}

#[test]
fn idontwant() {
    let mut vectors = Vectors::new("hex: the body of IDONTWANT (protocol 5). value: its field.");
    for (name, ids) in [
        ("typical", vec![KEY]),
        ("no id", vec![]),
        ("64 ids", vec![TARGET; 64]),
    ] {
        let message = IDontWant {
            ids: ids.try_into().unwrap(),
        };
        let value = json!({ "ids": list(&message.ids, hash_value) });
        accept(&mut vectors, name, &message, value);
    }
    refuse_lengths::<IDontWant>(&mut vectors, &list_of_hashes(&[], 1));
    for (name, bytes, violation) in [
        ("empty", vec![], Violation::Truncated),
        ("65 ids", list_of_hashes(&[], 65), over(65, 64)),
        (
            "list of 2^29 ids in nine bytes",
            bomb(&[]),
            over(1 << 29, 64),
        ),
    ] {
        refuse::<IDontWant>(&mut vectors, name, &bytes, violation);
    }
    vectors.check("idontwant.json");
}

#[test]
fn modes() {
    use Mode::{Eager, Lazy, Silent};

    let mut vectors = Vectors::new(
        "hex: the body of MODES (protocol 5). value: its fields, the topic in decimal, modes by the \
         names of their variants.",
    );
    for (name, topic, modes) in [
        ("typical", 0, vec![Eager, Lazy]),
        ("each mode", 251, vec![Silent, Lazy, Eager]),
        ("no change", 0, vec![]),
        (
            "251 changes, their number in three bytes",
            0,
            vec![Silent; 251],
        ),
    ] {
        let publishers = [KEY, TARGET, [7; 32]].into_iter().cycle();
        let changes = modes.into_iter().zip(publishers);
        let changes: Vec<_> = changes.map(|(mode, id)| change(id, mode)).collect();
        let message = Modes {
            topic,
            changes: changes.try_into().unwrap(),
        };
        let value = json!({
            "topic": topic.to_string(),
            "changes": list(&message.changes, change_value),
        });
        accept(&mut vectors, name, &message, value);
    }
    refuse_lengths::<Modes>(&mut vectors, &[&[0, 1], &KEY[..], &[2]].concat());
    for (name, bytes, violation) in refused_modes() {
        refuse::<Modes>(&mut vectors, name, &bytes, violation);
    }
    vectors.check("modes.json");
}

fn change(publisher: [u8; 32], mode: Mode) -> ModeChange {
    let publisher = PeerId::from_bytes(publisher);
    ModeChange { publisher, mode }
}

fn change_value(change: &ModeChange) -> Json {
    json!({ "publisher": hex(change.publisher.as_bytes()), "mode": variant(&change.mode) })
}

#[rustfmt::skip]
fn refused_modes() -> Vec<(&'static str, Vec<u8>, Violation)> {
    let one = |mode: &[u8]| [&[0, 1], &KEY[..], mode].concat();
    vec![
        ("empty", vec![], Violation::Truncated),
        ("topic alone", vec![0], Violation::Truncated),
        ("mode without a meaning", one(&[3]), Violation::InvalidValue),
        ("mode not in its shortest form", one(&[251, 2, 0]), Violation::NonCanonical),
        ("mode with the marker of 64 bits", one(&[253, 2, 0, 0, 0, 0, 0, 0, 0]), Violation::InvalidValue),
        ("one change in 32 bytes", one(&[]), Violation::Truncated),
        ("257 changes", vec![0, 251, 1, 1], over(257, 256)),
        ("list of 2^29 changes in nine bytes", bomb(&[0]), over(1 << 29, 256)),
    ]
}
