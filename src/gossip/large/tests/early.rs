//! Announcements that come before their header.

use super::{MILLISECOND, START, id, of_publisher, outline, range, rng, transfers};
use crate::gossip::Link;
use crate::gossip::large::Transfers;
use crate::gossip::large::transfers::{EARLY, MAX_EARLY, MAX_EARLY_OF_ONE};
use crate::wire::message::gossip::MAX_RANGES;

fn offered_early(all: &mut Transfers, link: u64, message: u16, first: u16) {
    let offers = [range(first, 1)];
    all.hear_early(START, Link(link), id(message), (&[], &offers));
}

/// Chunks that are asked for when the header is here.
fn asked(all: &mut Transfers, message: u16) -> Vec<(Link, u16)> {
    let mut rng = rng(40);
    all.fetch(START, id(message), of_publisher(message), &outline(4))
        .unwrap();
    let (mut asked, _) = all.poll(START, &mut rng);
    asked.retain(|(_, of, _)| *of == id(message));
    let asked = asked.into_iter();
    asked.map(|(link, _, index)| (link, index)).collect()
}

#[test]
fn what_was_said_before_the_header_counts_when_it_is_here() {
    let mut all = transfers();
    offered_early(&mut all, 0, 0, 1);
    offered_early(&mut all, 0, 0, 3);
    let mut asked = asked(&mut all, 0);
    asked.sort();
    assert_eq!(asked, [(Link(0), 1), (Link(0), 3)]);
}

#[test]
fn it_is_kept_for_ten_seconds() {
    for (after, count) in [(EARLY - MILLISECOND, 1), (EARLY, 0)] {
        let mut all = transfers();
        offered_early(&mut all, 0, 0, 1);
        all.age(START + after);
        assert_eq!(asked(&mut all, 0).len(), count);
    }
}

#[test]
fn a_neighbour_that_is_gone_said_nothing() {
    let mut all = transfers();
    offered_early(&mut all, 0, 0, 1);
    offered_early(&mut all, 1, 0, 2);
    all.lose(Link(0));
    assert_eq!(asked(&mut all, 0), [(Link(1), 2)]);
}

#[test]
fn attack_of_one_neighbour_16_messages_are_kept_and_of_all_1024() {
    assert_eq!((MAX_EARLY_OF_ONE, MAX_EARLY), (16, 1_024));
    let mut all = transfers();
    let neighbours = (MAX_EARLY / MAX_EARLY_OF_ONE) as u64;
    for link in 0..neighbours {
        for message in 0..=MAX_EARLY_OF_ONE as u16 {
            offered_early(&mut all, link, message, 0);
        }
    }
    // All places are taken, and what has one may grow.
    offered_early(&mut all, neighbours, 0, 1);
    offered_early(&mut all, 0, 0, 1);
    let asked_first = asked(&mut all, 0);
    assert_eq!(asked_first.len(), 2, "{asked_first:?}");
    assert!(asked_first.iter().all(|(link, _)| link.0 < neighbours));
    assert_eq!(asked(&mut all, MAX_EARLY_OF_ONE as u16), []);
}

#[test]
fn attack_ranges_of_one_message_end_and_those_that_lie_count_for_nothing() {
    let mut all = transfers();
    let many = vec![range(0, 1); MAX_RANGES];
    all.hear_early(START, Link(0), id(0), (&[], &many));
    offered_early(&mut all, 0, 0, 3);
    assert_eq!(asked(&mut all, 0), [(Link(0), 0)]);
    // The message has four chunks.
    offered_early(&mut all, 0, 1, 4);
    assert_eq!(asked(&mut all, 1), []);
}
