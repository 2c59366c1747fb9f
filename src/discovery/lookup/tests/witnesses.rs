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
    let mut asked = Vec::new();
    while !lookup.is_finished() && asked.len() < MAX_REQUESTS {
        let open: Vec<_> = std::iter::from_fn(|| lookup.next_request()).collect();
        assert!(!open.is_empty(), "it waits for nobody");
        for Contact { peer, .. } in open {
            asked.push(peer);
            if let Some(named) = answer(&peer) {
                lookup.answered(&peer, named);
            } else {
                lookup.slow(&peer, false);
                lookup.given_up(&peer);
            }
        }
    }
    asked
}

fn is_in(contacts: &[Contact], peer: &PeerId) -> bool {
    contacts.iter().any(|one| one.peer == *peer)
}

/// A lookup that knows some of a crowd, and one node far away.
struct Siege {
    lookup: Lookup,
    crowd: Vec<Contact>,
    /// It names those who live beside the crowd.
    far: Vec<Contact>,
    /// They name the hidden one.
    beside: Vec<Contact>,
    /// It lives in the crowd.
    hidden: Contact,
}

impl Siege {
    fn new(target: Key, beside_count: u64) -> Self {
        let crowd = crowd(&target);
        let far = beside(&target, 0, 100..101);
        let seeds = crowd.iter().take(30).chain(&far).cloned();
        let density = Arc::new(Density::of(SIZE));
        Self {
            lookup: Lookup::new(target, seeds, &POLICY, density),
            beside: beside(&target, 3, 200..200 + beside_count),
            hidden: contact_of(at(&target.random_with_prefix(7, &mut rng(99))), 99),
            crowd,
            far,
        }
    }

    /// Who is asked, if each of the crowd names the crowd and `invented` nodes that nobody has, which share
    /// so many bits with the target.
    fn asked(&mut self, (invented, bits): (u64, u32)) -> Vec<PeerId> {
        let target = *self.lookup.target();
        asked(&mut self.lookup, |peer| {
            if is_in(&self.crowd, peer) {
                let first = u64::from(peer.as_bytes()[31]) << 16;
                let place = |one| at(&target.random_with_prefix(bits, &mut rng(first + one)));
                let invented = (0..invented).map(|one| contact_of(place(one), one));
                Some(invented.chain(self.crowd.iter().cloned()).collect())
            } else if is_in(&self.far, peer) {
                Some(self.beside.clone())
            } else {
                let is_there = is_in(&self.beside, peer) || *peer == self.hidden.peer;
                is_there.then(|| vec![self.hidden.clone()])
            }
        })
    }
}

#[test]
fn attack_a_crowd_that_names_itself_alone_does_not_hide_who_lives_there_from_those_beside_it() {
    for (beside, expected) in [(7, 7), (8, 8), (9, 8), (12, 8)] {
        let mut siege = Siege::new(key(1), beside);
        let asked = siege.asked((0, 5));
        assert!(siege.lookup.has_answered(&siege.hidden.peer), "{beside}");
        let witnesses = asked.iter().filter(|peer| is_in(&siege.beside, peer));
        assert_eq!(witnesses.count(), expected, "of {beside}");
        assert!(siege.lookup.found().is_suspicious);
    }
}

/// Each of the crowd names nodes that nobody has, among them, next to them, and farther away: more than a
/// lookup may ask.
#[test]
fn attack_a_crowd_that_invents_others_does_not_wear_the_lookup_out_before_those_beside_it_are_asked()
 {
    for seed in 1..20 {
        for invented in [(8, 6), (8, 5), (20, 5), (8, 4), (20, 4), (8, 3)] {
            let mut siege = Siege::new(key(seed), 12);
            let asked = siege.asked(invented);
            let has_answered = siege.lookup.has_answered(&siege.hidden.peer);
            assert!(has_answered, "seed {seed}, {invented:?}: {}", asked.len());
            let witnesses = asked.iter().filter(|peer| is_in(&siege.beside, peer));
            assert_eq!(witnesses.count(), 8, "seed {seed}, {invented:?}");
        }
    }
}

/// It names them first, at addresses of its own.
#[test]
fn attack_a_crowd_does_not_disqualify_those_beside_it_by_naming_them_first() {
    let mut siege = Siege::new(key(1), 12);
    let target = *siege.lookup.target();
    let density = Arc::new(Density::of(SIZE));
    let crowd = siege.crowd.clone();
    let far = siege.far.clone();
    let seeds = crowd.iter().take(30).chain(&far).cloned();
    siege.lookup = Lookup::new(target, seeds, &POLICY, density);
    let false_places: Vec<_> = siege
        .beside
        .iter()
        .map(|one| contact_of(one.peer, 66))
        .collect();
    let asked = asked(&mut siege.lookup, |peer| {
        if is_in(&crowd, peer) {
            Some(
                false_places
                    .iter()
                    .chain(&crowd)
                    .chain(&far)
                    .cloned()
                    .collect(),
            )
        } else if is_in(&far, peer) {
            Some(siege.beside.clone())
        } else {
            Some(vec![siege.hidden.clone()])
        }
    });
    let witnesses = asked.iter().filter(|peer| is_in(&siege.beside, peer));
    assert!(witnesses.count() >= 8);
    assert!(siege.lookup.has_answered(&siege.hidden.peer));
}

/// Nodes at even steps from the target, the last one at a 64th of all keys: ten are expected there in a
/// network of 640.
fn evenly(target: &Key, count: u64) -> Vec<Contact> {
    let step = (1 << 58) / count;
    let place = |one: u64| {
        let mut bytes = *target.as_bytes();
        let distance = (step * (one + 1)).to_be_bytes();
        bytes
            .iter_mut()
            .zip(distance)
            .for_each(|(byte, bits)| *byte ^= bits);
        at(&Key::from_bytes(bytes))
    };
    (0..count).map(|one| contact_of(place(one), one)).collect()
}

#[test]
fn twenty_are_no_crowd_and_twenty_one_are_where_fewer_than_ten_are_expected() {
    let target = key(1);
    let nearest = [
        (20, 639.0, false),
        (21, 639.0, true),
        (21, 641.0, false),
        (22, 639.0, true),
    ];
    for (count, size, is_crowd) in nearest {
        let near = evenly(&target, count);
        let inside = beside(&target, 4, 100..140);
        let far = beside(&target, 1, 200..220);
        let seeds = near.iter().chain(&inside).chain(&far).cloned();
        let density = Arc::new(Density::of(size));
        let mut lookup = Lookup::new(target, seeds, &POLICY, density);
        let asked = asked(&mut lookup, |_| Some(Vec::new()));
        let witnesses = asked.iter().filter(|peer| is_in(&far, peer)).count();
        assert_eq!(witnesses, if is_crowd { 8 } else { 0 }, "{count} of {size}");
    }
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
