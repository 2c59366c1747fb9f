mod telling;

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

use super::*;
use crate::identity::PeerId;
use crate::policy::Micros;
use crate::wire::Address;
use crate::wire::codec::List;
use crate::wire::message::identify::{Identify, Roles, SupportedProtocol};

const START: Micros = Micros(1_000_000);

fn peer(number: u32) -> PeerId {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    PeerId::from_bytes(bytes)
}

fn after(seconds: u64) -> Micros {
    START + Duration::from_secs(seconds)
}

fn public(host: u8) -> Address {
    format!("/ip4/11.0.0.{host}/udp/9000/quic-v1")
        .parse()
        .unwrap()
}

fn private(host: u8) -> Address {
    format!("/ip4/192.168.0.{host}/udp/9000/quic-v1")
        .parse()
        .unwrap()
}

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(1)
}

fn add(book: &mut PeerBook, now: Micros, number: u32, source: AddressSource) {
    book.add_address(now, peer(number), &public(1), source)
        .unwrap();
}

/// A full book of peers 0.. with one told address each.
fn full() -> PeerBook {
    let mut book = PeerBook::new();
    for number in 0..u32::try_from(MAX_PEERS_REMEMBERED).unwrap() {
        let now = START + Duration::from_micros(number.into());
        add(&mut book, now, number, AddressSource::Told);
    }
    assert_eq!(book.len(), MAX_PEERS_REMEMBERED);
    book
}

#[test]
fn what_worked_last_is_dialled_first_then_what_is_trusted_most() {
    let mut book = PeerBook::new();
    let sources = [
        AddressSource::Told,
        AddressSource::Identified,
        AddressSource::Told,
    ];
    for (host, source) in (1..).zip(sources) {
        book.add_address(START, peer(1), &public(host), source)
            .unwrap();
    }
    book.dial_succeeded(after(1), peer(1), &public(3));
    let expected = [3, 2, 1].map(|host| public(host).with_peer_id(peer(1)));
    assert_eq!(book.addresses_for_dial(after(1), &peer(1)), expected);
}

#[test]
fn an_address_that_failed_waits_longer_each_time_and_a_success_resets_it() {
    let mut book = PeerBook::new();
    let mut rng = rng();
    add(&mut book, START, 1, AddressSource::Told);
    let mut waits = Vec::new();
    for _ in 0..15 {
        book.dial_failed(START, peer(1), &public(1), &mut rng);
        waits.push(book.next_dial_at(&peer(1)).unwrap().since(START));
    }
    assert!(waits[0] >= RETRY_BASE / 2 && waits[0] <= RETRY_BASE);
    assert!(waits[14] >= RETRY_CAP / 2 && waits[14] <= RETRY_CAP);
    let ready = START + waits[14];
    assert_eq!(book.addresses_for_dial(Micros(ready.0 - 1), &peer(1)), []);
    assert_eq!(book.addresses_for_dial(ready, &peer(1)).len(), 1);
    book.dial_succeeded(ready, peer(1), &public(1));
    book.dial_failed(ready, peer(1), &public(1), &mut rng);
    assert!(book.next_dial_at(&peer(1)).unwrap() <= ready + RETRY_BASE);
}

#[test]
fn a_peer_has_eight_addresses_and_the_worst_makes_room() {
    let mut book = PeerBook::new();
    for host in 1..=8 {
        book.add_address(START, peer(1), &public(host), AddressSource::Told)
            .unwrap();
    }
    book.dial_failed(START, peer(1), &public(5), &mut rng());
    book.add_address(START, peer(1), &public(9), AddressSource::Told)
        .unwrap();
    let entry = book.get(&peer(1)).unwrap();
    assert_eq!(entry.addresses().count(), MAX_ADDRESSES_PER_PEER);
    let gone = public(5).with_peer_id(peer(1));
    assert!(entry.addresses().all(|record| record.address != gone));
}

#[test]
fn what_others_say_does_not_displace_what_the_peer_said_or_the_operator_wrote() {
    let mut book = PeerBook::new();
    for host in 1..=4 {
        book.add_address(START, peer(1), &public(host), AddressSource::Configured)
            .unwrap();
    }
    for host in 5..=8 {
        book.add_address(START, peer(1), &public(host), AddressSource::Identified)
            .unwrap();
    }
    let told = book.add_address(after(9), peer(1), &public(9), AddressSource::Told);
    assert_eq!(told, Err(AddError::TooManyAddresses));
    let configured = book.add_address(after(9), peer(1), &public(9), AddressSource::Configured);
    assert_eq!(configured, Ok(()));
}

#[test]
fn an_address_named_twice_keeps_its_best_source() {
    let mut book = PeerBook::new();
    add(&mut book, START, 1, AddressSource::Identified);
    add(&mut book, after(1), 1, AddressSource::Told);
    let entry = book.get(&peer(1)).unwrap();
    let sources: Vec<_> = entry.addresses().map(|record| record.source).collect();
    assert_eq!(sources, [AddressSource::Identified]);
}

#[test]
fn an_address_of_another_peer_or_of_nobody_is_refused() {
    let mut book = PeerBook::new();
    let others = public(1).with_peer_id(peer(2));
    let source = AddressSource::Told;
    assert_eq!(
        book.add_address(START, peer(1), &others, source),
        Err(AddError::OtherPeer)
    );
    let nobody: Address = "/ip4/224.0.0.1/udp/9000/quic-v1".parse().unwrap();
    assert_eq!(
        book.add_address(START, peer(1), &nobody, source),
        Err(AddError::NotDialable)
    );
    assert!(book.is_empty());
}

#[test]
fn a_public_node_keeps_no_private_addresses_but_configured_ones() {
    let mut book = PeerBook::new();
    for (number, source) in [(1, AddressSource::Mdns), (2, AddressSource::Configured)] {
        book.add_address(START, peer(number), &private(1), source)
            .unwrap();
    }
    add(&mut book, START, 3, AddressSource::Told);
    book.set_public(true);
    assert!(book.get(&peer(1)).is_none());
    assert!(book.get(&peer(2)).is_some() && book.get(&peer(3)).is_some());
    let refused = book.add_address(START, peer(1), &private(1), AddressSource::Identified);
    assert_eq!(refused, Err(AddError::Private));
    book.set_public(false);
    book.add_address(START, peer(1), &private(1), AddressSource::Identified)
        .unwrap();
}

#[test]
fn the_full_book_gives_up_the_oldest_of_the_untried() {
    let mut book = full();
    let next = u32::try_from(MAX_PEERS_REMEMBERED).unwrap();
    add(&mut book, after(1), next, AddressSource::Told);
    assert_eq!(book.len(), MAX_PEERS_REMEMBERED);
    assert!(book.get(&peer(0)).is_none());
    assert!(book.get(&peer(1)).is_some() && book.get(&peer(next)).is_some());
}

#[test]
fn the_order_of_eviction_is_failed_untried_lost_proven_and_never_connected_or_configured() {
    let mut book = full();
    let rest = u32::try_from(MAX_PEERS_REMEMBERED).unwrap();
    // Every peer but 0 to 4 is connected.
    for number in 5..rest {
        book.connected(START, peer(number)).unwrap();
    }
    add(&mut book, START, 4, AddressSource::Configured);
    for number in [0, 1] {
        book.dial_succeeded(after(1), peer(number), &public(1));
    }
    for number in [1, 3] {
        book.dial_failed(after(1), peer(number), &public(1), &mut rng());
    }
    for (newcomer, evicted) in [(0, 3), (1, 2), (2, 1), (3, 0)] {
        book.connected(after(2), peer(rest + newcomer)).unwrap();
        assert!(book.get(&peer(evicted)).is_none(), "{evicted}");
        assert_eq!(book.len(), MAX_PEERS_REMEMBERED);
    }
    assert_eq!(
        book.connected(after(2), peer(rest + 9)),
        Err(AddError::Full)
    );
    assert!(book.get(&peer(4)).is_some());
}

#[test]
fn a_flood_of_invented_peers_does_not_push_out_proven_ones() {
    let mut book = full();
    let count = u32::try_from(MAX_PEERS_REMEMBERED).unwrap();
    for number in 0..count {
        book.dial_succeeded(after(1), peer(number), &public(1));
    }
    let invented = book.add_address(after(2), peer(count), &public(1), AddressSource::Told);
    assert_eq!(invented, Err(AddError::Full));
    assert_eq!(book.len(), MAX_PEERS_REMEMBERED);
}

#[test]
fn a_disconnected_peer_may_be_evicted_again() {
    let mut book = PeerBook::new();
    book.connected(START, peer(1)).unwrap();
    assert!(book.evictable_peers().is_empty());
    book.disconnected(after(1), peer(1));
    assert_eq!(book.evictable_peers(), [peer(1)]);
    assert_eq!(book.get(&peer(1)).unwrap().last_seen(), Some(after(1)));
}

#[test]
fn identify_fills_the_entry_and_adds_what_can_be_dialled() {
    let mut book = PeerBook::new();
    book.connected(START, peer(1)).unwrap();
    let identify = Identify {
        agent: "creto/0.1".parse().unwrap(),
        listen_addresses: List::truncated([public(1), private(1), public(2).with_peer_id(peer(2))]),
        protocols: List::truncated([SupportedProtocol {
            number: 1,
            min_version: 1,
            max_version: 1,
        }]),
        roles: Roles::SERVER,
        observed_address: None,
    };
    book.set_public(true);
    book.identified(START, peer(1), &identify);
    let entry = book.get(&peer(1)).unwrap();
    assert_eq!(entry.agent(), "creto/0.1");
    assert_eq!(entry.protocols().len(), 1);
    assert!(entry.roles().contains(Roles::SERVER));
    assert_eq!(
        entry.addresses().count(),
        1,
        "neither the private nor the other peer's"
    );
}

#[test]
fn identify_of_a_forgotten_peer_enters_nobody() {
    let mut book = PeerBook::new();
    let identify = Identify {
        agent: "x".parse().unwrap(),
        listen_addresses: List::truncated([public(1)]),
        protocols: List::default(),
        roles: Roles::default(),
        observed_address: None,
    };
    book.identified(START, peer(1), &identify);
    assert!(book.is_empty());
}

#[test]
fn tags_are_bounded_in_number_and_length() {
    let mut book = PeerBook::new();
    assert_eq!(book.set_tag(peer(1), "a", b""), Err(TagError::UnknownPeer));
    add(&mut book, START, 1, AddressSource::Told);
    let long = "k".repeat(MAX_TAG_KEY + 1);
    assert_eq!(
        book.set_tag(peer(1), &long, b""),
        Err(TagError::KeyLength(65))
    );
    assert_eq!(book.set_tag(peer(1), "", b""), Err(TagError::KeyLength(0)));
    assert_eq!(
        book.set_tag(peer(1), &long[1..], &[0; MAX_TAG_VALUE]),
        Ok(())
    );
    let value = [0; MAX_TAG_VALUE + 1];
    assert_eq!(
        book.set_tag(peer(1), "a", &value),
        Err(TagError::ValueLength(257))
    );
    for number in 1..MAX_TAGS {
        assert_eq!(book.set_tag(peer(1), &number.to_string(), b"v"), Ok(()));
    }
    assert_eq!(
        book.set_tag(peer(1), "one more", b""),
        Err(TagError::TooMany)
    );
    assert_eq!(book.set_tag(peer(1), "1", b"new"), Ok(()), "replaced");
    assert_eq!(book.get(&peer(1)).unwrap().tag("1"), Some(&b"new"[..]));
    assert!(book.remove_tag(&peer(1), "1"));
    assert!(!book.remove_tag(&peer(1), "1"));
}

#[test]
fn logs_do_not_show_where_a_peer_is() {
    let mut book = PeerBook::new();
    add(&mut book, START, 1, AddressSource::Told);
    let text = format!("{book:?}");
    assert!(
        !text.contains("11.0.0") && text.contains("redacted"),
        "{text}"
    );
}
