//! A map that is bounded in entries and bytes and forgets its oldest entries first.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// How much a [`FifoStore`] may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Capacity {
    pub(super) entries: usize,
    pub(super) bytes: usize,
}

/// Insertion-ordered map under a [`Capacity`].
#[derive(Debug)]
pub(super) struct FifoStore<K, V> {
    capacity: Capacity,
    by_key: HashMap<K, u64>,
    by_age: BTreeMap<u64, Entry<K, V>>,
    next_age: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Entry<K, V> {
    key: K,
    value: V,
    bytes: usize,
}

impl<K: Hash + Eq + Clone, V> FifoStore<K, V> {
    pub(super) fn new(capacity: Capacity) -> Self {
        Self {
            capacity,
            by_key: HashMap::new(),
            by_age: BTreeMap::new(),
            next_age: 0,
            bytes: 0,
        }
    }

    /// Stores `value`, which takes `bytes`, as the newest entry. What had to go is returned: the
    /// former value of this key and the oldest entries. A value larger than the whole store is
    /// not kept and is returned itself.
    pub(super) fn insert(&mut self, key: K, value: V, bytes: usize) -> Vec<V> {
        let mut evicted = Vec::new();
        evicted.extend(self.remove(&key));
        if bytes > self.capacity.bytes || self.capacity.entries == 0 {
            evicted.push(value);
            return evicted;
        }
        while self.by_age.len() >= self.capacity.entries || self.bytes + bytes > self.capacity.bytes
        {
            let Some((_, oldest)) = self.by_age.pop_first() else {
                break;
            };
            self.by_key.remove(&oldest.key);
            self.bytes -= oldest.bytes;
            evicted.push(oldest.value);
        }
        self.by_key.insert(key.clone(), self.next_age);
        self.by_age
            .insert(self.next_age, Entry { key, value, bytes });
        self.next_age += 1;
        self.bytes += bytes;
        evicted
    }

    pub(super) fn remove<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let age = self.by_key.remove(key)?;
        let entry = self.by_age.remove(&age)?;
        self.bytes -= entry.bytes;
        Some(entry.value)
    }

    pub(super) fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.by_age
            .get(self.by_key.get(key)?)
            .map(|entry| &entry.value)
    }

    /// The key of the oldest entry whose value fulfils `condition`.
    pub(super) fn oldest_where(&self, condition: impl Fn(&V) -> bool) -> Option<K> {
        self.by_age
            .values()
            .find(|entry| condition(&entry.value))
            .map(|entry| entry.key.clone())
    }

    pub(super) fn len(&self) -> usize {
        self.by_age.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}
