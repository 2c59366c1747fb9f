//! What the memory of ten thousand peers takes, and the routing table built from it.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use cretoai_network::discovery::table::RoutingTable;
use cretoai_network::discovery::{Density, Key};
use cretoai_network::identity::PeerId;
use cretoai_network::p2p::{Audience, PeerBook};
use cretoai_network::policy::Micros;
use cretoai_network::wire::Address;
use cretoai_network::wire::address::Route;
use cretoai_network::wire::codec::{List, SharedList};
use cretoai_network::wire::message::discovery::Contact;
use cretoai_network::wire::message::identify::{Identify, Roles, SupportedProtocol};

use super::process::live_bytes;
use super::report::Better;
use super::{Failure, Options, Report};

/// Peers that a node remembers after an hour in a large network.
const PEERS: u32 = 10_000;

/// Most that all that a node knows of other peers may take.
const MOST: f64 = 8.0 * 1024.0 * 1024.0;

pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), Failure> {
    if !options.wants("peer_book") {
        return Ok(());
    }
    let before = live_bytes();
    let book = filled()?;
    let of_book = live_bytes().saturating_sub(before) as f64;
    let table = table_of(&book);
    let bytes = live_bytes().saturating_sub(before) as f64;
    let addresses: usize = book
        .iter()
        .map(|(_, entry)| entry.addresses().count())
        .sum();
    if addresses != PEERS as usize * 4 {
        return Err("the book did not take all addresses".into());
    }
    report.value("peer_book", "bytes", of_book, None);
    report.value("peer_book: table built", "nodes", table.len() as f64, None);
    let name = "peer_book with its table";
    report.value(name, "bytes", bytes, Some((Better::Less, MOST)));
    Ok(())
}

/// A table to which all peers of a book were offered.
fn table_of(book: &PeerBook) -> RoutingTable {
    let density = Density::of(f64::from(PEERS));
    let mut table = RoutingTable::new(Key::from_bytes([0; 32]));
    for (peer, _) in book.iter() {
        let told = book.addresses_to_tell(&peer, Audience::Public).into_iter();
        let plain = told.map(|one| Address::new(one.host().clone(), one.port(), Route::Anyone));
        let addresses = SharedList::truncated(plain);
        table.answered(Micros(1), &Contact { peer, addresses }, None, &density);
    }
    table
}

/// Peers that were connected once, introduced themselves and may be evicted: these take the most.
fn filled() -> Result<PeerBook, Failure> {
    let mut book = PeerBook::new();
    for number in 0..PEERS {
        let peer = PeerId::from_bytes(*blake3::hash(&number.to_le_bytes()).as_bytes());
        let now = Micros(number.into());
        // A /24 and a /48 of its own.
        let ip4 = Ipv4Addr::from_bits((20 << 24) + (number << 8) + 7);
        let ip6 = Ipv6Addr::from_bits(0x2a00 << 112 | u128::from(number) << 80 | 7);
        book.connected(now, peer)?;
        book.seen_at(peer, ip4.into());
        book.identified(now, peer, &introduction(ip4, ip6)?);
        book.dial_succeeded(now, peer, &SocketAddr::from((ip4, 9000)).into());
        book.disconnected(now, peer);
    }
    Ok(book)
}

/// What a peer with two sockets of each family says of itself.
fn introduction(ip4: Ipv4Addr, ip6: Ipv6Addr) -> Result<Identify, Failure> {
    let sockets = [9000, 9001].map(|port| {
        let (ip4, ip6) = (SocketAddr::from((ip4, port)), SocketAddr::from((ip6, port)));
        [Address::from(ip4), Address::from(ip6)]
    });
    let protocol = |number| SupportedProtocol {
        number,
        min_version: 1,
        max_version: 1,
    };
    Ok(Identify {
        agent: "cretoai-network/0.1.0".parse()?,
        listen_addresses: List::truncated(sockets.into_iter().flatten()),
        protocols: List::truncated((1..=4).map(protocol)),
        roles: Roles::SERVER,
        observed_address: None,
    })
}
