use std::net::SocketAddrV6;

use super::stranger;
use crate::transport::paths::amplification::{Amplification, MAX_ARRIVALS, MAX_LIMITED};
use crate::transport::paths::virtual_address::bare;

fn address(number: usize) -> SocketAddrV6 {
    bare(stranger(u32::try_from(number).unwrap()))
}

fn limited_after(datagrams: usize) -> Amplification {
    let mut amplification = Amplification::default();
    for _ in 0..datagrams {
        amplification.received(address(1), 1200);
    }
    amplification.limit(address(1));
    amplification
}

#[test]
fn an_unproven_address_is_sent_three_times_what_came_to_the_byte() {
    assert!(limited_after(3).may_send(address(1), 10_799));
    assert!(limited_after(3).may_send(address(1), 10_800));
    assert!(!limited_after(3).may_send(address(1), 10_801));
}

#[test]
fn what_did_not_fit_leaves_room_for_less_and_each_arrival_makes_more() {
    let mut amplification = limited_after(1);
    assert!(amplification.may_send(address(1), 3_000));
    assert!(!amplification.may_send(address(1), 1_200));
    assert!(amplification.may_send(address(1), 600));
    assert!(!amplification.may_send(address(1), 1));
    amplification.received(address(1), 1200);
    assert!(amplification.may_send(address(1), 3_600));
    assert!(!amplification.may_send(address(1), 1));
}

#[test]
fn a_retry_before_the_handshake_counts() {
    let mut amplification = Amplification::default();
    amplification.received(address(1), 1200);
    assert!(amplification.may_send(address(1), 140));
    amplification.limit(address(1));
    assert!(!amplification.may_send(address(1), 3_600));
    assert!(amplification.may_send(address(1), 3_460));
}

#[test]
fn a_proven_address_and_one_that_nobody_limited_are_free() {
    let mut amplification = limited_after(1);
    amplification.lift(address(1));
    assert!(amplification.may_send(address(1), 1 << 20));
    assert!(amplification.may_send(address(2), 1 << 20));
}

#[test]
fn limiting_an_address_again_gives_it_nothing() {
    let mut amplification = limited_after(1);
    assert!(amplification.may_send(address(1), 3_600));
    amplification.limit(address(1));
    assert!(!amplification.may_send(address(1), 1));
}

#[test]
fn arrivals_are_remembered_up_to_the_limit_and_forgotten_ones_count_as_one_datagram() {
    for (others, room) in [
        (MAX_ARRIVALS - 2, 10_800),
        (MAX_ARRIVALS - 1, 10_800),
        (MAX_ARRIVALS, 3_600),
    ] {
        let mut amplification = Amplification::default();
        amplification.received(address(0), 3_600);
        for other in 1..=others {
            amplification.received(address(other), 1200);
        }
        amplification.limit(address(0));
        assert!(!amplification.may_send(address(0), room + 1), "{others}");
        assert!(amplification.may_send(address(0), room), "{others}");
    }
}

#[test]
fn arrivals_from_many_addresses_never_free_a_limited_one() {
    let mut amplification = limited_after(1);
    for other in 2..4 * MAX_ARRIVALS {
        amplification.received(address(other), 1200);
    }
    assert!(!amplification.may_send(address(1), 3_601));
}

#[test]
fn the_address_that_was_limited_first_is_let_go_first() {
    for (others, free) in [
        (MAX_LIMITED - 2, false),
        (MAX_LIMITED - 1, false),
        (MAX_LIMITED, true),
    ] {
        let mut amplification = limited_after(1);
        for other in 2..others + 2 {
            amplification.limit(address(other));
        }
        assert_eq!(amplification.may_send(address(1), 3_601), free, "{others}");
    }
}
