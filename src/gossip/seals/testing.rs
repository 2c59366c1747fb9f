//! Publishers and seals for tests, by number.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::{Listed, SealId, SharedSeal};
use crate::crypto::{SIGNATURE_BYTES, SealBody, Signature, VERIFYING_KEY_BYTES, VerifyingKey};
use crate::gossip::TopicHash;
use crate::identity::PeerId;

pub(crate) const NETWORK: [u8; 32] = [7; 32];

pub(crate) fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// A number below `end`.
pub(crate) fn below(rng: &mut ChaCha8Rng, end: u64) -> u64 {
    rng.next_u64() % end
}

/// The time to the next of `per_second` random events, in microseconds.
pub(crate) fn poisson_gap(rng: &mut ChaCha8Rng, per_second: f64) -> u64 {
    let uniform = (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
    (-(1.0 - uniform).ln() / per_second * 1e6) as u64
}

/// The encoded key of a publisher that nobody can sign for.
pub(crate) fn key(number: u64) -> VerifyingKey {
    let mut bytes = [0; VERIFYING_KEY_BYTES];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    VerifyingKey::ml_dsa_87(&bytes)
}

pub(crate) fn publisher(number: u64) -> PeerId {
    PeerId::from_bytes(*blake3::hash(&number.to_le_bytes()).as_bytes())
}

pub(crate) fn topic(number: u64) -> TopicHash {
    TopicHash::of(&number.to_string())
}

pub(crate) fn seal_id(number: u64) -> SealId {
    SealId(*blake3::hash(&number.to_le_bytes()).as_bytes())
}

/// What a seal of the tests lists.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List {
    pub(crate) topic: u64,
    pub(crate) epoch: u64,
    pub(crate) first: u64,
    pub(crate) leaves: u64,
    /// Lists with another version have other leaves.
    pub(crate) version: u64,
}

impl List {
    /// One topic, one epoch, one version.
    pub(crate) fn of(first: u64, leaves: u64) -> Self {
        Self {
            topic: 0,
            epoch: 5,
            first,
            leaves,
            version: 0,
        }
    }

    fn leaf(&self, counter: u64) -> [u8; 32] {
        let numbers = [self.topic, self.epoch, counter, self.version];
        let bytes: Vec<_> = numbers.iter().flat_map(|one| one.to_le_bytes()).collect();
        *blake3::hash(&bytes).as_bytes()
    }

    pub(crate) fn body(&self, key: &VerifyingKey) -> SealBody {
        let counters = self.first..self.first + self.leaves;
        let leaves = counters.map(|counter| self.leaf(counter)).collect();
        let topic = *topic(self.topic).as_bytes();
        SealBody::new(
            key.suite(),
            key.hash(),
            topic,
            self.epoch,
            self.first,
            leaves,
        )
        .unwrap()
    }

    /// With a signature that says nothing.
    pub(crate) fn seal(&self, key: &VerifyingKey) -> SharedSeal {
        let seal = self.body(key).with_signature(signature(0));
        SharedSeal::new(&NETWORK, seal, key.clone()).unwrap()
    }
}

pub(crate) fn signature(fill: u8) -> Signature {
    Signature::from(Box::new([fill; SIGNATURE_BYTES]))
}

/// The message with this counter.
pub(crate) fn message(seal: &SharedSeal, counter: u64, timestamp_ms: u64) -> Listed {
    let index = seal.body().index_of(counter).unwrap();
    seal.own_message(index, timestamp_ms).unwrap()
}
