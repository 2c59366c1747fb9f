//! A crowd below the density quota, and those who live beside it.

use super::*;

const SIZE: f64 = 1_000.0;

/// Bits that the crowd shares with the target: 16 honest nodes do. Three times as many are within every
/// bound.
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

/// Walks to the end, or until all requests are spent; who is asked, in order. `answer` is `None` for nodes
/// that are not there.
fn asked(lookup: &mut Lookup, answer: impl Fn(&PeerId) -> Option<Vec<Contact>>) -> Vec<PeerId> {
    let (mut asked, mut open) = (Vec::new(), Vec::new());
    while !lookup.is_finished() && asked.len() < MAX_REQUESTS {
        open.extend(std::iter::from_fn(|| lookup.next_request()));
        for Contact { peer, .. } in open.drain(..) {
            asked.push(peer);
            if let Some(named) = answer(&peer) {
                lookup.answered(&peer, named);
            } else {
                lookup.slow(&peer);
                lookup.given_up(&peer);
            }
        }
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
        Some(if is_in(&crowd, peer) {
            crowd.clone()
        } else if is_in(&far, peer) {
            beside.clone()
        } else {
            vec![hidden.clone()]
        })
    });
    assert!(asked.contains(&hidden.peer));
    assert!(lookup.has_answered(&hidden.peer));
    let witnesses = asked.iter().filter(|peer| is_in(&beside, peer));
    assert_eq!(witnesses.count(), 8);
    assert!(lookup.found().is_suspicious);
}

/// Each of the crowd names eight nodes that nobody has, next to it: more than a lookup may ask.
#[test]
fn attack_a_crowd_that_invents_others_does_not_wear_the_lookup_out_before_those_beside_it_are_asked()
 {
    let target = key(1);
    let crowd = crowd(&target);
    let invented = |teller: &PeerId| -> Vec<Contact> {
        let first = u64::from(teller.as_bytes()[31]) << 16;
        let place = |one| at(&target.random_with_prefix(5, &mut rng(first + one)));
        let invented = (0..8).map(|one| contact_of(place(one), one));
        invented.chain(crowd.iter().cloned()).collect()
    };
    let hidden = contact_of(at(&target.random_with_prefix(7, &mut rng(99))), 99);
    let far = beside(&target, 0, 100..101);
    let beside = beside(&target, 3, 200..212);
    let seeds = crowd.iter().take(30).chain(&far).cloned();
    let density = Arc::new(Density::of(SIZE));
    let mut lookup = Lookup::new(target, seeds, &POLICY, density);
    let asked = asked(&mut lookup, |peer| {
        if is_in(&crowd, peer) {
            Some(invented(peer))
        } else if is_in(&far, peer) {
            Some(beside.clone())
        } else {
            let is_there = is_in(&beside, peer) || *peer == hidden.peer;
            is_there.then(|| vec![hidden.clone()])
        }
    });
    assert!(lookup.has_answered(&hidden.peer), "after {}", asked.len());
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
    let asked = asked(&mut lookup, |_| Some(Vec::new()));
    assert!(asked.iter().all(|peer| is_in(&honest, peer)), "{asked:?}");
    assert!(!lookup.found().is_suspicious);
}
