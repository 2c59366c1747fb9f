//! A flag that tasks can wait for.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// A flag that is raised, and perhaps lowered again. Those that wait are woken in the order in
/// which they began to wait: tokio's `watch` would wake them in a random one, and no two runs with
/// the same seed would be alike.
#[derive(Debug, Default)]
pub(super) struct Signal {
    raised: AtomicBool,
    waiters: Notify,
}

impl Signal {
    pub(super) fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Acquire)
    }

    pub(super) fn raise(&self) {
        self.raise_first();
    }

    /// Raises the flag; whether it was down before.
    pub(super) fn raise_first(&self) -> bool {
        let was_raised = self.raised.swap(true, Ordering::AcqRel);
        self.waiters.notify_waiters();
        !was_raised
    }

    pub(super) fn lower(&self) {
        self.raised.store(false, Ordering::Release);
    }

    /// Waits until the flag is up.
    pub(super) async fn raised(&self) {
        loop {
            let waiter = self.waiters.notified();
            tokio::pin!(waiter);
            // Registered before the flag is read: raising it from here on wakes this task.
            waiter.as_mut().enable();
            if self.is_raised() {
                return;
            }
            waiter.await;
        }
    }
}
