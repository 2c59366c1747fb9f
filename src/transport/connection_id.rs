//! Connection ids that a restarted node still recognises as its own.

use std::time::Duration;

use quinn::{ConnectionId, ConnectionIdGenerator};
use quinn_proto::InvalidCid;
use rand_chacha::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};

/// Random bytes of an id: 2^40 ids before a collision becomes likely among one node's own.
const NONCE_BYTES: usize = 5;

/// Bytes of MAC: a stray packet passes with probability 2^-24 and then costs one table look-up
/// and at most one stateless reset.
const MAC_BYTES: usize = 3;

const ID_BYTES: usize = NONCE_BYTES + MAC_BYTES;

/// Makes ids of 8 bytes: a nonce and its MAC under a key that the identity determines.
///
/// quinn answers an unknown id with a stateless reset only if its generator takes it for valid,
/// and its own generator has a new key after each start: peers of a restarted node would wait for
/// their idle timeout.
pub(super) struct KeyedConnectionIds {
    key: [u8; 32],
    nonces: ChaCha12Rng,
}

impl KeyedConnectionIds {
    /// `seed` must be fresh at each start, so that ids do not repeat.
    pub(super) fn new(key: [u8; 32], seed: [u8; 32]) -> Self {
        Self {
            key,
            nonces: ChaCha12Rng::from_seed(seed),
        }
    }

    fn mac(&self, nonce: &[u8]) -> [u8; MAC_BYTES] {
        let mut mac = [0; MAC_BYTES];
        mac.copy_from_slice(&blake3::keyed_hash(&self.key, nonce).as_bytes()[..MAC_BYTES]);
        mac
    }
}

impl ConnectionIdGenerator for KeyedConnectionIds {
    fn generate_cid(&mut self) -> ConnectionId {
        let mut id = [0; ID_BYTES];
        self.nonces.fill_bytes(&mut id[..NONCE_BYTES]);
        let mac = self.mac(&id[..NONCE_BYTES]);
        id[NONCE_BYTES..].copy_from_slice(&mac);
        ConnectionId::new(&id)
    }

    fn validate(&self, id: &ConnectionId) -> Result<(), InvalidCid> {
        let (nonce, mac) = id.split_at_checked(NONCE_BYTES).ok_or(InvalidCid)?;
        // The ids are public: comparing them needs no constant time.
        if mac == self.mac(nonce) {
            Ok(())
        } else {
            Err(InvalidCid)
        }
    }

    fn cid_len(&self) -> usize {
        ID_BYTES
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        None
    }
}
