//! The nodes that a sweep has heard of.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::discovery::Key;
use crate::wire::message::discovery::Contact;

#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) contact: Contact,
    pub(super) presence: Presence,
}

/// Whether a node is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// It answered, or nothing speaks against it.
    There,
    /// It did not take its records.
    Silent,
    /// It did not answer a question.
    Gone,
}

/// The `count` nearest known nodes that are there.
pub(super) fn nearest(
    known: &BTreeMap<Key, Known>,
    target: &Key,
    bits: u32,
    count: usize,
) -> Vec<Contact> {
    let near = near(known, target, bits, count, Presence::There).into_iter();
    near.take(count).cloned().collect()
}

/// Known nodes that are there and share at least `bits` bits with `key`, nearest first; fewer bits, if
/// there are not `count` of them.
pub(super) fn near<'a>(
    known: &'a BTreeMap<Key, Known>,
    key: &Key,
    bits: u32,
    count: usize,
    with: Presence,
) -> Vec<&'a Contact> {
    let mut bits = bits;
    loop {
        let (first, last) = key.prefix_range(bits);
        let range = known.range((Bound::Included(first), Bound::Included(last)));
        let there =
            range.filter(|(_, one)| one.presence == Presence::There || one.presence == with);
        let mut near: Vec<_> = there
            .map(|(at, one)| (key.distance(at), &one.contact))
            .collect();
        if near.len() >= count || bits == 0 {
            near.sort_unstable_by_key(|(distance, _)| *distance);
            return near.into_iter().map(|(_, contact)| contact).collect();
        }
        bits -= 1;
    }
}
