//! Which addresses one node may tell another.

use thiserror::Error;

use super::Scope;
use crate::identity::PeerId;
use crate::wire::Address;
use crate::wire::address::{Host, Route};
use crate::wire::codec::SharedList;
use crate::wire::message::discovery::Contact;

/// What is wrong with an address of a contact; a fault of the node that told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
pub enum ContactFault {
    /// The host is a name: the teller would choose what this node's resolver asks for.
    #[error("a contact has an address with a name for a host")]
    Name,
    /// No packet can be sent there: unspecified, multicast or broadcast host, or port zero.
    #[error("a contact has an address that cannot be dialled")]
    NotDialable,
    /// An address of some local network, told over the public Internet.
    #[error("a contact told over the public Internet has an address that is not globally routable")]
    Private,
    /// A direct address that names a peer, or a relayed one with another target than the contact.
    #[error("a contact has an address of somebody else")]
    NotOfPeer,
}

/// Whether a teller that is reached so may tell this contact. The first address that is wrong
/// decides, by the first of its faults. No address at all is no fault.
///
/// # Errors
/// The fault; the teller's, never the contact's.
pub fn check(contact: &Contact, teller: Scope) -> Result<(), ContactFault> {
    contact
        .addresses
        .iter()
        .try_for_each(|address| check_address(address, contact.peer, teller))
}

fn check_address(address: &Address, peer: PeerId, teller: Scope) -> Result<(), ContactFault> {
    if matches!(address.host(), Host::Dns4(_) | Host::Dns6(_)) {
        return Err(ContactFault::Name);
    }
    if !address.is_dialable() {
        return Err(ContactFault::NotDialable);
    }
    if teller == Scope::Public && !address.is_globally_routable() {
        return Err(ContactFault::Private);
    }
    match address.route() {
        Route::Anyone => Ok(()),
        Route::Relayed { target, .. } if target == peer => Ok(()),
        Route::Peer(_) | Route::Relayed { .. } => Err(ContactFault::NotOfPeer),
    }
}

/// A contact with the addresses of all places where a peer is said to be, of each place in turn: none of them fills
/// it.
pub(super) fn all_places(peer: PeerId, places: &[&Contact]) -> Contact {
    let most = places.iter().map(|one| one.addresses.len()).max();
    let mut addresses: Vec<Address> = Vec::new();
    for turn in 0..most.unwrap_or(0) {
        for address in places.iter().filter_map(|one| one.addresses.get(turn)) {
            if !addresses.contains(address) {
                addresses.push(address.clone());
            }
        }
    }
    let addresses = SharedList::truncated(addresses);
    Contact { peer, addresses }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: PeerId = PeerId::from_bytes([7; 32]);
    const OTHER: PeerId = PeerId::from_bytes([9; 32]);

    fn contact(addresses: &[Address]) -> Contact {
        Contact {
            peer: PEER,
            addresses: addresses.to_vec().try_into().unwrap(),
        }
    }

    fn verdict(endpoint: &str, route: Route, teller: Scope) -> Result<(), ContactFault> {
        let parsed: Address = format!("{endpoint}/quic-v1").parse().unwrap();
        let address = Address::new(parsed.host().clone(), parsed.port(), route);
        check(&contact(&[address]), teller)
    }

    fn both(endpoint: &str, route: Route) -> [Result<(), ContactFault>; 2] {
        [Scope::Public, Scope::Local].map(|teller| verdict(endpoint, route, teller))
    }

    #[test]
    fn direct_and_relayed_addresses_of_the_contact_may_be_told() {
        let relayed = Route::Relayed {
            relay: OTHER,
            target: PEER,
        };
        for endpoint in ["/ip4/8.8.8.8/udp/1", "/ip6/2606:4700::1/udp/65535"] {
            for route in [Route::Anyone, relayed] {
                assert_eq!(both(endpoint, route), [Ok(()), Ok(())]);
            }
        }
    }

    #[test]
    fn a_contact_without_addresses_is_no_fault() {
        assert_eq!(check(&contact(&[]), Scope::Public), Ok(()));
    }

    #[test]
    fn names_are_not_told() {
        for endpoint in ["/dns4/example.org/udp/1", "/dns6/localhost/udp/1"] {
            assert_eq!(
                both(endpoint, Route::Anyone),
                [Err(ContactFault::Name), Err(ContactFault::Name)]
            );
        }
    }

    #[test]
    fn what_no_packet_reaches_is_not_told() {
        for endpoint in [
            "/ip4/8.8.8.8/udp/0",
            "/ip4/0.0.0.0/udp/1",
            "/ip4/255.255.255.255/udp/1",
            "/ip4/224.0.0.1/udp/1",
            "/ip6/::/udp/1",
            "/ip6/ff02::1/udp/1",
        ] {
            assert_eq!(
                both(endpoint, Route::Anyone),
                [
                    Err(ContactFault::NotDialable),
                    Err(ContactFault::NotDialable)
                ],
                "{endpoint}"
            );
        }
    }

    #[test]
    fn private_addresses_are_told_within_a_local_network_only() {
        for endpoint in [
            "/ip4/192.168.1.1/udp/1",
            "/ip4/127.0.0.1/udp/1",
            "/ip4/203.0.113.7/udp/1",
            "/ip6/fe80::1/udp/1",
            "/ip6/64:ff9b::a00:1/udp/1",
        ] {
            assert_eq!(
                both(endpoint, Route::Anyone),
                [Err(ContactFault::Private), Ok(())],
                "{endpoint}"
            );
        }
    }

    #[test]
    fn an_address_of_somebody_else_is_not_told() {
        let through_peer = Route::Relayed {
            relay: PEER,
            target: OTHER,
        };
        for route in [Route::Peer(PEER), Route::Peer(OTHER), through_peer] {
            assert_eq!(
                both("/ip4/8.8.8.8/udp/1", route),
                [Err(ContactFault::NotOfPeer), Err(ContactFault::NotOfPeer)]
            );
        }
    }

    #[test]
    fn the_first_wrong_address_decides_by_its_first_fault() {
        let parse = |text: &str| text.parse::<Address>().unwrap();
        let good = parse("/ip4/8.8.8.8/udp/1/quic-v1");
        let private = parse("/ip4/10.0.0.1/udp/1/quic-v1").with_peer_id(PEER);
        let name = parse("/dns4/example.org/udp/0/quic-v1");
        let told = |addresses: &[Address]| check(&contact(addresses), Scope::Public);
        assert_eq!(
            told(&[good.clone(), private.clone(), name.clone()]),
            Err(ContactFault::Private)
        );
        assert_eq!(told(&[good, name, private]), Err(ContactFault::Name));
    }
}
