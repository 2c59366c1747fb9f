//! A queue of messages for one stream, bounded in number and in bytes.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

/// How much may wait in one queue of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueLimit {
    /// Messages.
    pub messages: usize,
    /// Bytes of all messages together.
    pub bytes: usize,
}

/// Many producers wait for room, one consumer takes all there is.
#[derive(Debug)]
pub(super) struct MessageQueue {
    limit: QueueLimit,
    state: Mutex<State>,
    room: Notify,
    filled: Notify,
}

#[derive(Debug, Default)]
struct State {
    messages: VecDeque<Bytes>,
    bytes: usize,
    closed: bool,
}

impl MessageQueue {
    pub(super) fn new(limit: QueueLimit) -> Self {
        Self {
            limit,
            state: Mutex::new(State::default()),
            room: Notify::new(),
            filled: Notify::new(),
        }
    }

    /// Adds a message, waiting for room; gives it back if the queue was closed. A message larger
    /// than all the bytes allowed goes in when the queue is empty.
    pub(super) async fn push(&self, message: Bytes) -> Result<(), Bytes> {
        loop {
            let room = self.room.notified();
            tokio::pin!(room);
            {
                let state = self.lock();
                if state.closed {
                    return Err(message);
                }
                if self.fits(&state, message.len()) {
                    self.add(state, message);
                    return Ok(());
                }
                // Registered under the lock: room made from here on wakes this producer.
                room.as_mut().enable();
            }
            room.await;
        }
    }

    /// Takes all messages, waiting for the first; `None` once the queue is closed and empty.
    pub(super) async fn take(&self) -> Option<VecDeque<Bytes>> {
        loop {
            let filled = self.filled.notified();
            {
                let mut state = self.lock();
                if !state.messages.is_empty() {
                    state.bytes = 0;
                    let messages = std::mem::take(&mut state.messages);
                    drop(state);
                    self.room.notify_waiters();
                    return Some(messages);
                }
                if state.closed {
                    return None;
                }
            }
            filled.await;
        }
    }

    /// Refuses further messages; what is queued is still taken.
    pub(super) fn seal(&self) {
        self.lock().closed = true;
        self.room.notify_waiters();
        self.filled.notify_one();
    }

    /// Refuses further messages, wakes all that wait, and returns what was not taken.
    pub(super) fn close(&self) -> VecDeque<Bytes> {
        let mut state = self.lock();
        state.closed = true;
        state.bytes = 0;
        let left = std::mem::take(&mut state.messages);
        drop(state);
        self.room.notify_waiters();
        self.filled.notify_one();
        left
    }

    fn fits(&self, state: &State, bytes: usize) -> bool {
        state.messages.is_empty()
            || (state.messages.len() < self.limit.messages
                && state.bytes.saturating_add(bytes) <= self.limit.bytes)
    }

    fn add(&self, mut state: MutexGuard<'_, State>, message: Bytes) {
        let was_empty = state.messages.is_empty();
        state.bytes = state.bytes.saturating_add(message.len());
        state.messages.push_back(message);
        drop(state);
        if was_empty {
            self.filled.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
