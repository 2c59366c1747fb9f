//! The behaviour of the table, rule by rule.

mod crowds;
mod model;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::discovery::testing::{
    at, below, chance, contact, contact_at, contact_of, distance, endpoint, key, peer, peers, rng,
};
use crate::policy::IpGroup;

/// In a network of this size nobody is a neighbour.
const OPEN: Density = Density::unbounded(1e12);
const ASKER: PeerId = PeerId::from_bytes([1; 32]);

fn seconds(count: u64) -> Micros {
    Micros(count * 1_000_000)
}

fn local() -> Key {
    key(0)
}

fn table() -> RoutingTable {
    RoutingTable::new(local())
}

/// The `number`-th node of a bucket.
fn in_bucket(bits: u32, number: u64) -> PeerId {
    let rng = &mut rng(number << 8 | u64::from(bits));
    at(&local()
        .with_flipped_bit(bits)
        .random_with_prefix(bits + 1, rng))
}

fn enter(table: &mut RoutingTable, now: Micros, contact: &Contact) -> Entered {
    table.answered(now, contact, None, &OPEN)
}

/// A table whose bucket 0 is full; node `n` answered at second `n`.
fn with_full_bucket() -> RoutingTable {
    let mut table = table();
    for number in 0..20 {
        let node = contact_of(in_bucket(0, number), number);
        assert_eq!(enter(&mut table, seconds(number), &node), Entered::Added);
    }
    table
}

fn told(table: &RoutingTable, scope: Scope) -> Vec<Contact> {
    table.reply(&local(), 40, (&ASKER, scope), &OPEN)
}

// Places and those that wait.

#[test]
fn a_bucket_takes_twenty() {
    let mut table = table();
    for (number, expected) in [(18, 19), (19, 20), (20, 20)] {
        for number in 0..=number {
            enter(
                &mut table,
                seconds(0),
                &contact_of(in_bucket(0, number), number),
            );
        }
        assert_eq!(table.len(), expected);
    }
}

#[test]
fn the_least_recently_seen_leaves_only_after_it_failed_twice_and_the_newest_that_waits_follows() {
    let mut table = with_full_bucket();
    let oldest = in_bucket(0, 0);
    for number in 20..40 {
        let newcomer = contact_of(in_bucket(0, number), number);
        let entered = enter(&mut table, seconds(100), &newcomer);
        let Entered::Waiting(Some(to_probe)) = entered else {
            panic!("{entered:?}");
        };
        assert_eq!(to_probe.peer, oldest, "the least recently seen is probed");
    }
    assert!(
        table.contains(&oldest),
        "twenty newcomers cost nobody a place"
    );
    assert!(table.failed(&oldest, &OPEN), "it is asked once more");
    assert!(table.contains(&oldest), "one failure is none");
    assert!(!table.failed(&oldest, &OPEN));
    assert!(!table.contains(&oldest));
    assert!(
        table.contains(&in_bucket(0, 39)),
        "the newest that waits follows"
    );
    assert_eq!(
        table.take_followed(),
        [in_bucket(0, 39)],
        "and that is told"
    );
    assert_eq!(table.len(), 20);
}

#[test]
fn a_probe_that_is_answered_keeps_the_place() {
    let mut table = with_full_bucket();
    let oldest = contact_of(in_bucket(0, 0), 0);
    table.failed(&oldest.peer, &OPEN);
    assert_eq!(enter(&mut table, seconds(200), &oldest), Entered::Known);
    table.failed(&oldest.peer, &OPEN);
    assert!(table.contains(&oldest.peer), "failures in a row count");
    let newcomer = contact_of(in_bucket(0, 20), 20);
    let entered = enter(&mut table, seconds(200), &newcomer);
    assert!(matches!(entered, Entered::Waiting(Some(one)) if one.peer == in_bucket(0, 1)));
}

#[test]
fn those_that_were_seen_within_a_minute_are_not_probed() {
    let mut table = with_full_bucket();
    let newcomer = contact_of(in_bucket(0, 20), 20);
    assert_eq!(
        enter(&mut table, seconds(60), &newcomer),
        Entered::Waiting(None)
    );
}

#[test]
fn ten_wait_for_a_bucket() {
    let mut table = with_full_bucket();
    for number in 20..32 {
        let newcomer = contact_of(in_bucket(0, number), number);
        assert_eq!(table.wants(&newcomer.peer, &OPEN), number < 30);
        enter(&mut table, seconds(20), &newcomer);
    }
    for number in 0..11 {
        table.remove(&in_bucket(0, number), &OPEN);
    }
    assert_eq!(table.len(), 19, "ten of eleven places were taken");
    assert!(
        !table.contains(&in_bucket(0, 21)),
        "the oldest that waited made room"
    );
    assert!(table.contains(&in_bucket(0, 22)));
}

#[test]
fn a_node_that_failed_once_is_not_told_but_stays() {
    let mut table = with_full_bucket();
    let node = in_bucket(0, 3);
    assert!(peers(&told(&table, Scope::Public)).contains(&node));
    table.failed(&node, &OPEN);
    assert!(table.contains(&node));
    assert!(!peers(&told(&table, Scope::Public)).contains(&node));
    assert!(!peers(&table.seeds(&node.into(), 20)).contains(&node));
    enter(&mut table, seconds(99), &contact_of(node, 3));
    assert!(peers(&told(&table, Scope::Public)).contains(&node));
}

#[test]
fn lookups_start_from_nodes_that_failed_if_there_are_no_others() {
    let mut table = table();
    enter(&mut table, seconds(0), &contact(1));
    table.failed(&peer(1), &OPEN);
    assert_eq!(peers(&table.seeds(&local(), 20)), [peer(1)]);
    assert!(told(&table, Scope::Public).is_empty());
}

// Groups.

#[test]
fn a_bucket_takes_two_of_an_ip_group() {
    let mut table = table();
    let mut enter = |number| enter(&mut table, seconds(0), &contact_of(in_bucket(0, number), 7));
    let refused = Entered::Refused(NoEntry::Group);
    assert_eq!(
        [enter(0), enter(1), enter(2)],
        [Entered::Added, Entered::Added, refused]
    );
}

/// Ten of one network would keep all others from waiting, and could not follow.
#[test]
fn attack_two_of_an_ip_group_wait_and_no_more() {
    let mut table = with_full_bucket();
    let mut enter = |number, group| {
        enter(
            &mut table,
            seconds(20),
            &contact_of(in_bucket(0, number), group),
        )
    };
    assert!(matches!(enter(20, 77), Entered::Waiting(_)));
    assert!(matches!(enter(21, 77), Entered::Waiting(_)));
    assert_eq!(enter(22, 77), Entered::Refused(NoEntry::Group));
    assert!(matches!(enter(21, 77), Entered::Waiting(_)), "it is there");
    assert!(matches!(enter(23, 78), Entered::Waiting(_)));
}

#[test]
fn a_table_takes_ten_of_an_ip_group() {
    let mut table = table();
    let mut enter = |bits: u32, number| {
        enter(
            &mut table,
            seconds(0),
            &contact_of(in_bucket(bits, number), 7),
        )
    };
    for bits in 0..4 {
        assert_eq!(
            [enter(bits, 0), enter(bits, 1)],
            [Entered::Added, Entered::Added]
        );
    }
    assert_eq!(enter(4, 0), Entered::Added, "nine");
    assert_eq!(enter(5, 0), Entered::Added, "ten");
    assert_eq!(enter(6, 0), Entered::Refused(NoEntry::Group), "eleven");
}

#[test]
fn groups_are_networks_of_24_and_48_bits_and_a_place_that_is_left_is_free() {
    let mut table = table();
    let mut v6 = |number, ip: &str| {
        let node = contact_at(in_bucket(0, number), &[&format!("/ip6/{ip}/udp/1")]);
        enter(&mut table, seconds(0), &node)
    };
    assert_eq!(v6(0, "2606:4700:1:1::1"), Entered::Added);
    assert_eq!(v6(1, "2606:4700:1:2::1"), Entered::Added);
    assert_eq!(v6(2, "2606:4700:1:3::1"), Entered::Refused(NoEntry::Group));
    assert_eq!(v6(3, "2606:4700:2:1::1"), Entered::Added);
    table.remove(&in_bucket(0, 0), &OPEN);
    let node = contact_at(in_bucket(0, 2), &["/ip6/2606:4700:1:3::1/udp/1"]);
    assert_eq!(enter(&mut table, seconds(0), &node), Entered::Added);
}

#[test]
fn private_addresses_have_no_group_limit() {
    let mut table = table();
    for number in 0..20 {
        let node = contact_at(in_bucket(0, number), &["/ip4/127.0.0.1/udp/1"]);
        assert_eq!(enter(&mut table, seconds(0), &node), Entered::Added);
    }
}

#[test]
fn attack_moving_into_one_network_after_entry() {
    let mut table = table();
    for number in 0..20 {
        enter(
            &mut table,
            seconds(0),
            &contact_of(in_bucket(0, number), number),
        );
    }
    for number in 0..20 {
        table.moved(&contact_of(in_bucket(0, number), 77));
    }
    let there = table
        .iter()
        .filter(|one| one.contact == contact_of(one.contact.peer, 77));
    assert_eq!(
        there.count(),
        2,
        "as many as may be of one group in a bucket"
    );
}

// Scopes.

#[test]
fn private_nodes_are_kept_only_by_a_node_without_a_public_address() {
    let private = contact_at(peer(1), &["/ip4/192.168.1.7/udp/1"]);
    let both = contact_at(peer(2), &["/ip4/192.168.1.8/udp/1", &endpoint(1, 1)]);
    let mut table = table();
    assert_eq!(enter(&mut table, seconds(0), &private), Entered::Added);
    assert_eq!(enter(&mut table, seconds(0), &both), Entered::Added);
    table.set_public(true, &OPEN);
    assert!(!table.contains(&private.peer));
    assert!(table.contains(&both.peer));
    let entered = enter(&mut table, seconds(0), &private);
    assert_eq!(entered, Entered::Refused(NoEntry::NoAddress));
    let known: Vec<_> = table
        .iter()
        .flat_map(|one| one.contact.addresses.to_vec())
        .collect();
    assert!(
        known.iter().all(crate::wire::Address::is_globally_routable),
        "{}",
        known.len()
    );
}

#[test]
fn private_addresses_are_not_told_to_public_peers() {
    let mut table = table();
    let private = contact_at(peer(1), &["/ip4/192.168.1.7/udp/1"]);
    let both = contact_at(peer(2), &["/ip4/192.168.1.8/udp/1", &endpoint(1, 1)]);
    enter(&mut table, seconds(0), &private);
    enter(&mut table, seconds(0), &both);
    let shown = told(&table, Scope::Public);
    assert_eq!(shown, [contact_at(peer(2), &[&endpoint(1, 1)])]);
    assert_eq!(told(&table, Scope::Local).len(), 2);
}

#[test]
fn the_asker_and_the_node_itself_are_never_told() {
    let mut table = table();
    enter(&mut table, seconds(0), &contact_of(ASKER, 1));
    let itself = contact_of(at(&local()), 2);
    assert_eq!(
        enter(&mut table, seconds(0), &itself),
        Entered::Refused(NoEntry::Local)
    );
    assert!(told(&table, Scope::Public).is_empty());
}

#[test]
fn as_many_as_are_wanted_are_told() {
    let mut table = table();
    for number in 1..200 {
        enter(&mut table, seconds(0), &contact(number));
    }
    for count in [0, 1, 39, 40] {
        assert_eq!(
            table
                .reply(&local(), count, (&ASKER, Scope::Public), &OPEN)
                .len(),
            count
        );
    }
}

#[test]
fn a_bucket_that_no_lookup_went_through_is_refreshed_once() {
    let mut table = table();
    for bits in 0..4 {
        enter(
            &mut table,
            seconds(0),
            &contact_of(in_bucket(bits, 0), u64::from(bits)),
        );
    }
    let age = Duration::from_secs(600);
    let rng = &mut rng(3);
    table.looked_up(seconds(10), &in_bucket(1, 5).into());
    let targets = table.refresh(seconds(600), age, rng);
    let bits: Vec<_> = targets
        .iter()
        .map(|one| local().common_prefix(one))
        .collect();
    assert_eq!(
        bits,
        [0, 2],
        "not the one that was looked up, nor the nearest"
    );
    assert!(table.refresh(seconds(600), age, rng).is_empty());
}
