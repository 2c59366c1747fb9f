//! What the tests of the rooms share.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use super::record::MutableDraft;
use super::{Distance, Key};
use crate::crypto::{Provider, RustCrypto, SigningSeed};
use crate::identity::{Keypair, PeerId};
use crate::policy::UnixMillis;
use crate::wire::Address;
use crate::wire::message::discovery::{Contact, Record};

pub(crate) const NETWORK: [u8; 32] = [0; 32];

pub(crate) fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// A number below `end`.
pub(crate) fn below(rng: &mut ChaCha8Rng, end: usize) -> usize {
    usize::try_from(rng.next_u64() % (end.max(1) as u64)).unwrap()
}

pub(crate) fn chance(rng: &mut ChaCha8Rng, percent: usize) -> bool {
    below(rng, 100) < percent
}

/// A place that nobody chose.
pub(crate) fn key(number: u64) -> Key {
    Key::from_bytes(*blake3::hash(&number.to_be_bytes()).as_bytes())
}

pub(crate) fn peer(number: u64) -> PeerId {
    at(&key(number))
}

/// The node at a place.
pub(crate) fn at(key: &Key) -> PeerId {
    PeerId::from_bytes(*key.as_bytes())
}

pub(crate) fn address(endpoint: &str) -> Address {
    format!("{endpoint}/quic-v1").parse().unwrap()
}

pub(crate) fn contact_at(peer: PeerId, endpoints: &[&str]) -> Contact {
    let addresses: Vec<_> = endpoints.iter().map(|one| address(one)).collect();
    Contact {
        peer,
        addresses: addresses.try_into().unwrap(),
    }
}

/// A host in the `group`-th public /24.
pub(crate) fn endpoint(group: u64, host: u8) -> String {
    let [.., a, b] = group.to_be_bytes();
    format!("/ip4/20.{a}.{b}.{host}/udp/9000")
}

/// A node in a /24 of its own.
pub(crate) fn contact(number: u64) -> Contact {
    contact_of(peer(number), number)
}

pub(crate) fn contact_of(peer: PeerId, group: u64) -> Contact {
    contact_at(peer, &[&endpoint(group, 7)])
}

pub(crate) fn distance(from: &Key, contact: &Contact) -> Distance {
    from.distance(&Key::from(contact.peer))
}

pub(crate) fn peers(contacts: &[Contact]) -> Vec<PeerId> {
    contacts.iter().map(|one| one.peer).collect()
}

/// The owner of all mutable records.
pub(crate) fn owner() -> &'static Keypair {
    static OWNER: OnceLock<Keypair> = OnceLock::new();
    OWNER.get_or_init(|| {
        let provider: Arc<dyn Provider> = Arc::new(RustCrypto::new());
        Keypair::from_seed(provider, SigningSeed::from_bytes(&[5; 32])).unwrap()
    })
}

/// A signed record that lives for a day.
pub(crate) fn mutable(
    salt: &'static str,
    sequence: u64,
    created: UnixMillis,
    value: &'static str,
) -> (Key, Record) {
    let draft = MutableDraft::new(
        owner().public_key().verifying_key().clone(),
        Bytes::from_static(salt.as_bytes()),
        sequence,
        created,
        Duration::from_secs(86_400),
        Bytes::from_static(value.as_bytes()),
    );
    let draft = draft.unwrap();
    let key = draft.key();
    let input = draft.signed_input(&NETWORK);
    let signature = owner().sign(input.as_bytes()).unwrap();
    (key, draft.with_signature(&signature))
}
