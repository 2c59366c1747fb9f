//! Streams of one peer, one after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::identity::PeerId;

/// For each peer a line of streams: the one on the oldest connection is read first.
#[derive(Debug, Default, Clone)]
pub(super) struct Turns(Arc<Lines>);

#[derive(Debug, Default)]
struct Lines {
    arrivals: AtomicU64,
    by_peer: Mutex<BTreeMap<PeerId, Arc<Line>>>,
}

#[derive(Debug, Default)]
struct Line {
    /// Generation of the connection, then order of arrival.
    waiting: Mutex<BTreeSet<(u64, u64)>>,
    changed: Notify,
}

/// A stream's place in the line of its peer; it leaves the line when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    turns: Turns,
    peer: PeerId,
    line: Arc<Line>,
    key: (u64, u64),
}

impl Turns {
    /// Joins the line of `peer` at once.
    pub(super) fn take_place(&self, peer: PeerId, generation: u64) -> Place {
        let key = (generation, self.0.arrivals.fetch_add(1, Ordering::Relaxed));
        let line = {
            let mut lines = self
                .0
                .by_peer
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let line = lines.entry(peer).or_default().clone();
            line.change(|waiting| waiting.insert(key));
            line
        };
        Place {
            turns: self.clone(),
            peer,
            line,
            key,
        }
    }
}

impl Line {
    fn change<T>(&self, change: impl FnOnce(&mut BTreeSet<(u64, u64)>) -> T) -> T {
        let result = change(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_waiters();
        result
    }

    async fn until(&self, condition: impl Fn(&BTreeSet<(u64, u64)>) -> bool) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if condition(&self.waiting.lock().unwrap_or_else(PoisonError::into_inner)) {
                return;
            }
            changed.await;
        }
    }
}

impl Place {
    /// Waits until this is the first in line.
    pub(super) async fn my_turn(&self) {
        self.line
            .until(|waiting| waiting.first() == Some(&self.key))
            .await;
    }

    /// Waits until somebody is behind.
    pub(super) async fn wanted(&self) {
        self.line
            .until(|waiting| waiting.last() > Some(&self.key))
            .await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut lines = self
            .turns
            .0
            .by_peer
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let is_empty = self.line.change(|waiting| {
            waiting.remove(&self.key);
            waiting.is_empty()
        });
        if is_empty {
            lines.remove(&self.peer);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const PEER: PeerId = PeerId::from_bytes([1; 32]);
    const SOON: Duration = Duration::from_millis(1);

    #[tokio::test(start_paused = true)]
    async fn the_older_connection_is_read_first_whoever_came_first() {
        let turns = Turns::default();
        let newer = turns.take_place(PEER, 2);
        let older = turns.take_place(PEER, 1);
        assert!(timeout(SOON, newer.my_turn()).await.is_err());
        older.my_turn().await;
        older.wanted().await;
        drop(older);
        newer.my_turn().await;
        assert!(timeout(SOON, newer.wanted()).await.is_err());
    }

    #[tokio::test]
    async fn peers_do_not_wait_for_each_other() {
        let turns = Turns::default();
        let _one = turns.take_place(PEER, 1);
        let other = turns.take_place(PeerId::from_bytes([2; 32]), 9);
        other.my_turn().await;
    }

    #[test]
    fn an_empty_line_is_forgotten() {
        let turns = Turns::default();
        let place = turns.take_place(PEER, 1);
        let second = turns.take_place(PEER, 1);
        drop(place);
        assert_eq!(turns.0.by_peer.lock().unwrap().len(), 1);
        drop(second);
        assert_eq!(turns.0.by_peer.lock().unwrap().len(), 0);
    }
}
