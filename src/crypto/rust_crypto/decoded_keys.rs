//! A bounded cache of decoded verification keys.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use ml_dsa::{MlDsa87, VerifyingKey};

use crate::crypto::{KeyHash, Suite, VERIFYING_KEY_BYTES};

/// How many decoded keys are kept: a decoded key takes 74 KB, so that 256 take 19 MB, and decoding
/// one costs as much as verifying under it.
pub(super) const MAX_DECODED_KEYS: usize = 256;

/// Decoded ML-DSA-87 keys by the hash of their encoding; the least recently used is dropped first.
///
/// The lock is held for a lookup or an insertion, never while a key is decoded.
#[derive(Default)]
pub(super) struct DecodedKeys(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    keys: BTreeMap<KeyHash, Entry>,
    /// Counts uses, so that the entry with the smallest `used` is the least recently used.
    uses: u64,
}

struct Entry {
    key: Arc<VerifyingKey<MlDsa87>>,
    used: u64,
}

impl DecodedKeys {
    /// The decoded form of `encoded`, from the cache if it is there.
    pub(super) fn get(&self, encoded: &[u8; VERIFYING_KEY_BYTES]) -> Arc<VerifyingKey<MlDsa87>> {
        let hash = KeyHash::of(Suite::MlDsa87, encoded);
        if let Some(key) = self.with(|entries| entries.touch(&hash)) {
            return key;
        }
        let key = Arc::new(VerifyingKey::decode(encoded.into()));
        self.with(|entries| entries.insert(hash, Arc::clone(&key)));
        key
    }

    fn with<T>(&self, use_entries: impl FnOnce(&mut Entries) -> T) -> T {
        use_entries(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    #[cfg(test)]
    pub(super) fn contains(&self, encoded: &[u8; VERIFYING_KEY_BYTES]) -> bool {
        let hash = KeyHash::of(Suite::MlDsa87, encoded);
        self.with(|entries| entries.keys.contains_key(&hash))
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.with(|entries| entries.keys.len())
    }
}

impl Entries {
    fn touch(&mut self, hash: &KeyHash) -> Option<Arc<VerifyingKey<MlDsa87>>> {
        self.uses += 1;
        let entry = self.keys.get_mut(hash)?;
        entry.used = self.uses;
        Some(Arc::clone(&entry.key))
    }

    fn insert(&mut self, hash: KeyHash, key: Arc<VerifyingKey<MlDsa87>>) {
        if self.keys.len() >= MAX_DECODED_KEYS && !self.keys.contains_key(&hash) {
            self.evict();
        }
        self.uses += 1;
        self.keys.insert(
            hash,
            Entry {
                key,
                used: self.uses,
            },
        );
    }

    /// Scans for the least recently used entry: 256 comparisons against the decoding just done.
    fn evict(&mut self) {
        let oldest = self
            .keys
            .iter()
            .min_by_key(|(_, entry)| entry.used)
            .map(|(hash, _)| *hash);
        if let Some(hash) = oldest {
            self.keys.remove(&hash);
        }
    }
}

impl fmt::Debug for DecodedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecodedKeys").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
