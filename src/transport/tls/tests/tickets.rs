use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use rustls::server::StoresServerSessions;

use crate::policy::IpGroup;
use crate::transport::tls::TicketStore;

fn group(third: u8) -> IpGroup {
    IpGroup::of(IpAddr::V4(Ipv4Addr::new(11, 0, third, 1)))
}

fn key(number: usize) -> Vec<u8> {
    number.to_le_bytes().to_vec()
}

#[test]
fn a_ticket_serves_once() {
    let store = Arc::new(TicketStore::new(8));
    let view = store.view(group(1));
    view.put(key(1), vec![7]);
    assert_eq!(view.take(&key(1)), Some(vec![7]));
    assert_eq!(view.take(&key(1)), None);
}

#[test]
fn one_group_cannot_fill_more_than_its_share_nor_flush_the_others() {
    // Eight peers make 32 entries, of which a group may hold four.
    let store = Arc::new(TicketStore::new(8));
    store.view(group(1)).put(key(0), vec![0]);
    let flood = store.view(group(2));
    for number in 1..=100 {
        flood.put(key(number), vec![0]);
    }
    assert_eq!(store.usage().0, 1 + 4);
    assert!(store.view(group(1)).take(&key(0)).is_some());
    assert!(flood.take(&key(96)).is_none());
    assert!(flood.take(&key(97)).is_some());
}

#[test]
fn local_addresses_share_the_whole_store() {
    let store = Arc::new(TicketStore::new(8));
    let view = store.view(IpGroup::Local);
    for number in 0..33 {
        view.put(key(number), vec![0]);
    }
    assert_eq!(store.usage().0, 32);
    assert!(view.take(&key(0)).is_none());
}

#[test]
fn the_share_of_a_group_is_bounded_in_bytes_too() {
    // A share is 2 MiB: eight tickets of 256 KiB with their keys do not fit, seven do.
    let store = Arc::new(TicketStore::new(1000));
    let view = store.view(group(1));
    for number in 0..8 {
        view.put(key(number), vec![0; 256 * 1024]);
    }
    assert_eq!(store.usage().0, 7);
    assert!(view.take(&key(0)).is_none());
    assert!(view.take(&key(1)).is_some());
}
