//! Which addresses count as one holder, and which are told to whom.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::support::attacker::{Attacker, ask, introduce, introduction};
use crate::support::nodes::{PORT, config, in_virtual_time, ip, peer, quiet_net};
use crate::support::peer::Peer;
use cretoai_network::sim::Net;
use cretoai_network::wire::Address;
use cretoai_network::wire::message::identify::Identify;

const PING: &[u8] = &[2, 1, 2, 1, 7];

/// A globally routable host.
const PUBLIC: IpAddr = IpAddr::V4(Ipv4Addr::new(11, 0, 1, 1));

/// Dials `count` times from `source`, each time as somebody else; returns how many were served.
async fn crowd(net: &Net, source: IpAddr, bob: &Peer, count: u16) -> usize {
    let mut served = Vec::new();
    for number in 0..count {
        let address = SocketAddr::new(source, 10_000 + number);
        let attacker = Attacker::at(net, address, 1_000 + number);
        if let Ok(connection) = attacker.dial(bob.socket()).await
            && ask(&connection, PING).await.is_ok()
        {
            served.push((attacker, connection));
        }
    }
    served.len()
}

#[test]
fn only_globally_routable_addresses_are_counted_together() {
    in_virtual_time(async {
        let net = quiet_net(1);
        let mut few = config();
        (few.limits.per_ip, few.limits.per_group) = (2, 2);
        let bob = Peer::start_with(&net, ip(2), 2, few);
        for (source, expected) in [
            (PUBLIC, 2),
            (ip(9), 20),
            (Ipv4Addr::new(192, 168, 1, 1).into(), 20),
            (Ipv4Addr::new(100, 64, 0, 1).into(), 20),
            (Ipv4Addr::new(169, 254, 0, 1).into(), 20),
        ] {
            assert_eq!(crowd(&net, source, &bob, 20).await, expected, "{source}");
        }
    });
}

async fn introduced_from(net: &Net, source: IpAddr, bob: &Peer) -> Identify {
    let attacker = Attacker::at(net, SocketAddr::new(source, PORT), 66);
    let connection = attacker.dial(bob.socket()).await.unwrap();
    introduce(&connection, &introduction(&[], &[])).await
}

#[test]
fn a_private_address_is_told_to_private_peers_only() {
    in_virtual_time(async {
        let net = quiet_net(2);
        let bob = Peer::start(&net, ip(2), 2);
        let to_private = introduced_from(&net, ip(9), &bob).await;
        assert_eq!(*to_private.listen_addresses, [bob.address()]);
        let to_public = introduced_from(&net, PUBLIC, &bob).await;
        assert_eq!(*to_public.listen_addresses, []);
    });
}

#[test]
fn a_public_address_is_told_to_everybody() {
    in_virtual_time(async {
        let net = quiet_net(3);
        let bob = Peer::start(&net, Ipv4Addr::new(11, 0, 2, 2).into(), 2);
        for source in [ip(9), PUBLIC] {
            let told = introduced_from(&net, source, &bob).await;
            assert_eq!(*told.listen_addresses, [bob.address()]);
        }
    });
}

/// The addresses that a node on `host` keeps of a peer that names a private and a public one.
async fn kept_on(net: &Net, host: IpAddr) -> Vec<Address> {
    let bob = Peer::start(net, host, 2);
    let attacker = Attacker::at(net, SocketAddr::new(ip(66), PORT), 66);
    let connection = attacker.dial(bob.socket()).await.unwrap();
    introduce(&connection, &introduction(&named(), &[])).await;
    let entry = bob.node.peer(&peer(66)).unwrap();
    entry
        .addresses()
        .map(|record| record.address.clone())
        .collect()
}

/// A private address and a public one of the attacker.
fn named() -> [Address; 2] {
    let hosts = [ip(66), PUBLIC];
    hosts.map(|host| Address::from(SocketAddr::new(host, PORT)).with_peer_id(peer(66)))
}

#[test]
fn a_private_address_is_kept_by_a_node_without_a_public_one() {
    in_virtual_time(async {
        assert_eq!(kept_on(&quiet_net(4), ip(2)).await, named());
    });
}

#[test]
fn a_private_address_is_not_kept_by_a_node_with_a_public_one() {
    in_virtual_time(async {
        let public = Ipv4Addr::new(11, 0, 2, 2).into();
        assert_eq!(kept_on(&quiet_net(5), public).await, named()[1..]);
    });
}
