//! Those who name others: what they say may be out of date, or a lie.

use super::*;

/// 40 ids just in front of the honest ones, in pairs, as many as the quota lets pass, that nobody ever
/// generated: they cost a liar nothing.
#[test]
fn attack_invented_nodes_neither_take_the_places_of_others_nor_wear_the_lookup_out() {
    let rng = &mut rng(91);
    let target = key(0);
    let honest: Vec<_> = (0..1_000)
        .map(|one| contact_of(at(&Key::random(rng)), one))
        .collect();
    let mut nearest = honest.clone();
    nearest.sort_by_key(|one| distance(&target, one));
    nearest.truncate(40);
    let invented: Vec<_> = nearest[..20]
        .iter()
        .flat_map(|one| [255, 254].map(|bit| Key::from(one.peer).with_flipped_bit(bit)))
        .zip(5_000..)
        .map(|(place, number)| contact_of(at(&place), number))
        .collect();
    let density = Arc::new(Density::of(1_000.0));
    let liar = honest[7].peer;
    let mut lookup = Lookup::new(target, [honest[7].clone()], &POLICY, density);
    assert_eq!(drain(&mut lookup), [liar]);
    lookup.answered(&liar, invented);
    lookup.add(honest[3].clone(), &liar);
    let mut asked = 0;
    for _ in 0..100 {
        for peer in drain(&mut lookup) {
            asked += 1;
            if honest.iter().any(|one| one.peer == peer) {
                lookup.answered(&peer, nearest.clone());
            } else {
                lookup.slow(&peer, false);
                lookup.failed(&peer);
            }
        }
        if lookup.is_finished() {
            break;
        }
    }
    assert!(lookup.is_finished());
    assert!(asked < 60, "{asked}");
    assert_eq!(peers(&lookup.found().closest), peers(&nearest[..20]));
    assert_eq!(
        lookup.found().over_quota,
        0,
        "no alarm about nodes that are not there"
    );
}

#[test]
fn attack_who_names_a_node_first_does_not_decide_where_it_is() {
    let (mut lookup, nodes) = three();
    drain(&mut lookup);
    let peer = at(&key(4));
    let (wrong, right) = (contact_of(peer, 66), contact_of(peer, 4));
    lookup.answered(&nodes[0].peer, vec![wrong.clone()]);
    assert_eq!(lookup.next_request(), Some(wrong));
    lookup.answered(&nodes[1].peer, vec![right.clone()]);
    assert_eq!(lookup.teller(&peer), Some(nodes[0].peer), "who is to blame");
    lookup.slow(&peer, false);
    lookup.failed(&peer);
    assert_eq!(lookup.next_request(), Some(right));
    assert_eq!(lookup.teller(&peer), Some(nodes[1].peer));
    lookup.answered(&peer, vec![]);
    assert!(lookup.has_answered(&peer));
}

#[test]
fn another_address_that_comes_after_the_failure_is_tried_too_and_only_once() {
    let (mut lookup, nodes) = three();
    drain(&mut lookup);
    let peer = at(&key(4));
    lookup.answered(&nodes[0].peer, vec![contact_of(peer, 66)]);
    drain(&mut lookup);
    lookup.failed(&peer);
    assert_eq!(lookup.next_request(), None);
    lookup.answered(&nodes[1].peer, vec![contact_of(peer, 4)]);
    assert_eq!(lookup.next_request(), Some(contact_of(peer, 4)));
    lookup.failed(&peer);
    lookup.answered(&nodes[2].peer, vec![contact_of(peer, 4)]);
    assert_eq!(lookup.next_request(), None, "it was asked there");
}

/// Eight that are silent, and more than three for each that answers, before a teller is not believed.
#[test]
fn a_teller_is_believed_until_eight_are_silent_and_thrice_as_many_as_answer() {
    for (silent, answered, is_believed) in [
        (7, 0, true),
        (8, 0, false),
        (8, 2, false),
        (9, 3, true),
        (10, 3, false),
    ] {
        let (mut lookup, nodes) = three();
        drain(&mut lookup);
        let named: Vec<_> = (10..=10 + silent + answered)
            .map(|one| contact_of(at(&key(one)), one))
            .collect();
        let (first, last) = named.split_at(named.len() - 1);
        lookup.answered(&nodes[0].peer, first.to_vec());
        let mut number = 0;
        while let Some(one) = lookup.next_request() {
            if number < answered {
                lookup.answered(&one.peer, vec![]);
            } else {
                lookup.failed(&one.peer);
            }
            number += 1;
        }
        assert_eq!(number, silent + answered);
        // What the same teller says from now on.
        lookup.answered(&nodes[0].peer, last.to_vec());
        let is_asked = drain(&mut lookup).contains(&last[0].peer);
        assert_eq!(
            is_asked, is_believed,
            "{silent} silent, {answered} answered"
        );
    }
}

/// Two paths, each from one node.
fn two_paths() -> (Lookup, [Contact; 2]) {
    let nodes = [1, 2].map(|number| contact_of(at(&key(number)), number));
    let policy = LookupPolicy { paths: 2, ..POLICY };
    let density = Arc::new(Density::unbounded(100.0));
    let mut lookup = Lookup::new(key(0), nodes.clone(), &policy, density);
    drain(&mut lookup);
    (lookup, nodes)
}

#[test]
fn attack_a_false_address_on_one_path_does_not_keep_the_others_from_the_true_one() {
    let (mut lookup, nodes) = two_paths();
    let peer = at(&key(4));
    let (wrong, right) = (contact_of(peer, 66), contact_of(peer, 4));
    lookup.answered(&nodes[0].peer, vec![wrong.clone()]);
    assert_eq!(lookup.next_request(), Some(wrong.clone()));
    lookup.answered(&nodes[1].peer, vec![right.clone()]);
    assert_eq!(lookup.next_request(), None, "one path asks it already");
    lookup.failed(&peer);
    assert_eq!(lookup.next_request(), Some(right));
    lookup.answered(&peer, vec![]);
    assert!(lookup.has_answered(&peer));
    assert!(lookup.is_finished());
}

/// Both paths were told it first.
#[test]
fn attack_a_false_address_on_both_paths_does_not_hide_a_true_one_that_only_one_was_told() {
    let (mut lookup, nodes) = two_paths();
    let peer = at(&key(4));
    let (wrong, right) = (contact_of(peer, 66), contact_of(peer, 4));
    lookup.answered(&nodes[0].peer, vec![wrong.clone()]);
    assert_eq!(lookup.next_request(), Some(wrong.clone()));
    let honest = contact_of(at(&key(5)), 5);
    lookup.answered(&nodes[1].peer, vec![wrong, honest.clone()]);
    assert_eq!(drain(&mut lookup), [honest.peer]);
    lookup.answered(&honest.peer, vec![right.clone()]);
    assert_eq!(
        lookup.next_request(),
        None,
        "the other path asks it already"
    );
    lookup.failed(&peer);
    assert_eq!(lookup.next_request(), Some(right));
}

#[test]
fn a_node_that_is_not_there_is_asked_once_by_all_paths_together() {
    let (mut lookup, nodes) = two_paths();
    let gone = contact_of(at(&key(4)), 4);
    lookup.answered(&nodes[0].peer, vec![gone.clone()]);
    assert_eq!(lookup.next_request(), Some(gone.clone()));
    lookup.answered(&nodes[1].peer, vec![gone.clone()]);
    assert_eq!(lookup.next_request(), None);
    lookup.failed(&gone.peer);
    assert_eq!(lookup.next_request(), None);
    assert!(lookup.is_finished());
}

#[test]
fn attack_who_tells_the_truth_on_one_path_is_not_blamed_for_a_lie_on_another() {
    let (mut lookup, nodes) = two_paths();
    let peer = at(&key(4));
    lookup.answered(&nodes[1].peer, vec![contact_of(peer, 66)]);
    assert!(lookup.next_request().is_some());
    lookup.answered(&nodes[0].peer, vec![contact_of(peer, 4)]);
    assert_eq!(lookup.teller(&peer), Some(nodes[1].peer));
}

#[test]
fn of_two_tellers_the_one_that_lives_farther_away_is_believed_until_somebody_is_asked() {
    let target = key(0);
    let place = |bit| at(&target.with_flipped_bit(bit));
    let (far, near) = (contact_of(place(0), 1), contact_of(place(9), 2));
    let peer = place(5);
    let (wrong, right) = (contact_of(peer, 66), contact_of(peer, 4));
    for is_asked in [false, true] {
        let density = Arc::new(Density::unbounded(100.0));
        let seeds = [far.clone(), near.clone()];
        let mut lookup = Lookup::new(target, seeds, &POLICY, density);
        drain(&mut lookup);
        lookup.answered(&near.peer, vec![wrong.clone()]);
        if is_asked {
            assert_eq!(lookup.next_request(), Some(wrong.clone()));
        }
        lookup.answered(&far.peer, vec![right.clone()]);
        if is_asked {
            lookup.failed(&peer);
        }
        assert_eq!(lookup.next_request(), Some(right.clone()), "{is_asked}");
        lookup.failed(&peer);
        let last = (!is_asked).then(|| wrong.clone());
        assert_eq!(lookup.next_request(), last, "{is_asked}");
    }
}

/// Two liars beyond the first teller, of whom each is believed before it: its word stays the third.
#[test]
fn attack_two_that_live_farther_away_do_not_displace_the_word_of_the_first() {
    let target = key(0);
    let place = |bit| at(&target.with_flipped_bit(bit));
    let tellers = [9, 3, 0].map(|bit| contact_of(place(bit), bit.into()));
    let density = Arc::new(Density::unbounded(100.0));
    let mut lookup = Lookup::new(target, tellers.clone(), &POLICY, density);
    drain(&mut lookup);
    let peer = place(20);
    let places = [4, 66, 67, 68].map(|number| contact_of(peer, number));
    for (teller, told) in tellers.iter().zip(&places) {
        lookup.answered(&teller.peer, vec![told.clone()]);
    }
    for told in [2, 1, 0] {
        assert_eq!(lookup.next_request(), Some(places[told].clone()));
        lookup.failed(&peer);
    }
    lookup.add(places[3].clone(), &tellers[0].peer);
    assert_eq!(
        lookup.next_request(),
        None,
        "a fourth place is not looked at"
    );
}
