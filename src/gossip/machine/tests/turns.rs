//! Who hears of messages at a heartbeat.

use std::collections::BTreeSet;

use crate::gossip::machine::Link;
use crate::gossip::machine::topic::Topic;

fn links(range: std::ops::Range<u64>) -> Vec<Link> {
    range.map(Link).collect()
}

/// What is announced at three heartbeats reaches three quarters of the neighbours for certain, whenever it
/// came.
#[test]
fn in_no_three_turns_in_a_row_anybody_has_two() {
    for (all, count) in [(3, 1), (4, 1), (10, 3), (12, 3), (13, 4), (100, 25)] {
        let mut topic = Topic::default();
        let turns = (0..20).map(|turn| {
            let mut present = links(0..all);
            // Drawn by lot at each heartbeat.
            present.rotate_left(turn * 7 % all as usize);
            topic.take_turns(present, count)
        });
        let turns: Vec<_> = turns.collect();
        for three in turns.windows(3) {
            let heard: BTreeSet<_> = three.iter().flatten().collect();
            assert_eq!(heard.len(), 3 * count, "{all} {count}");
        }
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
