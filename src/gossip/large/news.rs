//! What a neighbour is told of the chunks of a message.

use super::chunk_set::ChunkSet;
use crate::wire::codec::List;
use crate::wire::message::gossip::{ChunkRange, Have, MAX_RANGES, MessageId};

/// What a neighbour is told: what is here, and what it may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::gossip) struct News {
    pub(in crate::gossip) has: ChunkSet,
    pub(in crate::gossip) offers: ChunkSet,
}

impl News {
    /// In as many frames as it takes, and one if there is nothing to tell.
    pub(in crate::gossip) fn frames(&self, message: MessageId) -> Vec<Have> {
        let (has, offers) = (self.has.ranges(), self.offers.ranges());
        let count = has.len().max(offers.len()).div_ceil(MAX_RANGES).max(1);
        let part = |ranges: &[ChunkRange], number: usize| {
            List::truncated(
                ranges
                    .iter()
                    .skip(number * MAX_RANGES)
                    .take(MAX_RANGES)
                    .copied(),
            )
        };
        let frames = (0..count).map(|number| Have {
            message,
            has: part(&has, number),
            offers: part(&offers, number),
        });
        frames.collect()
    }
}
