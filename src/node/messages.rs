//! One-way messages as an application receives them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::sleep;

use super::turns::{Place, Turns};
use crate::identity::PeerId;
use crate::p2p::{FrameError, HandlerFuture, InboundOrdered, OrderedHandler, Origin, QueueLimit};
use crate::wire::Violation;
use crate::wire::codec::keep;
use crate::wire::message::request::RECEIVER_READS;

/// A stream that a newer one waits for is given up after so long without a message. A sender opens
/// the newer one when the older is acknowledged, so what there is has arrived; if the sender
/// restarted, nothing more will come.
const LAST_WORDS: Duration = Duration::from_millis(250);

/// A one-way message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who sent it.
    pub from: PeerId,
    /// What it says.
    pub payload: Bytes,
}

/// A message in the queue, with its share of the bytes allowed.
#[derive(Debug)]
struct Queued {
    message: Message,
    _bytes: OwnedSemaphorePermit,
}

/// The messages of one protocol, from all peers; those of one peer in the order sent.
///
/// While nobody reads, the senders wait; a peer that waits longer than its patience disconnects.
#[derive(Debug)]
pub struct Messages {
    receiver: mpsc::Receiver<Queued>,
}

impl Messages {
    /// The next message, `None` when the node is gone.
    pub async fn next(&mut self) -> Option<Message> {
        self.receiver.recv().await.map(|queued| queued.message)
    }

    /// Up to `limit` messages at once, waiting for the first; 0 when the node is gone.
    pub async fn next_many(&mut self, buffer: &mut Vec<Message>, limit: usize) -> usize {
        let mut queued = Vec::with_capacity(limit.min(self.receiver.len().max(1)));
        let count = self.receiver.recv_many(&mut queued, limit).await;
        buffer.extend(queued.into_iter().map(|queued| queued.message));
        count
    }
}

/// Feeds [`Messages`] from the streams of all peers.
pub(super) struct Inbox {
    sender: mpsc::Sender<Queued>,
    bytes: Arc<Semaphore>,
    limit: QueueLimit,
    turns: Turns,
}

impl Inbox {
    /// An inbox that holds `limit`; a message larger than all the bytes goes in alone.
    pub(super) fn new(limit: QueueLimit) -> (Self, Messages) {
        let limit = QueueLimit {
            messages: limit.messages.max(1),
            bytes: limit.bytes.clamp(1, Semaphore::MAX_PERMITS),
        };
        let (sender, receiver) = mpsc::channel(limit.messages);
        let bytes = Arc::new(Semaphore::new(limit.bytes));
        let inbox = Self {
            sender,
            bytes,
            limit,
            turns: Turns::default(),
        };
        (inbox, Messages { receiver })
    }
}

impl OrderedHandler for Inbox {
    fn open(&self, stream: InboundOrdered) -> HandlerFuture<Result<(), Violation>> {
        let Origin::Confirmed(peer) = stream.origin else {
            return Box::pin(async { Ok(()) });
        };
        let delivery = Delivery {
            from: peer,
            place: self.turns.take_place(peer, stream.generation),
            sender: self.sender.clone(),
            bytes: self.bytes.clone(),
            max_bytes: self.limit.bytes,
        };
        Box::pin(delivery.run(stream))
    }
}

/// One stream on its way into the inbox.
struct Delivery {
    from: PeerId,
    place: Place,
    sender: mpsc::Sender<Queued>,
    bytes: Arc<Semaphore>,
    max_bytes: usize,
}

impl Delivery {
    async fn run(self, mut stream: InboundOrdered) -> Result<(), Violation> {
        self.place.my_turn().await;
        let mut is_last = false;
        loop {
            let frame = tokio::select! {
                biased;
                frame = stream.frames.next(RECEIVER_READS) => frame,
                () = self.place.wanted(), if !is_last => {
                    is_last = true;
                    continue;
                }
                () = sleep(LAST_WORDS), if is_last => return Ok(()),
            };
            let payload = match frame {
                Ok(Some(frame)) => keep(frame.body, frame.backing),
                Ok(None) | Err(FrameError::Stream(_)) => return Ok(()),
                Err(FrameError::Violation(violation)) => return Err(violation),
            };
            if self.deliver(payload).await.is_none() {
                return Ok(());
            }
        }
    }

    /// `None` once nobody can read the inbox any more.
    async fn deliver(&self, payload: Bytes) -> Option<()> {
        let share = payload.len().clamp(1, self.max_bytes);
        let share = u32::try_from(share).unwrap_or(u32::MAX);
        let permit = self.bytes.clone().acquire_many_owned(share).await.ok()?;
        let message = Message {
            from: self.from,
            payload,
        };
        let queued = Queued {
            message,
            _bytes: permit,
        };
        self.sender.send(queued).await.ok()
    }
}
