//! Who hears of messages at a heartbeat.

use std::collections::BTreeSet;

use crate::gossip::machine::Link;
use crate::gossip::machine::topic::Topic;

fn links(range: std::ops::Range<u64>) -> Vec<Link> {
    range.map(Link).collect()
}

/// What is announced at three heartbeats reaches three quarters of the neighbours for certain.
#[test]
fn nobody_has_a_second_turn_before_everybody_had_one() {
    for (all, count) in [(1, 1), (4, 1), (10, 3), (12, 3), (13, 4), (100, 25)] {
        let mut topic = Topic::default();
        let mut heard = BTreeSet::new();
        let mut turns = 0;
        while heard.len() < all as usize {
            let told = topic.take_turns(links(0..all), count);
            turns += told.len();
            heard.extend(told);
        }
        assert!(turns < all as usize + count, "{all} {count}: {turns}");
    }
}

#[test]
fn who_left_has_no_turn_and_who_came_has_one() {
    let mut topic = Topic::default();
    let first = topic.take_turns(links(0..8), 2);
    let second = topic.take_turns(links(4..12), 2);
    assert!(
        second
            .iter()
            .all(|link| link.0 >= 4 && !first.contains(link))
    );
    let mut heard: BTreeSet<_> = second.into_iter().collect();
    for _ in 0..5 {
        heard.extend(topic.take_turns(links(4..12), 2));
    }
    assert_eq!(heard, links(4..12).into_iter().collect());
    assert!(topic.take_turns(Vec::new(), 2).is_empty());
}
