//! What was published, and which of it came.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, timeout};

/// How long nothing may come before what is missing counts as lost.
const PATIENCE: Duration = Duration::from_secs(10);

/// Messages after whose delivery the publisher goes on: a wake-up for each would measure wake-ups.
const STEP: u64 = 16;

/// The message of a publisher with this number: both, then filler.
pub(crate) fn message(publisher: u32, number: u64, size: usize) -> Bytes {
    let mut message = BytesMut::with_capacity(size);
    message.put_u32(publisher);
    message.put_u64(number);
    message.resize(size, 0x5a);
    message.freeze()
}

/// What came to a node: each message counts once.
#[derive(Debug)]
pub struct Deliveries {
    size: usize,
    came: Mutex<Came>,
    count: AtomicU64,
    /// So many are waited for.
    wanted: AtomicU64,
    reached: Notify,
    /// Messages that may be under way beyond those that are.
    window: Semaphore,
}

#[derive(Debug, Default)]
struct Came {
    /// By publisher.
    numbers: BTreeMap<u32, Numbers>,
    last: Option<Instant>,
}

/// The numbers that came of one publisher, a bit each.
#[derive(Debug, Default)]
struct Numbers(Vec<u64>);

impl Deliveries {
    /// Messages of this size are waited for; others count as none.
    pub(crate) fn of(size: usize) -> Arc<Self> {
        Arc::new(Self {
            size,
            came: Mutex::default(),
            count: AtomicU64::new(0),
            wanted: AtomicU64::new(u64::MAX),
            reached: Notify::new(),
            window: Semaphore::new(0),
        })
    }

    /// A message came.
    pub fn add(&self, message: &[u8]) {
        let Some((publisher, number)) = self.parse(message) else {
            return;
        };
        let mut came = self.came();
        if !came.numbers.entry(publisher).or_default().add(number) {
            return;
        }
        let count = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        let is_reached = count >= self.wanted.load(Ordering::SeqCst);
        if is_reached {
            came.last = Some(Instant::now());
        }
        drop(came);
        if is_reached {
            self.reached.notify_one();
        }
        if count.is_multiple_of(STEP) {
            self.window.add_permits(STEP as usize);
        }
    }

    /// Messages that came.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    /// So many messages may be under way from now on, when none is.
    pub(crate) fn set_window(&self, messages: usize) {
        self.window.forget_permits(Semaphore::MAX_PERMITS);
        self.window.add_permits(messages);
    }

    /// Waits until one more message may be under way; `false` when none comes for long.
    pub(crate) async fn place(&self) -> bool {
        let permit = match self.window.try_acquire() {
            Ok(permit) => permit,
            Err(_) => match timeout(PATIENCE, self.window.acquire()).await {
                Ok(Ok(permit)) => permit,
                Ok(Err(_)) | Err(_) => return false,
            },
        };
        permit.forget();
        true
    }

    /// Waits until so many messages came, or for so long that the rest counts as lost; when the last one
    /// came.
    pub(crate) async fn wait_for(&self, messages: u64) -> Instant {
        self.wanted.store(messages, Ordering::SeqCst);
        while self.count() < messages {
            if timeout(PATIENCE, self.reached.notified()).await.is_err() {
                break;
            }
        }
        self.wanted.store(u64::MAX, Ordering::SeqCst);
        // It was the last before anybody asked, if there is none.
        self.came().last.take().unwrap_or_else(Instant::now)
    }

    fn parse(&self, message: &[u8]) -> Option<(u32, u64)> {
        let (publisher, rest) = message.split_first_chunk()?;
        let number = rest.first_chunk()?;
        let is_intact = message.len() == self.size;
        is_intact.then_some((u32::from_be_bytes(*publisher), u64::from_be_bytes(*number)))
    }

    fn came(&self) -> MutexGuard<'_, Came> {
        self.came.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Numbers {
    /// `false` if it was there.
    fn add(&mut self, number: u64) -> bool {
        let (word, bit) = ((number / 64) as usize, 1 << (number % 64));
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        let is_new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        is_new
    }
}
