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

/// When an entry was inserted: a lower age was inserted earlier.
pub(super) type Age = u64;

/// Insertion-ordered map under a [`Capacity`].
#[derive(Debug)]
pub(super) struct FifoStore<K, V> {
    capacity: Capacity,
    by_key: HashMap<K, Age>,
    by_age: BTreeMap<Age, Entry<K, V>>,
    next_age: Age,
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

    /// Stores `value`, which takes `bytes`, as the newest entry. Returns its age and what had to go:
    /// the former value of this key and the oldest entries. A value larger than the whole store is
    /// not kept and goes itself.
    pub(super) fn insert(&mut self, key: K, value: V, bytes: usize) -> (Age, Vec<(Age, V)>) {
        let age = self.next_age;
        self.next_age += 1;
        let mut gone: Vec<_> = self.remove(&key).into_iter().collect();
        if bytes > self.capacity.bytes || self.capacity.entries == 0 {
            gone.push((age, value));
            return (age, gone);
        }
        while self.by_age.len() >= self.capacity.entries || self.bytes + bytes > self.capacity.bytes
        {
            let Some((oldest, _)) = self.by_age.first_key_value() else {
                break;
            };
            let oldest = *oldest;
            gone.extend(self.remove_age(oldest).map(|value| (oldest, value)));
        }
        self.by_key.insert(key.clone(), age);
        self.by_age.insert(age, Entry { key, value, bytes });
        self.bytes += bytes;
        (age, gone)
    }

    pub(super) fn remove<Q>(&mut self, key: &Q) -> Option<(Age, V)>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let age = *self.by_key.get(key)?;
        Some((age, self.remove_age(age)?))
    }

    pub(super) fn remove_age(&mut self, age: Age) -> Option<V> {
        let entry = self.by_age.remove(&age)?;
        self.by_key.remove(&entry.key);
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

    pub(super) fn len(&self) -> usize {
        self.by_age.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}
