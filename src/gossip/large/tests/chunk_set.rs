use std::collections::BTreeSet;

use proptest::prelude::*;

use super::range;
use crate::gossip::large::ChunkSet;
use crate::wire::message::gossip::MAX_CHUNKS;

const LAST: u16 = MAX_CHUNKS as u16 - 1;

/// Indices near the edges of words and of the set, and some that no message has.
fn index() -> impl Strategy<Value = u16> {
    prop_oneof![
        0..=LAST,
        prop::sample::select(vec![0, 63, 64, 127, 128, LAST, LAST + 1, u16::MAX])
    ]
}

fn indices() -> impl Strategy<Value = Vec<u16>> {
    prop::collection::vec(index(), 0..200)
}

fn model(indices: &[u16]) -> BTreeSet<u16> {
    let there = indices.iter().copied();
    there.filter(|index| *index <= LAST).collect()
}

fn listed(set: &ChunkSet) -> Vec<u16> {
    set.iter().collect()
}

proptest! {
    #[test]
    fn it_holds_what_was_inserted_in_order(indices in indices()) {
        let (mut set, mut model) = (ChunkSet::default(), BTreeSet::new());
        for index in &indices {
            let is_new = *index <= LAST && model.insert(*index);
            prop_assert_eq!(set.insert(*index), is_new);
        }
        prop_assert_eq!(listed(&set), Vec::from_iter(model.iter().copied()));
        prop_assert_eq!(set.len(), model.len());
        prop_assert_eq!(set.is_empty(), model.is_empty());
        for index in &indices {
            prop_assert_eq!(set.contains(*index), *index <= LAST);
        }
    }

    #[test]
    fn union_and_difference_are_those_of_sets(one in indices(), other in indices()) {
        let (left, right) = (model(&one), model(&other));
        let one: ChunkSet = one.into_iter().collect();
        let other: ChunkSet = other.into_iter().collect();
        let both: Vec<_> = left.union(&right).copied().collect();
        prop_assert_eq!(listed(&one.and(&other)), both);
        let rest: Vec<_> = left.difference(&right).copied().collect();
        prop_assert_eq!(listed(&one.without(&other)), rest);
    }

    #[test]
    fn ranges_make_the_same_set_and_none_touches_the_next(indices in indices()) {
        let set: ChunkSet = indices.into_iter().collect();
        let ranges = set.ranges();
        prop_assert_eq!(ChunkSet::of_ranges(&ranges, LAST + 1), Some(set));
        for pair in ranges.windows(2) {
            prop_assert!(pair[0].first + pair[0].count < pair[1].first);
        }
    }
}

#[test]
fn ranges_that_are_empty_or_reach_beyond_the_last_chunk_make_no_set() {
    let of = |first, count| ChunkSet::of_ranges(&[range(0, 1), range(first, count)], 16);
    assert_eq!(of(3, 13).map(|set| set.len()), Some(14));
    for (first, count) in [(3, 0), (16, 0), (16, 1), (3, 14), (0, 17), (u16::MAX, 1)] {
        assert_eq!(of(first, count), None, "{first} {count}");
    }
}

#[test]
fn the_first_chunks_of_the_longest_message_are_all_there_are() {
    let all = ChunkSet::first(LAST + 1);
    assert_eq!(all.len(), MAX_CHUNKS);
    assert_eq!(all.ranges(), [range(0, LAST + 1)]);
}
