//! How many tasks of a swarm there are.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Counts tasks, so that the end of the last can be waited for.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    running: AtomicUsize,
    ended: Notify,
}

/// One task, counted as long as it lives.
#[derive(Debug)]
pub(super) struct Task(Arc<Tasks>);

impl Tasks {
    pub(super) fn begin(self: &Arc<Self>) -> Task {
        self.running.fetch_add(1, Ordering::AcqRel);
        Task(self.clone())
    }

    /// Waits until no task is left.
    pub(super) async fn ended(&self) {
        loop {
            let waiter = self.ended.notified();
            tokio::pin!(waiter);
            // Registered before the count is read: the end of the last task wakes this one.
            waiter.as_mut().enable();
            if self.running.load(Ordering::Acquire) == 0 {
                return;
            }
            waiter.await;
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if self.0.running.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.ended.notify_waiters();
        }
    }
}
