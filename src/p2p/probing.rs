//! Dials to addresses of which others say whose they are: each host has a budget, whoever names it.

use std::net::SocketAddr;

use super::{AddressSource, DialFailure, Swarm};
use crate::identity::PeerId;
use crate::transport::Path;
use crate::wire::Address;

/// What a dial is charged to. Each host has one budget of either kind, so that those who name it again and again
/// do not keep the program from reaching it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Budget {
    /// What lookups and recommendations lead to, in answers that anybody may give.
    Told,
    /// Peers that the program wants to reach.
    Sought,
}

/// Addresses of a peer that may be dialled, and what their dial was charged to.
#[derive(Debug)]
pub(crate) struct Affordable {
    pub(crate) addresses: Vec<Address>,
    charged: Vec<SocketAddr>,
    budget: Budget,
}

impl Swarm {
    /// Takes a token from the budget of the address's host; false if there is none.
    pub(crate) fn try_probe(&self, address: SocketAddr) -> bool {
        self.try_take(Budget::Told, address)
    }

    /// Gives the tokens back of the address where a peer answered; the others of its contact may be a victim's.
    pub(crate) fn probed(&self, charged: &[SocketAddr], path: &Path) {
        self.give_back(Budget::Told, answered_at(charged, path));
    }

    /// Gives back what was taken for a dial that did not begin.
    pub(crate) fn not_probed(&self, charged: &[SocketAddr]) {
        self.give_back(Budget::Told, charged.iter().copied());
    }

    /// Those of a peer's addresses where this node reached it before or that its operator wrote down, and those for
    /// whose host there is a budget, which is charged: nobody can have this node flood a stranger by naming its
    /// address.
    pub(crate) fn affordable(
        &self,
        budget: Budget,
        peer: &PeerId,
        addresses: &[Address],
    ) -> Affordable {
        let trusted: Vec<_> = self.with_book(|book, _| {
            let records = book
                .get(peer)
                .into_iter()
                .flat_map(|entry| entry.addresses());
            let trusted = records.filter(|record| record.source >= AddressSource::Dialled);
            trusted.map(|record| record.address).collect()
        });
        let (mut affordable, mut charged) = (Vec::new(), Vec::new());
        for address in addresses {
            if !trusted.iter().any(|one| is_same_place(one, address)) {
                match address.socket_addr() {
                    Some(socket) if self.try_take(budget, socket) => charged.push(socket),
                    _ => continue,
                }
            }
            affordable.push(address.clone());
        }
        Affordable {
            addresses: affordable,
            charged,
            budget,
        }
    }

    /// Gives back what a dial turned out not to cost: all of it, if it was over before a packet was sent, and what it
    /// cost to reach the peer where it is.
    pub(crate) fn settle(
        &self,
        affordable: &Affordable,
        peer: &PeerId,
        outcome: &Result<PeerId, DialFailure>,
    ) {
        let Affordable {
            charged, budget, ..
        } = affordable;
        match outcome {
            Err(failure) if failure.is_before_sending() => {
                self.give_back(*budget, charged.iter().copied());
            }
            _ => {
                let connection = self.connection(peer);
                let path = connection.map(|connection| connection.path());
                let reached = path
                    .into_iter()
                    .flat_map(|path| answered_at(charged, &path));
                self.give_back(*budget, reached);
            }
        }
    }

    fn try_take(&self, budget: Budget, address: SocketAddr) -> bool {
        let now = self.inner().now().mono;
        self.inner().probes(budget).try_take(now, address)
    }

    fn give_back(&self, budget: Budget, charged: impl IntoIterator<Item = SocketAddr>) {
        for address in charged {
            self.inner().probes(budget).give_back(address);
        }
    }
}

/// Whether two addresses lead to one socket, or are the same name; one of them may say who lives there.
fn is_same_place(one: &Address, other: &Address) -> bool {
    let is_direct = one.relay().is_none() && other.relay().is_none();
    let socket = one.socket_addr();
    one == other || (is_direct && socket.is_some() && socket == other.socket_addr())
}

/// Which of the addresses that dials were charged to led to the peer, as often as they were charged.
fn answered_at(charged: &[SocketAddr], path: &Path) -> Vec<SocketAddr> {
    let led = |one: &&SocketAddr| matches!(path, Path::Direct { addr, .. } if addr == *one);
    charged.iter().filter(led).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_a_victim_beside_an_address_that_answers_stays_charged() {
        let [victim, own, other] =
            [[9, 9, 9, 9], [5, 5, 5, 5], [4, 4, 4, 4]].map(|ip| SocketAddr::from((ip, 1)));
        let charged = [victim, own, own];
        assert_eq!(answered_at(&charged, &Path::direct(own)), [own, own]);
        assert_eq!(answered_at(&charged, &Path::direct(other)), []);
    }

    #[test]
    fn an_address_is_the_same_place_with_and_without_an_identity() {
        let socket = SocketAddr::from(([9, 9, 9, 9], 1));
        let plain = Address::from(socket);
        let named = plain.clone().with_peer_id(PeerId::from_bytes([7; 32]));
        let other = Address::from(SocketAddr::from(([9, 9, 9, 9], 2)));
        let [name, other_name]: [Address; 2] =
            ["/dns4/a.org/udp/1/quic-v1", "/dns4/b.org/udp/1/quic-v1"]
                .map(|text| text.parse().unwrap());
        assert!(is_same_place(&plain, &named) && is_same_place(&name, &name));
        assert!(!is_same_place(&plain, &other) && !is_same_place(&name, &other_name));
    }
}
