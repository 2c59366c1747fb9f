//! One-way messages at full speed, and the one who counts them.

use std::sync::Arc;

use bytes::Bytes;
use cretoai_network::identity::PeerId;
use cretoai_network::node::{Message, Messages, P2PNode};
use cretoai_network::p2p::{Refusal, RegisterError};
use tokio::sync::watch;
use tokio::time::Instant;

use super::{Reply, Trouble, to_micros};

/// Application protocol of the messages.
const FLOOD: u32 = 0x42;

/// Application protocol in which the sender asks for the count.
const COUNT: u32 = 0x43;

/// Bytes of a message: its number, and zeros.
const MESSAGE_BYTES: usize = 256;

/// Messages taken from the node at once.
const BATCH: usize = 1_024;

/// Counts messages that arrive in order and intact.
#[derive(Debug)]
pub(super) struct Counter {
    counted: watch::Sender<u64>,
}

impl Counter {
    /// Counts what arrives at `node`, and answers how much it was.
    pub(super) fn serve(node: &P2PNode) -> Result<(), RegisterError> {
        let counter = Arc::new(Self {
            counted: watch::Sender::new(0),
        });
        tokio::spawn(counter.clone().count(node.messages(FLOOD)?));
        node.handle(COUNT, move |_, body| counter.clone().answer(body))
    }

    async fn count(self: Arc<Self>, mut messages: Messages) {
        let mut batch = Vec::with_capacity(BATCH);
        let mut next = 0;
        while messages.next_many(&mut batch, BATCH).await > 0 {
            next = batch.drain(..).fold(next, expect);
            self.counted.send_replace(next);
        }
    }

    /// The number of messages counted, once it is as many as the request says.
    async fn answer(self: Arc<Self>, body: Bytes) -> Result<Bytes, Refusal> {
        let wanted = number_in(&body).ok_or(Refusal::Refused)?;
        let mut counted = self.counted.subscribe();
        let reached = counted.wait_for(|counted| *counted >= wanted).await;
        let reached = *reached.map_err(|_| Refusal::Refused)?;
        Ok(Bytes::copy_from_slice(&reached.to_le_bytes()))
    }
}

/// The count after one more message: unchanged if it is not the one that comes next.
fn expect(next: u64, message: Message) -> u64 {
    let is_next = number_in(&message.payload) == Some(next);
    if is_next && message.payload.len() == MESSAGE_BYTES {
        next + 1
    } else {
        next
    }
}

fn number_in(bytes: &[u8]) -> Option<u64> {
    bytes
        .first_chunk()
        .map(|number| u64::from_le_bytes(*number))
}

/// Sends `messages` to `peer` and waits until it has counted them. Counting goes on from earlier
/// runs.
pub(super) async fn run(node: &P2PNode, peer: PeerId, messages: u64) -> Result<Reply, Trouble> {
    let before = count_of(node, peer, 0).await?;
    let start = Instant::now();
    for number in before..before + messages {
        node.send(peer, FLOOD, message(number)).await?;
    }
    let after = count_of(node, peer, before + messages).await?;
    Ok(Reply::Flood {
        micros: to_micros(start.elapsed()),
        delivered: after.saturating_sub(before),
    })
}

fn message(number: u64) -> Bytes {
    let mut message = [0; MESSAGE_BYTES];
    if let Some(head) = message.first_chunk_mut() {
        *head = number.to_le_bytes();
    }
    Bytes::copy_from_slice(&message)
}

async fn count_of(node: &P2PNode, peer: PeerId, wanted: u64) -> Result<u64, Trouble> {
    let body = Bytes::copy_from_slice(&wanted.to_le_bytes());
    let reply = node.request(peer, COUNT, body).await?;
    number_in(&reply).ok_or_else(|| "the count is malformed".into())
}
