//! What is told about a peer, and what an attacker would like to be told.

use std::net::{IpAddr, Ipv4Addr};

use super::*;

/// A book in which peer 1 is connected from host `seen_at` and names `addresses` as its own.
fn named(seen_at: u8, addresses: &[Address]) -> PeerBook {
    let mut book = PeerBook::new();
    book.connected(START, peer(1)).unwrap();
    book.seen_at(peer(1), ip(seen_at));
    for address in addresses {
        book.add_address(START, peer(1), address, AddressSource::Identified)
            .unwrap();
    }
    book
}

fn ip(host: u8) -> IpAddr {
    Ipv4Addr::new(11, 0, 0, host).into()
}

fn of_peer(address: &Address) -> Address {
    address.clone().with_peer_id(peer(1))
}

fn relayed(host: u8) -> Address {
    let relay = public(host).with_peer_id(peer(9));
    relay.through(peer(1)).unwrap()
}

fn told(book: &PeerBook) -> Vec<Address> {
    book.addresses_to_tell(&peer(1), Audience::Public)
}

#[test]
fn a_victims_address_that_a_peer_names_as_its_own_is_told_to_nobody() {
    let victim = public(66);
    let mut book = named(1, &[victim.clone(), private(66)]);
    for audience in [Audience::Public, Audience::Local] {
        assert_eq!(book.addresses_to_tell(&peer(1), audience), []);
    }
    book.dial_failed(after(1), peer(1), &victim, &mut rng());
    assert_eq!(told(&book), []);
}

#[test]
fn a_victims_address_is_not_told_because_others_repeat_it() {
    let mut book = named(1, &[public(66)]);
    for source in [
        AddressSource::Told,
        AddressSource::Observed,
        AddressSource::Configured,
    ] {
        book.add_address(after(1), peer(1), &public(66), source)
            .unwrap();
    }
    assert_eq!(told(&book), []);
}

#[test]
fn what_a_peer_names_at_the_address_that_it_is_seen_at_is_told() {
    let other_port: Address = "/ip4/11.0.0.1/udp/9001/quic-v1".parse().unwrap();
    let mut book = named(1, &[public(1), other_port.clone()]);
    let expected = [public(1), other_port].map(|address| of_peer(&address));
    assert_eq!(told(&book), expected);
    // Also if the operator wrote it down besides.
    book.add_address(after(1), peer(1), &public(1), AddressSource::Configured)
        .unwrap();
    assert_eq!(told(&book), expected);
}

#[test]
fn what_others_name_at_the_address_that_a_peer_is_seen_at_is_not_told() {
    let mut book = named(1, &[]);
    book.add_address(START, peer(1), &public(1), AddressSource::Told)
        .unwrap();
    assert_eq!(told(&book), []);
}

#[test]
fn an_address_that_a_peer_was_seen_at_before_it_moved_is_not_told() {
    let mut book = named(1, &[public(1)]);
    book.seen_at(peer(1), ip(2));
    assert_eq!(told(&book), []);
}

#[test]
fn an_ipv4_address_in_ipv6_form_is_the_same_address() {
    let mut book = named(9, &[public(1)]);
    let mapped = Ipv4Addr::new(11, 0, 0, 1).to_ipv6_mapped();
    book.seen_at(peer(1), mapped.into());
    assert_eq!(told(&book), [of_peer(&public(1))]);
}

#[test]
fn hearsay_is_not_passed_on_before_it_was_found_true() {
    let mut book = PeerBook::new();
    add(&mut book, START, 1, AddressSource::Told);
    assert_eq!(told(&book), []);
    book.dial_succeeded(after(1), peer(1), &public(1));
    assert_eq!(told(&book), [of_peer(&public(1))]);
}

#[test]
fn a_relayed_address_is_told_if_the_peer_named_it_and_not_if_others_did() {
    let book = named(1, &[relayed(7)]);
    assert_eq!(told(&book), [relayed(7)]);
    let mut book = named(1, &[]);
    book.add_address(START, peer(1), &relayed(7), AddressSource::Told)
        .unwrap();
    assert_eq!(told(&book), []);
}

#[test]
fn a_name_that_leads_anywhere_tomorrow_is_told_to_nobody() {
    let name: Address = "/dns4/victim.example/udp/9000/quic-v1".parse().unwrap();
    let mut book = named(1, std::slice::from_ref(&name));
    book.dial_succeeded(after(1), peer(1), &name);
    assert_eq!(book.addresses_to_tell(&peer(1), Audience::Local), []);
}

#[test]
fn private_addresses_are_never_told_to_public_peers() {
    let mut book = named(1, &[public(1), private(1)]);
    book.dial_succeeded(after(1), peer(1), &private(1));
    assert_eq!(told(&book), [of_peer(&public(1))]);
    let to_local = book.addresses_to_tell(&peer(1), Audience::Local);
    assert_eq!(to_local, [private(1), public(1)].map(|one| of_peer(&one)));
}

#[test]
fn the_four_best_are_told_the_best_first() {
    let mut book = PeerBook::new();
    for host in 1..=5 {
        book.dial_succeeded(after(host.into()), peer(1), &public(host));
    }
    let expected = [5, 4, 3, 2].map(|host| of_peer(&public(host)));
    assert_eq!(expected.len(), MAX_ADDRESSES_TOLD);
    assert_eq!(told(&book), expected);
}
