//! Tests of the room, by theme.

mod attacks;
mod fairness;
mod ledger;
mod limits;
mod model;
mod providers;
mod versions;

use bytes::Bytes;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::*;
use crate::discovery::record::{IMMUTABLE, Version};
use crate::wire::codec::SharedList;
use crate::wire::message::discovery::Contact;

const START: Micros = Micros(1_000_000);
const HOUR: Duration = Duration::from_secs(3_600);

/// The smallest store that a node may have: one peer fills 128 KiB, one group 256 KiB.
const SMALL: StoreConfig = StoreConfig {
    budget_bytes: 1 << 20,
    peer_share: 8,
    group_share: 4,
};

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn peer(number: u32) -> PeerId {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    PeerId::from_bytes(bytes)
}

fn key(number: u32) -> Key {
    Key::from_bytes(*blake3::hash(&number.to_be_bytes()).as_bytes())
}

/// A /24 of its own for each number.
fn group(number: u32) -> IpGroup {
    let [_, a, b, c] = number.to_be_bytes();
    IpGroup::V4([a.wrapping_add(1), b, c])
}

/// A peer in a group of its own.
fn holder(number: u32) -> Holder {
    holder_in(number, number)
}

fn holder_in(number: u32, network: u32) -> Holder {
    Holder {
        peer: peer(number),
        group: group(network),
    }
}

fn local(number: u32) -> Holder {
    Holder {
        peer: peer(number),
        group: IpGroup::Local,
    }
}

/// A record with this much body. The store does not look into bodies, so that any will do.
fn sized(key: Key, sequence: u64, length: usize, expires: Micros) -> Checked {
    let mut body = vec![0; length.max(8)];
    body[..8].copy_from_slice(&sequence.to_be_bytes());
    Checked {
        key,
        slot: [0; 32],
        version: Version {
            sequence,
            tie: [0; 32],
        },
        expires,
        body: Bytes::from(body),
        signature: None,
    }
}

fn small(key: Key, sequence: u64) -> Checked {
    sized(key, sequence, 8, START + HOUR)
}

fn contact(peer: PeerId) -> Contact {
    Contact {
        peer,
        addresses: SharedList::new(),
    }
}

/// The fullest that a record of `length` bytes makes the store.
fn cost(length: usize) -> u64 {
    ENTRY_OVERHEAD + length as u64
}
