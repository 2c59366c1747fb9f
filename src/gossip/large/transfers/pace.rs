//! How many chunks each neighbour is asked for at once.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::gossip::Link;
use crate::gossip::large::transfer::MAX_ASKED_OF_LINK;
use crate::gossip::large::transfers::CHUNK_DEADLINE;

/// Neighbours that let a question run out are asked for one chunk at a time, and for one more with each that comes in
/// half of the time: what a slow line carries at once would otherwise run out together, again and again.
#[derive(Debug)]
pub(super) struct Pace {
    /// Those that are asked for less than others, and for how many.
    slow: BTreeMap<Link, usize>,
}

impl Pace {
    pub(super) const fn new() -> Self {
        Self {
            slow: BTreeMap::new(),
        }
    }

    /// Chunks that a neighbour may owe at once.
    pub(super) fn of(&self, link: Link) -> usize {
        self.slow.get(&link).copied().unwrap_or(MAX_ASKED_OF_LINK)
    }

    /// A chunk came, after so long. With one more under way the next one takes twice as long at most.
    pub(super) fn gave(&mut self, link: Link, after: Duration) {
        if let Some(count) = self.slow.get_mut(&link)
            && after < CHUNK_DEADLINE / 2
        {
            *count += 1;
            if *count >= MAX_ASKED_OF_LINK {
                self.slow.remove(&link);
            }
        }
    }

    /// A question ran out.
    pub(super) fn ran_out(&mut self, link: Link) {
        self.slow.insert(link, 1);
    }

    /// A neighbour is gone.
    pub(super) fn lose(&mut self, link: Link) {
        self.slow.remove(&link);
    }
}
