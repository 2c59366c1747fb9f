//! Who may know which addresses.

use crate::wire::Address;
use crate::wire::codec::SharedList;
use crate::wire::message::discovery::Contact;

/// From where a peer is reached, and so which addresses are its business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Over the public Internet, or through a relay. Private addresses mean another host there, or a
    /// stranger's network: they are neither told nor taken.
    Public,
    /// Within one private network, or on one host.
    Local,
}

impl Scope {
    /// Whether an address is any business of a peer of this scope.
    #[must_use]
    pub fn sees(self, address: &Address) -> bool {
        self == Self::Local || address.is_globally_routable()
    }

    /// Whether a contact has an address that is.
    #[must_use]
    pub fn sees_any(self, contact: &Contact) -> bool {
        contact.addresses.iter().any(|address| self.sees(address))
    }

    /// Whether all its addresses are.
    #[must_use]
    pub fn sees_all(self, contact: &Contact) -> bool {
        contact.addresses.iter().all(|address| self.sees(address))
    }

    /// Leaves only the addresses that are.
    pub fn hide_others(self, contact: &mut Contact) {
        if self.sees_all(contact) {
            return;
        }
        let seen = contact
            .addresses
            .iter()
            .filter(|address| self.sees(address));
        contact.addresses = SharedList::truncated(seen.cloned());
    }
}
