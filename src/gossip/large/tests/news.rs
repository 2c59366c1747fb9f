//! What is told of chunks fits into frames.

use super::super::chunk_set::ChunkSet;
use super::super::news::News;
use crate::wire::codec::{decode, encode};
use crate::wire::message::gossip::{ChunkRange, Have, MAX_CHUNKS, MAX_RANGES};

const MESSAGE: [u8; 32] = [7; 32];

/// Every second chunk, so many of them: as many ranges.
fn every_second(count: usize) -> ChunkSet {
    (0..count)
        .map(|number| u16::try_from(2 * number).unwrap())
        .collect()
}

fn told(news: &News) -> (usize, News) {
    let frames = news.frames(MESSAGE);
    let chunks = u16::try_from(MAX_CHUNKS).unwrap();
    let mut all = News::default();
    for frame in &frames {
        let frame: Have = decode(&encode(frame)).unwrap();
        assert_eq!(frame.message, MESSAGE);
        let add = |set: &mut ChunkSet, ranges: Vec<ChunkRange>| {
            assert!(ranges.len() <= MAX_RANGES);
            let part = ChunkSet::of_ranges(&ranges, chunks).unwrap();
            (0..chunks)
                .filter(|index| part.contains(*index))
                .for_each(|index| _ = set.insert(index));
        };
        add(&mut all.has, frame.has.into_vec());
        add(&mut all.offers, frame.offers.into_vec());
    }
    (frames.len(), all)
}

#[test]
fn more_ranges_than_a_frame_holds_are_told_in_several() {
    for (has, offers, frames) in [
        (0, 0, 1),
        (MAX_RANGES - 1, 0, 1),
        (MAX_RANGES, 1, 1),
        (MAX_RANGES + 1, MAX_RANGES, 2),
        (0, MAX_RANGES + 1, 2),
        (MAX_CHUNKS / 2, 3 * MAX_RANGES, 4),
    ] {
        let news = News {
            has: every_second(has),
            offers: every_second(offers),
        };
        assert_eq!(told(&news), (frames, news), "{has} {offers}");
    }
}
