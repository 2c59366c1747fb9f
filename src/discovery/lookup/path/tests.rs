//! A path by itself: when it is led astray, and whom it believes.

use super::*;
use crate::discovery::testing::{at, contact_of, key};

/// A path to which nobody is known but one witness and, nearer, a contact of a teller with one silent one.
fn after(requests: usize) -> Path {
    let target = key(1);
    let policy = LookupPolicy {
        alpha: 5,
        alpha_max: 10,
        paths: 1,
    };
    let mut path = Path::new(target, &policy);
    path.requests = requests;
    let place = |bit| at(&target.with_flipped_bit(bit));
    let teller = place(9);
    path.add(contact_of(place(0), 1));
    path.shortlist
        .add(contact_of(place(10), 2), 2, Some(teller));
    let word = path.tellers.entry(teller).or_default();
    word.silent = 1;
    path
}

#[test]
fn a_lookup_is_astray_after_96_requests_and_asks_witnesses_first() {
    let density = Density::of(1_000.0);
    for (requests, expected) in [(95, 2), (96, 1), (97, 1)] {
        let mut path = after(requests);
        let asked = path.next_request(&mut Claims::default(), &density);
        let number = if asked.unwrap().peer == at(&key(1).with_flipped_bit(0)) {
            1
        } else {
            2
        };
        assert_eq!(number, expected, "after {requests}");
    }
    // Who knows nothing of the density calls nobody.
    let mut path = after(MAX_REQUESTS - 1);
    path.tellers.clear();
    let asked = path.next_request(&mut Claims::default(), &Density::unbounded(1_000.0));
    assert_eq!(asked.unwrap().peer, at(&key(1).with_flipped_bit(10)));
}

/// One that is silent is enough then, unless a third of the others answered.
#[test]
fn a_teller_is_hollow_after_eight_silent_contacts_and_astray_after_one() {
    for (requests, silent, late, answered, is_hollow) in [
        (0, 7, 9, 0, false),
        (0, 8, 0, 0, true),
        (0, 8, 0, 3, false),
        (96, 0, 0, 0, false),
        (96, 1, 0, 0, true),
        (96, 0, 1, 0, true),
        (96, 2, 1, 1, false),
        (96, 2, 2, 1, true),
    ] {
        let mut path = after(requests);
        let teller = at(&key(1).with_flipped_bit(9));
        path.tellers.insert(
            teller,
            Word {
                answered,
                silent,
                late,
            },
        );
        let told = at(&key(1).with_flipped_bit(10));
        let candidate = path.shortlist.find(&told).unwrap();
        let case = (requests, silent, late, answered);
        assert_eq!(path.is_hollow(candidate), is_hollow, "{case:?}");
    }
}
