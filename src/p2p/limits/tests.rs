use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::*;
use crate::identity::PeerId;
use crate::p2p::duplicates::{Input, Output};
use crate::p2p::{ConnectionId, Direction, Duplicates, MAX_CONNECTIONS_PER_PEER};
use crate::policy::Micros;

const START: Micros = Micros(1_000_000);
const MAX_PEERS: u32 = 1_000;

fn peer(number: u16) -> PeerId {
    let mut bytes = [0; 32];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    PeerId::from_bytes(bytes)
}

/// Host `host` in the routable network `group`.
fn from(group: u16, host: u8) -> Source {
    let [high, low] = group.to_be_bytes();
    Source::Direct(IpAddr::V4(Ipv4Addr::new(11 + high, low, 0, host)))
}

const fn loopback(host: u8) -> Source {
    Source::Direct(IpAddr::V4(Ipv4Addr::new(127, 0, 0, host)))
}

fn admission() -> Admission {
    Admission::new(LimitsConfig::default(), MAX_PEERS)
}

fn with(change: impl FnOnce(&mut LimitsConfig)) -> Admission {
    let mut limits = LimitsConfig::default();
    change(&mut limits);
    limits.validate().unwrap();
    Admission::new(limits, MAX_PEERS)
}

fn accepted(verdict: Admit) -> PermitId {
    match verdict {
        Admit::Accept(permit) => permit,
        other => panic!("{other:?}"),
    }
}

/// Lets one peer in, confirmed.
fn join(admission: &mut Admission, now: Micros, source: Source, number: u16) -> PermitId {
    let permit = accepted(admission.admit(now, source, true));
    admission.confirm(permit, peer(number)).unwrap();
    permit
}

#[test]
fn above_64_unfinished_handshakes_an_address_must_be_proven() {
    let mut admission = admission();
    for group in 0..64 {
        accepted(admission.admit(START, from(group, 1), false));
    }
    assert_eq!(admission.counts().unconfirmed, 64);
    assert_eq!(admission.admit(START, from(64, 1), false), Admit::Retry);
    accepted(admission.admit(START, from(64, 1), true));
}

#[test]
fn at_the_hard_limit_the_unproven_are_ignored_and_the_proven_refused() {
    let mut admission = admission();
    for group in 0..511 {
        accepted(admission.admit(START, from(group, 1), true));
    }
    assert_eq!(
        admission.admit(START, from(600, 1), false),
        Admit::Retry,
        "n - 1"
    );
    accepted(admission.admit(START, from(511, 1), true));
    assert_eq!(
        admission.admit(START, from(600, 1), false),
        Admit::Ignore,
        "n"
    );
    let refused = Admit::Refuse(RefuseReason::Unconfirmed);
    assert_eq!(admission.admit(START, from(600, 1), true), refused);
}

#[test]
fn a_thousand_half_open_from_one_network_leave_others_untouched() {
    let mut admission = admission();
    for attempt in 0..1_000u32 {
        let host = u8::try_from(attempt % 250).unwrap();
        admission.admit(START, from(7, host), attempt % 2 == 0);
    }
    assert_eq!(admission.counts().unconfirmed, 32);
    for group in 100..132 {
        accepted(admission.admit(START, from(group, 1), false));
    }
}

#[test]
fn forged_packets_from_an_honest_network_do_not_lock_it_out() {
    let mut admission = admission();
    for _ in 0..10_000 {
        if let Admit::Accept(permit) = admission.admit(START, from(7, 1), false) {
            admission.release(permit);
        }
    }
    assert_eq!(admission.admit(START, from(7, 1), false), Admit::Retry);
    accepted(admission.admit(START, from(7, 1), true));
}

#[test]
fn handshakes_of_one_network_are_limited_by_rate() {
    let mut admission = admission();
    for _ in 0..64 {
        let permit = accepted(admission.admit(START, from(7, 1), true));
        admission.release(permit);
    }
    let refused = Admit::Refuse(RefuseReason::Rate);
    assert_eq!(admission.admit(START, from(7, 1), true), refused);
    let later = START + Duration::from_micros(62_500);
    assert_eq!(
        admission.admit(Micros(later.0 - 1), from(7, 2), true),
        refused
    );
    accepted(admission.admit(later, from(7, 2), true));
    accepted(admission.admit(START, from(8, 1), true));
}

#[test]
fn one_address_and_one_network_hold_what_they_may_and_no_more() {
    let mut admission = admission();
    let mut now = START;
    for number in 0..32 {
        join(&mut admission, now, from(7, 1), number);
    }
    assert_eq!(
        admission.admit(now, from(7, 1), true),
        Admit::Refuse(RefuseReason::PerIp)
    );
    for number in 32..64 {
        now = now + Duration::from_secs(1);
        join(&mut admission, now, from(7, 2), number);
    }
    now = now + Duration::from_secs(1);
    assert_eq!(
        admission.admit(now, from(7, 3), true),
        Admit::Refuse(RefuseReason::PerGroup)
    );
    join(&mut admission, now, from(8, 1), 64);
}

#[test]
fn a_released_permit_frees_its_place_once() {
    let mut admission = admission();
    let permits: Vec<_> = (0..32)
        .map(|number| join(&mut admission, START, from(7, 1), number))
        .collect();
    admission.release(permits[0]);
    admission.release(permits[0]);
    assert_eq!(admission.counts().peers, 31);
    join(&mut admission, START, from(7, 1), 40);
    assert_eq!(
        admission.admit(START, from(7, 1), true),
        Admit::Refuse(RefuseReason::PerIp)
    );
}

#[test]
fn a_thousand_peers_from_one_loopback_address_are_welcome() {
    let mut admission = admission();
    for number in 0..1_000 {
        join(&mut admission, START, loopback(1), number);
    }
    assert_eq!(admission.counts().peers, 1_000);
    assert_eq!(admission.counts().sources, 0);
}

#[test]
fn a_flood_from_one_loopback_address_is_stopped_when_local_limits_are_on() {
    let mut admission = with(|limits| limits.limit_local = true);
    let open = (0..1_000)
        .filter(|_| matches!(admission.admit(START, loopback(1), true), Admit::Accept(_)))
        .count();
    assert_eq!(open, 32);
    accepted(admission.admit(START, loopback(2), false));
}

#[test]
fn a_full_node_takes_no_new_peer_but_lets_a_known_one_return() {
    let mut admission = Admission::new(LimitsConfig::default(), 2);
    join(&mut admission, START, loopback(1), 1);
    let third = accepted(admission.admit(START, loopback(1), true));
    join(&mut admission, START, loopback(1), 2);
    assert_eq!(admission.confirm(third, peer(3)), Err(RefuseReason::Full));
    admission.release(third);
    join(&mut admission, START, loopback(1), 1);
    assert_eq!(admission.counts().peers, 2);
    assert_eq!(admission.counts().unconfirmed, 0);
}

#[test]
fn forged_handshakes_lock_a_full_node_neither_against_its_peers_nor_against_its_dials() {
    let mut admission = Admission::new(LimitsConfig::default(), 2);
    join(&mut admission, START, loopback(1), 1);
    join(&mut admission, START, loopback(1), 2);
    for group in 0..64 {
        accepted(admission.admit(START, from(group, 1), false));
    }
    assert_eq!(admission.admit(START, from(64, 1), false), Admit::Retry);
    join(&mut admission, START, from(64, 1), 1);
    let dial = admission.dial().unwrap();
    assert_eq!(admission.confirm(dial, peer(2)), Ok(()));
    assert_eq!(admission.counts().unconfirmed, 64);
}

#[test]
fn confirmed_connections_end_a_little_above_the_peers() {
    let mut admission = Admission::new(LimitsConfig::default(), 17);
    let late = accepted(admission.admit(START, loopback(1), true));
    let dialled = admission.dial().unwrap();
    // Five of each, but one less than 17 + 64 in all.
    let peers = (0..17).flat_map(|number| [number; 5]).take(80);
    let permits: Vec<_> = peers
        .map(|number| join(&mut admission, START, loopback(1), number))
        .collect();
    assert_eq!(admission.confirm(late, peer(16)), Ok(()), "n");
    assert_eq!(
        admission.confirm(dialled, peer(16)),
        Err(RefuseReason::Full)
    );
    assert_eq!(admission.dial(), Err(RefuseReason::Full), "n + 1");
    let refused = Admit::Refuse(RefuseReason::Full);
    assert_eq!(admission.admit(START, loopback(1), true), refused);
    admission.release(permits[0]);
    admission.dial().unwrap();
}

#[test]
fn dials_have_a_number_of_their_own() {
    let mut admission = Admission::new(LimitsConfig::default(), 2);
    let dials: Vec<_> = (0..MAX_UNFINISHED_DIALS)
        .map(|_| admission.dial().unwrap())
        .collect();
    assert_eq!(admission.dial(), Err(RefuseReason::Unconfirmed));
    join(&mut admission, START, loopback(1), 1);
    admission.confirm(dials[0], peer(1)).unwrap();
    let last = admission.dial().unwrap();
    assert_eq!(admission.dial(), Err(RefuseReason::Unconfirmed));
    admission.release(last);
    admission.dial().unwrap();
    assert_eq!(admission.counts().dialing, MAX_UNFINISHED_DIALS);
}

#[test]
fn one_peer_holds_a_connection_more_than_it_keeps() {
    let mut admission = admission();
    for _ in 0..=MAX_CONNECTIONS_PER_PEER {
        join(&mut admission, START, loopback(1), 1);
    }
    let sixth = admission.dial().unwrap();
    assert_eq!(
        admission.confirm(sixth, peer(1)),
        Err(RefuseReason::PerPeer)
    );
    admission.release(sixth);
    assert_eq!(admission.counts().connections, MAX_CONNECTIONS_PER_PEER + 1);
}

#[test]
fn a_further_connection_is_admitted_and_closes_the_oldest_loser() {
    let mut admission = admission();
    let mut rule = Duplicates::new(peer(1), peer(2));
    let mut permits = BTreeMap::new();
    for number in 1..=20 {
        let permit = accepted(admission.admit(START, loopback(1), true));
        let connection = ConnectionId(number);
        assert_eq!(admission.confirm(permit, peer(2)), Ok(()), "{number}");
        permits.insert(connection, permit);
        rule.handle(
            START,
            Input::Confirmed {
                connection,
                direction: Direction::Incoming,
                rtt: Duration::ZERO,
            },
        );
        while let Some(output) = rule.poll_output() {
            if let Output::Close(closed) = output {
                assert_eq!(closed, ConnectionId(number - 4));
                admission.release(permits.remove(&closed).unwrap());
            }
        }
        let kept = usize::try_from(number)
            .unwrap()
            .min(MAX_CONNECTIONS_PER_PEER);
        assert_eq!(admission.counts().connections, kept);
    }
}

#[test]
fn a_relay_is_charged_for_its_own_and_not_its_network() {
    let mut admission = admission();
    for number in 0..64 {
        let now = START + Duration::from_secs(number.into());
        join(&mut admission, now, Source::Relayed(peer(900)), number);
    }
    let now = START + Duration::from_secs(100);
    let refused = Admit::Refuse(RefuseReason::PerGroup);
    assert_eq!(
        admission.admit(now, Source::Relayed(peer(900)), true),
        refused
    );
    accepted(admission.admit(now, Source::Relayed(peer(901)), true));
}

#[test]
fn sources_are_remembered_up_to_the_limit_and_forgotten_when_idle() {
    let mut admission = admission();
    let limit = u16::try_from(MAX_TRACKED_SOURCES).unwrap();
    for group in 0..limit {
        let permit = accepted(admission.admit(START, from(group, 1), false));
        admission.release(permit);
    }
    assert_eq!(admission.counts().sources, MAX_TRACKED_SOURCES);
    assert_eq!(admission.admit(START, from(limit, 1), false), Admit::Retry);
    let later = START + Duration::from_secs(1);
    accepted(admission.admit(later, from(limit, 1), false));
    assert_eq!(admission.counts().sources, 1);
}

#[test]
fn logs_do_not_show_where_somebody_is() {
    let mut admission = admission();
    admission.admit(START, from(7, 9), true);
    let text = format!("{admission:?} {:?}", from(7, 9));
    assert!(!text.contains("11.") && text.contains("redacted"), "{text}");
}

#[test]
fn each_bound_of_the_configuration_holds() {
    fn field_of(change: impl FnOnce(&mut LimitsConfig)) -> Option<&'static str> {
        let mut limits = LimitsConfig::default();
        change(&mut limits);
        limits.validate().err().map(|error| error.field)
    }
    assert_eq!(field_of(|_| {}), None);
    assert_eq!(field_of(|l| l.per_ip = 0), Some("limits.per_ip"));
    assert_eq!(field_of(|l| l.per_ip = 1), None);
    assert_eq!(field_of(|l| (l.per_ip, l.per_group) = (64, 64)), None);
    assert_eq!(
        field_of(|l| (l.per_ip, l.per_group) = (65, 64)),
        Some("limits.per_group")
    );
    assert_eq!(field_of(|l| l.per_group = 65_535), None);
    assert_eq!(field_of(|l| l.per_group = 65_536), Some("limits.per_group"));
    assert_eq!(field_of(|l| l.unconfirmed = 1_024), None);
    assert_eq!(
        field_of(|l| l.unconfirmed = 1_025),
        Some("limits.unconfirmed")
    );
    assert_eq!(field_of(|l| l.retry_above = 0), None);
    assert_eq!(field_of(|l| l.retry_above = 511), None);
    assert_eq!(
        field_of(|l| l.retry_above = 512),
        Some("limits.retry_above")
    );
    assert_eq!(
        field_of(|l| l.unconfirmed_per_group = 0),
        Some("limits.unconfirmed_per_group")
    );
    assert_eq!(field_of(|l| l.unconfirmed_per_group = 512), None);
    assert_eq!(
        field_of(|l| l.unconfirmed_per_group = 513),
        Some("limits.unconfirmed_per_group")
    );
    assert_eq!(
        field_of(|l| l.handshake_burst = 0),
        Some("limits.handshake_burst")
    );
    assert_eq!(
        field_of(|l| l.handshake_burst = 65_536),
        Some("limits.handshake_burst")
    );
    assert_eq!(
        field_of(|l| l.handshakes_per_second = 0),
        Some("limits.handshakes_per_second")
    );
    assert_eq!(field_of(|l| l.handshakes_per_second = 65_535), None);
}
