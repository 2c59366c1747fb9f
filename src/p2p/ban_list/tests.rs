use std::time::Duration;

use super::*;

const START: Micros = Micros(5_000_000);
const TEN_MINUTES: Duration = Duration::from_secs(600);

fn peer(number: u16) -> PeerId {
    let mut bytes = [0; 32];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    PeerId::from_bytes(bytes)
}

#[test]
fn a_ban_ends_at_its_moment_and_not_before() {
    let mut bans = BanList::new();
    bans.ban(
        START,
        peer(1),
        TEN_MINUTES,
        BanReason::Reputation(Fault::Unfinished),
    );
    let end = START + TEN_MINUTES;
    assert!(bans.is_banned(START, &peer(1)));
    assert!(bans.is_banned(Micros(end.0 - 1), &peer(1)));
    assert!(!bans.is_banned(end, &peer(1)));
    assert!(!bans.is_banned(Micros(end.0 + 1), &peer(1)));
    assert!(!bans.is_banned(START, &peer(2)));
}

#[test]
fn the_reason_is_kept() {
    let mut bans = BanList::new();
    bans.ban(START, peer(1), TEN_MINUTES, BanReason::Requested);
    let ban = bans.get(START, &peer(1)).unwrap();
    assert_eq!(
        ban,
        Ban {
            until: START + TEN_MINUTES,
            reason: BanReason::Requested
        }
    );
}

#[test]
fn a_shorter_ban_does_not_shorten_a_longer_one() {
    let mut bans = BanList::new();
    bans.ban(START, peer(1), TEN_MINUTES, BanReason::Requested);
    bans.ban(
        START,
        peer(1),
        Duration::from_secs(1),
        BanReason::Reputation(Fault::Unfinished),
    );
    assert_eq!(
        bans.get(START, &peer(1)).unwrap().until,
        START + TEN_MINUTES
    );
    bans.ban(
        START,
        peer(1),
        TEN_MINUTES * 2,
        BanReason::Reputation(Fault::Unfinished),
    );
    let ban = bans.get(START, &peer(1)).unwrap();
    assert_eq!(ban.until, START + TEN_MINUTES * 2);
    assert_eq!(ban.reason, BanReason::Reputation(Fault::Unfinished));
}

#[test]
fn an_operator_may_ban_without_end() {
    let mut bans = BanList::new();
    bans.ban(START, peer(1), Duration::MAX, BanReason::Requested);
    assert!(bans.is_banned(Micros(u64::MAX - 1), &peer(1)));
}

#[test]
fn unban_ends_a_ban_once() {
    let mut bans = BanList::new();
    bans.ban(START, peer(1), TEN_MINUTES, BanReason::Requested);
    assert!(bans.unban(&peer(1)));
    assert!(!bans.unban(&peer(1)));
    assert!(!bans.is_banned(START, &peer(1)));
}

#[test]
fn the_full_list_gives_up_the_ban_that_ends_soonest() {
    let mut bans = BanList::new();
    let limit = u16::try_from(MAX_BANS).unwrap();
    for number in 0..limit {
        // Peer 7 ends first.
        let span = if number == 7 {
            TEN_MINUTES / 2
        } else {
            TEN_MINUTES
        };
        bans.ban(START, peer(number), span, BanReason::Requested);
    }
    assert_eq!(bans.iter(START).count(), MAX_BANS);
    assert!(bans.is_banned(START, &peer(7)), "n fit");
    bans.ban(START, peer(limit), TEN_MINUTES, BanReason::Requested);
    assert_eq!(bans.iter(START).count(), MAX_BANS);
    assert!(!bans.is_banned(START, &peer(7)));
    assert!(bans.is_banned(START, &peer(limit)));
}

#[test]
fn ended_bans_make_room_before_others() {
    let mut bans = BanList::new();
    let limit = u16::try_from(MAX_BANS).unwrap();
    for number in 0..limit {
        bans.ban(START, peer(number), TEN_MINUTES, BanReason::Requested);
    }
    let later = START + TEN_MINUTES;
    bans.ban(later, peer(limit), TEN_MINUTES, BanReason::Requested);
    assert_eq!((bans.bans.len(), bans.by_end.len()), (1, 1));
}

#[test]
fn a_ban_of_no_length_is_none() {
    let mut bans = BanList::new();
    bans.ban(START, peer(1), Duration::ZERO, BanReason::Requested);
    assert!(!bans.is_banned(START, &peer(1)));
    assert!(bans.bans.is_empty());
}
