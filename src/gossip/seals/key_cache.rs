//! The keys of publishers.

use std::collections::BTreeMap;

use crate::crypto::VerifyingKey;
use crate::identity::PeerId;

/// Keys that are remembered: 10.6 MB of them, and as many publishers as links are chosen for.
pub const MAX_KEYS: usize = 4_096;

/// The encoded keys of the publishers that were heard last, each once.
///
/// A key is stored under its own hash, so that none can stand under another publisher's name. Who
/// floods it with keys only makes it forget: those in use are held by their seals and streams.
#[derive(Debug, Clone, Default)]
pub struct KeyCache {
    keys: BTreeMap<PeerId, (u64, VerifyingKey)>,
    by_use: BTreeMap<u64, PeerId>,
    uses: u64,
}

impl KeyCache {
    /// An empty cache.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            keys: BTreeMap::new(),
            by_use: BTreeMap::new(),
            uses: 0,
        }
    }

    /// The key of a publisher, which becomes the one that was used last.
    pub fn get(&mut self, publisher: &PeerId) -> Option<VerifyingKey> {
        let (used, key) = self.keys.get_mut(publisher)?;
        self.by_use.remove(used);
        self.uses = self.uses.saturating_add(1);
        *used = self.uses;
        self.by_use.insert(self.uses, *publisher);
        Some(key.clone())
    }

    /// Remembers a key, and forgets the one that was not used for the longest time if there are too
    /// many. Gives the copy that was there before, if there was one, so that all share it.
    pub fn share(&mut self, key: VerifyingKey) -> VerifyingKey {
        let publisher = PeerId::from(key.hash());
        if let Some(held) = self.get(&publisher) {
            return held;
        }
        #[cfg(feature = "scale")]
        let key = crate::gossip::pool::pooled_key(publisher, key);
        self.uses = self.uses.saturating_add(1);
        self.keys.insert(publisher, (self.uses, key.clone()));
        self.by_use.insert(self.uses, publisher);
        if self.keys.len() > MAX_KEYS
            && let Some((_, oldest)) = self.by_use.pop_first()
        {
            self.keys.remove(&oldest);
        }
        key
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}
