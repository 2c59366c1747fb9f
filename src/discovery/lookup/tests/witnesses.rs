//! A crowd below the density quota, and those who live beside it.

use super::*;

const SIZE: f64 = 1_000.0;

/// Keys share this many bits: 16 honest nodes have them in common with the target. A crowd four times
/// as dense is within every bound.
const CROWDED: u32 = 6;

/// Attackers around the target who name each other.
fn crowd(target: &Key) -> Vec<Contact> {
    let place = |one| at(&target.random_with_prefix(CROWDED, &mut rng(one)));
    (0..50).map(|one| contact_of(place(one), one)).collect()
}

/// Honest nodes on the other side of bit `bit`.
fn beside(target: &Key, bit: u32, numbers: std::ops::Range<u64>) -> Vec<Contact> {
    let sibling = target.with_flipped_bit(bit);
    let place = |one| at(&sibling.random_with_prefix(bit + 1, &mut rng(one)));
    numbers.map(|one| contact_of(place(one), one)).collect()
}

/// Walks to the end; who is asked, in order.
fn asked(lookup: &mut Lookup, answer: impl Fn(&PeerId) -> Vec<Contact>) -> Vec<PeerId> {
    let mut asked = Vec::new();
    while !lookup.is_finished() {
        let next = lookup.next_request().expect("somebody is left to ask");
        asked.push(next.peer);
        lookup.answered(&next.peer, answer(&next.peer));
    }
    asked
}

fn is_in(contacts: &[Contact], peer: &PeerId) -> bool {
    contacts.iter().any(|one| one.peer == *peer)
}

#[test]
fn attack_a_crowd_that_names_itself_alone_does_not_hide_who_lives_there_from_those_beside_it() {
    let target = key(1);
    let crowd = crowd(&target);
    let hidden = contact_of(at(&target.random_with_prefix(7, &mut rng(99))), 99);
    // One node that is known names who lives beside the crowd, and they name the hidden one.
    let far = beside(&target, 0, 100..101);
    let beside = beside(&target, 3, 200..212);
    let seeds = crowd.iter().take(30).chain(&far).cloned();
    let density = Arc::new(Density::of(SIZE));
    let mut lookup = Lookup::new(target, seeds, &POLICY, density);
    let asked = asked(&mut lookup, |peer| {
        if is_in(&crowd, peer) {
            crowd.clone()
        } else if is_in(&far, peer) {
            beside.clone()
        } else {
            vec![hidden.clone()]
        }
    });
    assert!(asked.contains(&hidden.peer));
    assert!(lookup.has_answered(&hidden.peer));
    let witnesses = asked.iter().filter(|peer| is_in(&beside, peer));
    assert_eq!(witnesses.count(), 8);
    assert!(lookup.found().is_suspicious);
}

#[test]
fn where_nobody_crowds_nobody_beside_is_asked() {
    let target = key(1);
    let honest: Vec<_> = beside(&target, 6, 0..8)
        .into_iter()
        .chain(beside(&target, 5, 8..24))
        .chain(beside(&target, 7, 24..30))
        .collect();
    let far = beside(&target, 3, 100..120);
    let seeds = honest.iter().chain(&far).cloned();
    let density = Arc::new(Density::of(SIZE));
    let mut lookup = Lookup::new(target, seeds, &POLICY, density);
    let asked = asked(&mut lookup, |_| Vec::new());
    assert!(asked.iter().all(|peer| is_in(&honest, peer)), "{asked:?}");
    assert!(!lookup.found().is_suspicious);
}
