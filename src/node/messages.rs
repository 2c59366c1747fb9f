//! One-way messages as an application receives them.

use std::sync::{Arc, Weak};

use bytes::Bytes;
use dashmap::DashMap;
use tokio::sync::{Mutex, mpsc};

use crate::identity::PeerId;
use crate::p2p::{FrameError, HandlerFuture, InboundOrdered, OrderedHandler, Origin};
use crate::wire::Violation;
use crate::wire::codec::keep;
use crate::wire::message::request::RECEIVER_READS;

/// A one-way message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who sent it.
    pub from: PeerId,
    /// What it says.
    pub payload: Bytes,
}

/// The messages of one protocol, from all peers; those of one peer in the order sent.
///
/// While nobody reads, the senders wait; a peer that waits longer than its patience disconnects.
#[derive(Debug)]
pub struct Messages {
    receiver: mpsc::Receiver<Message>,
}

impl Messages {
    /// The next message, `None` when the node is gone.
    pub async fn next(&mut self) -> Option<Message> {
        self.receiver.recv().await
    }

    /// Up to `limit` messages at once, waiting for the first; 0 when the node is gone.
    pub async fn next_many(&mut self, buffer: &mut Vec<Message>, limit: usize) -> usize {
        self.receiver.recv_many(buffer, limit).await
    }
}

/// Feeds [`Messages`] from the streams of all peers.
pub(super) struct Inbox {
    sender: mpsc::Sender<Message>,
    /// One lock a peer: a stream on a newer connection waits until the older one is drained, so
    /// that the order holds.
    turns: Arc<DashMap<PeerId, Weak<Mutex<()>>>>,
}

impl Inbox {
    pub(super) fn new(capacity: usize) -> (Self, Messages) {
        let (sender, receiver) = mpsc::channel(capacity);
        (
            Self {
                sender,
                turns: Arc::default(),
            },
            Messages { receiver },
        )
    }

    fn turn(&self, peer: PeerId) -> Arc<Mutex<()>> {
        let mut entry = self.turns.entry(peer).or_default();
        if let Some(turn) = entry.upgrade() {
            return turn;
        }
        let turn = Arc::default();
        *entry = Arc::downgrade(&turn);
        turn
    }
}

impl OrderedHandler for Inbox {
    fn open(&self, stream: InboundOrdered) -> HandlerFuture<Result<(), Violation>> {
        let Origin::Confirmed(peer) = stream.origin else {
            return Box::pin(async { Ok(()) });
        };
        let turn = self.turn(peer);
        let turns = self.turns.clone();
        let sender = self.sender.clone();
        Box::pin(async move {
            let result = {
                let _turn = turn.lock().await;
                receive(peer, stream, sender).await
            };
            drop(turn);
            turns.remove_if(&peer, |_, turn| turn.strong_count() == 0);
            result
        })
    }
}

async fn receive(
    from: PeerId,
    mut stream: InboundOrdered,
    sender: mpsc::Sender<Message>,
) -> Result<(), Violation> {
    loop {
        let frame = match stream.frames.next(RECEIVER_READS).await {
            Ok(Some(frame)) => frame,
            Ok(None) | Err(FrameError::Stream(_)) => return Ok(()),
            Err(FrameError::Violation(violation)) => return Err(violation),
        };
        let payload = keep(frame.body, frame.backing);
        if sender.send(Message { from, payload }).await.is_err() {
            return Ok(());
        }
    }
}
