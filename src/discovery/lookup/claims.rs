//! Which nodes the paths of a lookup asked: no two of them ask the same at the same place.

use std::collections::BTreeMap;

use crate::identity::PeerId;
use crate::wire::message::discovery::Contact;

#[derive(Debug, Clone, Default)]
pub(super) struct Claims(BTreeMap<PeerId, Claim>);

#[derive(Debug, Clone)]
enum Claim {
    /// A path asks it, or it answered.
    Taken,
    /// It was asked in vain, and was or is asked where these say that it is.
    InVain(Vec<Contact>),
}

impl Claims {
    /// A path wants to ask a node: whether it may.
    pub(super) fn claim(&mut self, contact: &Contact) -> bool {
        let is_free = self.may_ask(contact);
        if is_free {
            let claim = self.0.entry(contact.peer).or_insert(Claim::Taken);
            if let Claim::InVain(places) = claim {
                places.push(contact.clone());
            }
        }
        is_free
    }

    /// Whether nobody asked a node where this says that it is, and nobody else asks it.
    pub(super) fn may_ask(&self, contact: &Contact) -> bool {
        match self.0.get(&contact.peer) {
            None => true,
            Some(Claim::Taken) => false,
            Some(Claim::InVain(places)) => places
                .iter()
                .all(|place| place.addresses != contact.addresses),
        }
    }

    /// A path asked a node in vain. What it was told may be false, and what another one was told true.
    pub(super) fn fail(&mut self, asked: Contact) {
        let claim = self.0.entry(asked.peer).or_insert(Claim::Taken);
        match claim {
            Claim::Taken => *claim = Claim::InVain(vec![asked]),
            Claim::InVain(places) if !places.contains(&asked) => places.push(asked),
            Claim::InVain(_) => {}
        }
    }
}
