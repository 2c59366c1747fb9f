//! Who is believed about where a provider is.

use std::net::SocketAddr;

use super::*;
use crate::discovery::testing::{at, contact, contact_of, key, peer};
use crate::wire::codec::SharedList;

/// A provider at another address than its own.
fn misplaced(number: u64, address: u64) -> Contact {
    contact_of(peer(number), address)
}

/// A teller that shares so many bits with the key.
fn teller(bits: u32) -> PeerId {
    at(&key(1).with_flipped_bit(bits))
}

#[test]
fn attack_a_teller_that_invents_hundreds_of_providers_does_not_stand_before_the_others() {
    let mut named = Named::new(key(1));
    for number in 100..400 {
        named.hear(peer(1), None, contact(number));
    }
    named.hear(peer(2), None, contact(2));
    named.hear(peer(3), None, contact(3));
    let first = (0..3).filter_map(|_| named.next());
    let first: BTreeSet<_> = first.map(|one| one.peer).collect();
    assert!(
        first.contains(&peer(2)) && first.contains(&peer(3)),
        "{first:?}"
    );
    assert_eq!(std::iter::from_fn(|| named.next()).count(), 299);
}

#[test]
fn attack_three_that_name_a_provider_at_wrong_addresses_do_not_hide_it() {
    let mut named = Named::new(key(1));
    for liar in [10, 11, 12] {
        named.hear(teller(liar), None, misplaced(7, 80 + u64::from(liar)));
    }
    assert_eq!(
        named.next(),
        Some(misplaced(7, 92)),
        "the nearest one's word"
    );
    assert_eq!(named.next(), None, "one place at a time");
    assert_eq!(named.silent(&peer(7), true), Some(teller(12)));
    named.hear(teller(3), None, contact(7));
    named.complete();
    for liar in [11, 10] {
        assert_eq!(named.next(), Some(misplaced(7, 80 + u64::from(liar))));
        assert_eq!(named.silent(&peer(7), true), Some(teller(liar)));
    }
    assert_eq!(named.next(), Some(contact(7)));
    named.answered(&peer(7));
    assert_eq!(named.live(), [(teller(3), contact(7))]);
}

#[test]
fn four_places_are_tried_those_of_the_nearest_tellers_and_one_of_each() {
    let mut named = Named::new(key(1));
    for bits in 0..9 {
        let number = 90 + u64::from(bits);
        named.hear(teller(bits), None, misplaced(7, number));
        named.hear(teller(bits), None, misplaced(7, 50 + number));
    }
    named.complete();
    let tried = std::iter::from_fn(|| {
        let next = named.next();
        named.silent(&peer(7), true);
        next
    });
    let expected = [98, 97, 96, 95].map(|number| misplaced(7, number));
    assert_eq!(tried.collect::<Vec<_>>(), expected);
    named.hear(teller(20), None, misplaced(7, 7));
    assert_eq!(named.next(), None);
}

#[test]
fn what_this_node_knows_itself_comes_first_and_is_nobodys_lie() {
    let mut named = Named::new(key(1));
    named.hear(teller(3), Some(&contact(7)), misplaced(7, 90));
    assert_eq!(named.next(), Some(contact(7)));
    assert_eq!(named.silent(&peer(7), true), None);
    assert_eq!(named.next(), Some(misplaced(7, 90)));
    assert_eq!(named.silent(&peer(7), true), Some(teller(3)));
    let all = named.all();
    let [(first, contact)] = &all[..] else {
        panic!("{all:?}");
    };
    assert_eq!((*first, contact.addresses.len()), (teller(3), 2));
}

/// Where it was before, four liars, and those who know where it is.
#[test]
fn attack_four_liars_and_an_old_address_do_not_hide_a_provider_from_those_who_agree() {
    let mut named = Named::new(key(1));
    for liar in [10, 11, 12, 13] {
        let place = misplaced(7, 80 + u64::from(liar));
        named.hear(teller(liar), Some(&misplaced(7, 50)), place);
    }
    assert_eq!(named.next(), Some(misplaced(7, 50)));
    for honest in [1, 2] {
        named.hear(teller(honest), None, contact(7));
    }
    assert_eq!(named.silent(&peer(7), true), None);
    assert_eq!(named.next(), Some(contact(7)), "what two say");
}

/// They are heard before anybody near the key, and what they name fails at once.
#[test]
fn attack_four_liars_at_the_way_there_do_not_use_up_the_places_of_those_who_agree() {
    let mut named = Named::new(key(1));
    let mut tried = 0;
    for liar in [10, 11, 12, 13] {
        named.hear(teller(liar), None, misplaced(7, 80 + u64::from(liar)));
        while named.next().is_some() {
            named.silent(&peer(7), true);
            tried += 1;
        }
    }
    assert_eq!(tried, 2);
    for honest in [1, 2] {
        named.hear(teller(honest), None, contact(7));
    }
    assert_eq!(named.next(), None);
    named.complete();
    assert_eq!(named.next(), Some(contact(7)));
}

#[test]
fn a_place_to_which_nothing_could_be_sent_is_not_among_those_that_were_tried() {
    let mut named = Named::new(key(1));
    for bits in 0..9 {
        named.hear(teller(bits), None, misplaced(7, 90 + u64::from(bits)));
    }
    named.complete();
    let mut tried = 0;
    while named.next().is_some() {
        named.silent(&peer(7), tried > 0);
        tried += 1;
    }
    assert_eq!(tried, 5);
}

/// A provider at the addresses of so many.
fn at_all(addresses: &[u64]) -> Contact {
    let addresses = addresses
        .iter()
        .map(|one| contact(*one).addresses[0].clone());
    let addresses = SharedList::truncated(addresses);
    let peer = peer(7);
    Contact { peer, addresses }
}

/// Holders tell what the asker may reach, in an order of their own.
#[test]
fn those_who_name_one_address_of_a_place_agree() {
    let mut named = Named::new(key(1));
    for liar in [20, 21] {
        named.hear(teller(liar), None, at_all(&[90]));
    }
    for (honest, told) in [(1, &[7, 8][..]), (2, &[8]), (3, &[7])] {
        named.hear(teller(honest), None, at_all(told));
    }
    assert_eq!(named.next(), Some(at_all(&[7, 8])));
}

/// The asker may not be able to reach that one.
#[test]
fn attack_who_names_one_of_several_addresses_does_not_take_the_place_of_those_who_name_all() {
    let mut named = Named::new(key(1));
    for liar in [20, 21, 22, 23] {
        named.hear(teller(liar), None, at_all(&[8, 60 + u64::from(liar)]));
    }
    for honest in [1, 2] {
        named.hear(teller(honest), None, at_all(&[7, 8]));
    }
    assert_eq!(named.next(), Some(at_all(&[7, 8])));
}

#[test]
fn two_that_name_no_address_agree() {
    let mut named = Named::new(key(1));
    for bits in 1..=4 {
        named.hear(teller(bits), None, at_all(&[]));
    }
    assert_eq!(named.next(), Some(at_all(&[])));
    named.silent(&peer(7), true);
    assert_eq!(named.next(), None);
}

/// It names the one that is sought, and before it as many as an answer holds.
#[test]
fn attack_a_teller_that_invents_many_does_not_keep_another_from_naming_one_of_them() {
    let mut named = Named::new(key(1));
    for number in (100..131).chain([7]) {
        named.hear(peer(1), None, contact(number));
    }
    named.hear(peer(2), None, contact(7));
    let first = [named.next(), named.next()];
    assert!(first.contains(&Some(contact(7))), "{first:?}");
    let rest = std::iter::from_fn(|| named.next());
    assert_eq!(rest.filter(|one| *one == contact(7)).count(), 0, "once");
}

#[test]
fn attack_one_teller_does_not_fill_the_addresses_of_a_provider() {
    let mut named = Named::new(key(1));
    let false_ones = [[9, 9, 9, 9], [9, 9, 9, 8], [9, 9, 9, 7], [9, 9, 9, 6]];
    let false_ones = false_ones.map(|ip| Address::from(SocketAddr::from((ip, 1))));
    let addresses = SharedList::truncated(false_ones);
    let peer = peer(7);
    named.hear(teller(20), None, Contact { peer, addresses });
    named.hear(teller(3), None, contact(7));
    let all = named.all();
    let told = &all[0].1.addresses;
    assert!(told.contains(&contact(7).addresses[0]), "{told:?}");
}

#[test]
fn a_thousand_and_twenty_four_providers_are_remembered_and_no_more() {
    let mut named = Named::new(key(1));
    for number in 0..1_025 {
        named.hear(peer(5_000), None, contact(number));
    }
    let all = named.all();
    assert_eq!(all.len(), 1_024);
    assert!(all.iter().any(|(_, one)| *one == contact(1_023)));
    // Further places of those that are known are heard all the same.
    named.hear(peer(5_001), None, misplaced(3, 90));
    let addresses = |number| {
        let mut all = named.all().into_iter().map(|(_, one)| one);
        Some(all.find(|one| one.peer == peer(number))?.addresses.len())
    };
    assert_eq!((addresses(3), addresses(1_024)), (Some(2), None));
}
