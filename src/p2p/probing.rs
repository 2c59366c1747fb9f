//! Dials to addresses of which others say whose they are: each host has a budget, whoever names it.

use std::net::SocketAddr;

use super::{AddressSource, Swarm};
use crate::identity::PeerId;
use crate::transport::Path;
use crate::wire::Address;

/// Addresses of a peer that may be dialled, and what their dial was charged to.
#[derive(Debug, Default)]
pub(crate) struct Affordable {
    pub(crate) addresses: Vec<Address>,
    pub(crate) charged: Vec<SocketAddr>,
}

impl Swarm {
    /// Takes a token from the budget of the address's host; false if there is none.
    pub(crate) fn try_probe(&self, address: SocketAddr) -> bool {
        let now = self.inner().now().mono;
        self.inner().probes().try_take(now, address)
    }

    /// Gives the token back of the address where a peer answered; the others of its contact may be a victim's.
    pub(crate) fn probed(&self, charged: &[SocketAddr], path: &Path) {
        if let Some(address) = answered_at(charged, path) {
            self.inner().probes().give_back(address);
        }
    }

    /// Gives back what was taken for a dial that did not begin.
    pub(crate) fn not_probed(&self, charged: &[SocketAddr]) {
        for address in charged {
            self.inner().probes().give_back(*address);
        }
    }

    /// Those of a peer's addresses where this node reached it before or that its operator wrote down, and those for
    /// whose host there is a budget, which is charged: nobody can have this node flood a stranger by naming its
    /// address.
    pub(crate) fn affordable(&self, peer: &PeerId, addresses: &[Address]) -> Affordable {
        let trusted: Vec<_> = self.with_book(|book, _| {
            let records = book
                .get(peer)
                .into_iter()
                .flat_map(|entry| entry.addresses());
            let trusted = records.filter(|record| record.source >= AddressSource::Dialled);
            trusted.map(|record| record.address).collect()
        });
        let mut affordable = Affordable::default();
        for address in addresses {
            if !trusted.contains(address) {
                match address.socket_addr() {
                    Some(socket) if self.try_probe(socket) => affordable.charged.push(socket),
                    _ => continue,
                }
            }
            affordable.addresses.push(address.clone());
        }
        affordable
    }
}

/// Which of the addresses that a dial was charged to led to the peer.
fn answered_at(charged: &[SocketAddr], path: &Path) -> Option<SocketAddr> {
    match path {
        Path::Direct { addr, .. } => charged.iter().find(|one| *one == addr).copied(),
        Path::Relayed { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_a_victim_beside_an_address_that_answers_stays_charged() {
        let [victim, own, other] =
            [[9, 9, 9, 9], [5, 5, 5, 5], [4, 4, 4, 4]].map(|ip| SocketAddr::from((ip, 1)));
        let charged = [victim, own];
        assert_eq!(answered_at(&charged, &Path::direct(own)), Some(own));
        assert_eq!(answered_at(&charged, &Path::direct(other)), None);
    }
}
