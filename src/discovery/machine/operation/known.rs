//! The nodes that a sweep has heard of.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::discovery::Key;
use crate::identity::PeerId;
use crate::wire::message::discovery::Contact;

/// Nodes that are noted: what a sweep over a network of ten thousand learns, several times over.
const MAX_KNOWN: usize = 65_536;

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

#[derive(Debug, Clone)]
struct Known {
    contact: Contact,
    /// Who said that it is there; nobody, if it was in the table.
    teller: Option<PeerId>,
    /// Where somebody else says that it is: no teller's word stands alone.
    alternative: Option<Contact>,
    /// Whether it was looked for there, or is known to be where it is.
    has_moved: bool,
    presence: Presence,
}

impl Known {
    /// Nothing speaks against its being there.
    fn move_to(&mut self, contact: Contact) {
        self.contact = contact;
        self.has_moved = true;
        self.presence = Presence::There;
    }
}

/// Nodes by their places.
#[derive(Debug, Clone, Default)]
pub(super) struct KnownNodes(BTreeMap<Key, Known>);

impl KnownNodes {
    /// A node is said to be there, by `teller` or by the table. Whether it was not found at another place, and is to
    /// be looked for at this one.
    pub(super) fn note(&mut self, contact: Contact, teller: Option<PeerId>) -> bool {
        let key = contact.peer.into();
        if let Some(known) = self.0.get_mut(&key) {
            let is_news = known.teller != teller && known.contact.addresses != contact.addresses;
            if !is_news || known.alternative.is_some() || known.has_moved {
                return false;
            }
            if known.presence != Presence::There {
                known.move_to(contact);
                return true;
            }
            known.alternative = Some(contact);
        } else if self.0.len() < MAX_KNOWN {
            let known = Known {
                contact,
                teller,
                alternative: None,
                has_moved: false,
                presence: Presence::There,
            };
            self.0.insert(key, known);
        }
        false
    }

    /// A node did not answer where it was asked; where else it is to be looked for, at one other place.
    pub(super) fn lost(&mut self, asked: &Contact, presence: Presence) -> Option<Contact> {
        let known = self.0.get_mut(&Key::from(asked.peer))?;
        if known.contact.addresses != asked.addresses {
            // Another question had no answer there, either.
            return Some(known.contact.clone());
        }
        if let Some(alternative) = known.alternative.take() {
            known.move_to(alternative.clone());
            return Some(alternative);
        }
        known.presence = presence;
        None
    }

    /// A node is there and has no time or does not serve, or answers nonsense: no other place is its.
    pub(super) fn useless(&mut self, peer: &PeerId, presence: Presence) {
        if let Some(known) = self.0.get_mut(&Key::from(*peer)) {
            known.presence = presence;
            known.has_moved = true;
        }
    }

    pub(super) fn contact(&self, key: &Key) -> Option<&Contact> {
        Some(&self.0.get(key)?.contact)
    }

    /// The `count` nearest nodes that are there.
    pub(super) fn nearest(&self, target: &Key, bits: u32, count: usize) -> Vec<Contact> {
        let near = self.near(target, bits, count, Presence::There).into_iter();
        near.take(count).cloned().collect()
    }

    /// Nodes that are there, or as `with` says, and share at least `bits` bits with `key`, nearest first; fewer
    /// bits, if there are not `count` of them.
    pub(super) fn near(&self, key: &Key, bits: u32, count: usize, with: Presence) -> Vec<&Contact> {
        let mut bits = bits;
        loop {
            let (first, last) = key.prefix_range(bits);
            let range = self
                .0
                .range((Bound::Included(first), Bound::Included(last)));
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::testing::{contact, contact_of, peer};

    #[test]
    fn attack_one_teller_of_wrong_addresses_makes_nobody_be_gone() {
        let mut known = KnownNodes::default();
        known.note(contact_of(peer(7), 90), Some(peer(1)));
        // Its second word is no other's.
        known.note(contact_of(peer(7), 91), Some(peer(1)));
        known.note(contact(7), Some(peer(2)));
        let place = Key::from(peer(7));
        let wrong = contact_of(peer(7), 90);
        assert_eq!(known.lost(&wrong, Presence::Gone), Some(contact(7)));
        assert_eq!(known.contact(&place), Some(&contact(7)));
        assert_eq!(known.nearest(&place, 0, 1), [contact(7)]);
        // What was sent there meanwhile follows.
        assert_eq!(known.lost(&wrong, Presence::Gone), Some(contact(7)));
        // A third place is not looked at.
        known.note(contact_of(peer(7), 92), Some(peer(3)));
        assert_eq!(known.lost(&contact(7), Presence::Gone), None);
        assert_eq!(known.nearest(&place, 0, 1), []);
    }

    #[test]
    fn attack_a_wrong_address_that_fails_before_the_true_one_is_told_makes_nobody_be_gone() {
        for presence in [Presence::Gone, Presence::Silent] {
            let mut known = KnownNodes::default();
            let place = Key::from(peer(7));
            let wrong = contact_of(peer(7), 90);
            assert!(!known.note(wrong.clone(), Some(peer(1))));
            assert_eq!(known.lost(&wrong, presence), None);
            assert!(
                !known.note(contact_of(peer(7), 91), Some(peer(1))),
                "its own word"
            );
            assert!(known.note(contact(7), Some(peer(2))));
            assert_eq!(known.nearest(&place, 0, 1), [contact(7)]);
            assert_eq!(known.lost(&contact(7), presence), None);
            assert!(
                !known.note(contact_of(peer(7), 92), Some(peer(3))),
                "a third place"
            );
            assert_eq!(known.nearest(&place, 0, 1), []);
        }
    }

    #[test]
    fn who_is_there_and_of_no_use_is_not_looked_for_elsewhere() {
        let mut known = KnownNodes::default();
        known.note(contact(7), Some(peer(1)));
        known.useless(&peer(7), Presence::Silent);
        assert!(!known.note(contact_of(peer(7), 90), Some(peer(2))));
        assert_eq!(known.nearest(&Key::from(peer(7)), 0, 1), []);
    }

    #[test]
    fn as_many_nodes_are_noted_as_are_there_in_a_large_network_and_no_more() {
        let mut known = KnownNodes::default();
        let all = u64::try_from(MAX_KNOWN).unwrap();
        for number in 0..=all {
            known.note(contact(number), Some(peer(all + 1)));
        }
        let is_known = |number| known.contact(&Key::from(peer(number))).is_some();
        assert!(is_known(0) && is_known(all - 1) && !is_known(all));
    }
}
