//! What the swarm tells: who is connected, who is who, who misbehaves.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use super::super::call::scope_of_path;
use super::Driver;
use crate::discovery::{Input, Scope};
use crate::identity::PeerId;
use crate::p2p::{Audience, Direction, Reachability, Swarm, SwarmEvent};
use crate::policy::Micros;
use crate::wire::Address;
use crate::wire::address::Route;
use crate::wire::codec::SharedList;
use crate::wire::message::VERSION;
use crate::wire::message::discovery::{Contact, PROTOCOL};
use crate::wire::message::identify::Roles;

/// Peers that are dialled at a time: twice what the machine calls at once, since a dial goes on when
/// its call is abandoned.
const MAX_DIALLING: usize = 1_024;

/// No dial takes longer: the longest connection timeout that a configuration may ask for.
const LONGEST_DIAL: Duration = Duration::from_secs(60);

/// Peers that discovery dials, with the addresses that its dials were charged to since the last one ended.
#[derive(Debug, Default)]
pub(super) struct Dialling(BTreeMap<PeerId, (Micros, Vec<SocketAddr>)>);

impl Dialling {
    /// False if there are too many dials.
    pub(super) fn begin(&mut self, now: Micros, peer: PeerId, addresses: &[SocketAddr]) -> bool {
        if self.0.len() >= MAX_DIALLING {
            self.0
                .retain(|_, (since, _)| now.since(*since) < LONGEST_DIAL);
        }
        if self.0.len() >= MAX_DIALLING && !self.0.contains_key(&peer) {
            return false;
        }
        let (since, charged) = self.0.entry(peer).or_default();
        if now.since(*since) >= LONGEST_DIAL {
            // It ended, and nobody was told.
            charged.clear();
        }
        *since = now;
        charged.extend_from_slice(addresses);
        true
    }

    /// The dial is over; what it was charged to.
    pub(super) fn ended(&mut self, peer: &PeerId) -> Option<Vec<SocketAddr>> {
        self.0.remove(peer).map(|(_, charged)| charged)
    }
}

impl Driver {
    pub(super) fn swarm_event(&mut self, event: SwarmEvent) {
        match event {
            SwarmEvent::PeerConnected {
                peer, direction, ..
            } => {
                self.connected(peer);
                if direction == Direction::Outgoing {
                    self.reached(peer);
                }
            }
            SwarmEvent::PeerIdentified { peer } => self.met(peer),
            SwarmEvent::PeerDisconnected { peer, .. } => self.disconnected(peer),
            SwarmEvent::DialFailed {
                peer: Some(peer), ..
            } => _ = self.dialling.ended(&peer),
            SwarmEvent::PeerBanned { peer, .. } => self.feed(Input::Veto(peer)),
            SwarmEvent::FaultRecorded { peer, score, .. } if score <= self.parts.veto_at => {
                self.feed(Input::Veto(peer));
            }
            _ => {}
        }
    }

    /// Events were lost: who is connected is asked instead.
    pub(super) fn look_again(&mut self) {
        let Some(swarm) = self.parts.swarm.upgrade() else {
            return;
        };
        let peers: BTreeSet<_> = swarm.connected_peers().into_iter().collect();
        let gone: Vec<_> = self.connected.difference(&peers).copied().collect();
        for peer in gone {
            self.disconnected(peer);
        }
        for peer in peers {
            self.connected(peer);
            self.reached(peer);
            self.met(peer);
            if swarm.reputation(&peer) <= self.parts.veto_at {
                self.feed(Input::Veto(peer));
            }
        }
    }

    pub(super) fn look_at_reachability(&mut self) {
        let Some(swarm) = self.parts.swarm.upgrade() else {
            return;
        };
        let reachability = *self.parts.reachability.borrow_and_update();
        let listens_publicly = || {
            let addresses = swarm.listen_addresses();
            addresses.iter().any(Address::is_globally_routable)
        };
        let is_public = reachability == Reachability::Public || listens_publicly();
        self.feed(Input::Public(is_public));
        self.feed(Input::Serving(reachability.is_server()));
    }

    /// A peer to which this node dialled is connected. If discovery did, the address where it answered
    /// cost nothing, however often; the others of its contact may be a victim's.
    fn reached(&mut self, peer: PeerId) {
        if let Some(charged) = self.dialling.ended(&peer) {
            let connection = self.parts.caller.connection(&peer);
            let path = connection.map(|connection| connection.path());
            if let (Some(swarm), Some(path)) = (self.parts.swarm.upgrade(), path) {
                swarm.probed(&charged, &path);
            }
            self.dialled(peer);
        }
    }

    /// A dial of discovery led to a connection: it is one of a few that discovery keeps.
    pub(super) fn dialled(&mut self, peer: PeerId) {
        let Some(swarm) = self.parts.swarm.upgrade() else {
            return;
        };
        if !swarm.is_connected(&peer) {
            return;
        }
        self.warm.insert(peer);
        for idle in self.warm.excess() {
            if !swarm.disconnect_idle(&idle) {
                // Somebody else needs it too, or it is in use.
                self.warm.touch(&idle);
            }
        }
    }

    fn connected(&mut self, peer: PeerId) {
        if let Some(connection) = self.parts.caller.connection(&peer) {
            self.connected.insert(peer);
            let rtt = connection.rtt();
            self.feed(Input::Connected { peer, rtt });
        }
    }

    fn disconnected(&mut self, peer: PeerId) {
        self.warm.remove(&peer);
        if self.connected.remove(&peer) {
            self.feed(Input::Disconnected(peer));
        }
    }

    fn met(&mut self, peer: PeerId) {
        let Some(swarm) = self.parts.swarm.upgrade() else {
            return;
        };
        if let Some((contact, is_server)) = introduced(&swarm, peer) {
            self.feed(Input::Met { contact, is_server });
        }
    }
}

/// A connected peer as others may be told of it, and whether it answers queries.
pub(in crate::services) fn introduced(swarm: &Swarm, peer: PeerId) -> Option<(Contact, bool)> {
    let path = swarm.connection(&peer)?.path();
    let audience = match scope_of_path(&path) {
        Scope::Local => Audience::Local,
        Scope::Public => Audience::Public,
    };
    let (addresses, is_server) = swarm.with_book(|book, _| {
        let entry = book.get(&peer)?;
        let mut protocols = entry.protocols().iter();
        let speaks = protocols.any(|one| one.number == PROTOCOL && one.speaks(VERSION));
        let is_server = speaks && entry.roles().contains(Roles::SERVER);
        Some((book.addresses_to_tell(&peer, audience), is_server))
    })?;
    let addresses = addresses.into_iter().map(as_told);
    let contact = Contact {
        peer,
        addresses: SharedList::truncated(addresses),
    };
    Some((contact, is_server))
}

/// The form in which a contact carries an address: it names its peer once, for all.
pub(in crate::services::discovery) fn as_told(address: Address) -> Address {
    match address.route() {
        Route::Peer(_) => Address::new(address.host().clone(), address.port(), Route::Anyone),
        Route::Anyone | Route::Relayed { .. } => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(number: usize) -> PeerId {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        PeerId::from_bytes(bytes)
    }

    /// Each may have sent a first flight.
    #[test]
    fn dials_to_one_peer_at_once_are_charged_each() {
        let [first, second] = [[9, 9, 9, 9], [5, 5, 5, 5]].map(|ip| SocketAddr::from((ip, 1)));
        let mut dialling = Dialling::default();
        dialling.begin(Micros(5), peer(1), &[first]);
        dialling.begin(Micros(6), peer(1), &[second, first]);
        assert_eq!(dialling.ended(&peer(1)), Some(vec![first, second, first]));
        dialling.begin(Micros(7), peer(1), &[first]);
        dialling.begin(Micros(7) + LONGEST_DIAL, peer(1), &[second]);
        assert_eq!(dialling.ended(&peer(1)), Some(vec![second]));
    }

    #[test]
    fn dials_are_counted_until_they_end_or_are_too_old() {
        let mut dialling = Dialling::default();
        let (start, address) = (Micros(5), SocketAddr::from(([10, 0, 0, 1], 1)));
        for number in 0..MAX_DIALLING {
            assert!(dialling.begin(start, peer(number), &[address]), "{number}");
        }
        assert!(!dialling.begin(start, peer(MAX_DIALLING), &[address]));
        assert!(
            dialling.begin(start, peer(0), &[address]),
            "it is among them"
        );
        assert_eq!(dialling.ended(&peer(1)), Some(vec![address]));
        assert_eq!(dialling.ended(&peer(1)), None);
        assert!(dialling.begin(start, peer(MAX_DIALLING), &[address]));
        let late = start + LONGEST_DIAL;
        assert!(dialling.begin(late, peer(MAX_DIALLING + 1), &[address]));
        assert_eq!(dialling.0.len(), 1);
    }
}
