//! One-way messages: ordered for each peer and protocol, at most once.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use tokio::time::timeout;

use super::framing::FrameWriter;
use super::link::Link;
use super::patience::patiently;
use super::queue::MessageQueue;
use super::serve::StreamGuard;
use super::signal::Signal;
use super::swarm::Inner;
use super::within::Late;
use super::{ConnectionId, SwarmEvent};
use crate::identity::PeerId;
use crate::transport::WriteError;
use crate::wire::message::request;
use crate::wire::{ErrorCode, StreamHeader};

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// There is no connection with the peer; the message is handed back.
    #[error("not connected to the peer")]
    NotConnected(Bytes),
    /// The peer does not speak the protocol.
    #[error("the peer refused: {0}")]
    Refused(ErrorCode),
    /// Larger than a frame of one-way messages may be.
    #[error("a message of {0} bytes is larger than {max}", max = request::MAX_BODY)]
    TooLarge(usize),
}

/// The queue of one peer and protocol, and the task that empties it.
#[derive(Debug)]
pub(super) struct Outbox {
    queue: MessageQueue,
    ended: Signal,
}

impl Outbox {
    /// Takes no more messages; its task sends what is queued, and ends.
    pub(super) fn seal(&self) {
        self.queue.seal();
    }

    /// Waits for the end of its task.
    pub(super) async fn ended(&self) {
        self.ended.raised().await;
    }
}

/// Why an outbox moves on from a connection.
enum Pause {
    /// Another connection with the peer took over.
    Replaced,
    /// The connection ended.
    Ended,
    /// The peer does not take the protocol's stream.
    Stopped,
    /// The queue was closed and everything was written.
    Done,
}

impl Inner {
    /// Queues a message, waiting for room.
    pub(super) async fn send(
        self: &Arc<Self>,
        peer: PeerId,
        header: StreamHeader,
        message: Bytes,
    ) -> Result<(), SendError> {
        if message.len() > request::MAX_BODY as usize {
            return Err(SendError::TooLarge(message.len()));
        }
        let Some(link) = self.link(&peer) else {
            return Err(SendError::NotConnected(message));
        };
        if let Some(code) = link.refusal(header.protocol) {
            return Err(SendError::Refused(code));
        }
        let outbox = self.outbox(peer, header, link);
        outbox
            .queue
            .push(message)
            .await
            .map_err(SendError::NotConnected)
    }

    /// The outbox of a connected peer, with its task.
    fn outbox(
        self: &Arc<Self>,
        peer: PeerId,
        header: StreamHeader,
        link: Arc<Link>,
    ) -> Arc<Outbox> {
        let key = (peer, header.protocol);
        if let Some(outbox) = self.outboxes.get(&key) {
            return outbox.clone();
        }
        let fresh = Arc::new(Outbox {
            queue: MessageQueue::new(self.config.queue),
            ended: Signal::default(),
        });
        let outbox = self
            .outboxes
            .entry(key)
            .or_insert(fresh.clone())
            .value()
            .clone();
        if Arc::ptr_eq(&outbox, &fresh) {
            self.spawn(run(self.clone(), outbox.clone(), peer, header, link));
        }
        outbox
    }
}

/// Empties the queue onto one stream a connection; ends with the last connection of the peer.
async fn run(
    inner: Arc<Inner>,
    outbox: Arc<Outbox>,
    peer: PeerId,
    header: StreamHeader,
    mut link: Arc<Link>,
) {
    let mut unsent = VecDeque::new();
    loop {
        let drained = drain(&inner, &outbox.queue, &link, peer, header, &mut unsent).await;
        match drained.unwrap_or_else(|error| pause_after(&link, header, error)) {
            Pause::Done | Pause::Stopped => break,
            Pause::Replaced => {}
            // The swarm may hear of it later than this task.
            Pause::Ended => link.retired().await,
        }
        match inner.link(&peer) {
            Some(next) => link = next,
            None => break,
        }
    }
    inner
        .outboxes
        .remove_if(&(peer, header.protocol), |_, kept| {
            Arc::ptr_eq(kept, &outbox)
        });
    let lost = unsent.len() + outbox.queue.close().len();
    if lost > 0 {
        let messages = u64::try_from(lost).unwrap_or(u64::MAX);
        inner.emit(SwarmEvent::MessagesUnsent {
            peer,
            protocol: header.protocol,
            messages,
        });
    }
    outbox.ended.raise();
}

/// What a failed write says about the link. Whatever does not end the connection ends the stream.
fn pause_after(link: &Link, header: StreamHeader, error: WriteError) -> Pause {
    if let WriteError::Stopped(code) = error {
        link.note_refusal(header.protocol, code);
    }
    if link.connection.close_reason().is_some() {
        Pause::Ended
    } else {
        Pause::Stopped
    }
}

/// Writes until the link is replaced or a write fails. What was taken from the queue and not
/// written stays in `unsent`.
async fn drain(
    inner: &Arc<Inner>,
    queue: &MessageQueue,
    link: &Arc<Link>,
    peer: PeerId,
    header: StreamHeader,
    unsent: &mut VecDeque<Bytes>,
) -> Result<Pause, WriteError> {
    let _guard = StreamGuard::new(inner.clone(), link.clone());
    let Ok(stream) = link.connection.open_uni().await else {
        return Ok(Pause::Ended);
    };
    let mut writer = FrameWriter::new(stream, header);
    loop {
        if !is_current(inner, peer, link.id) {
            let mut stream = writer.finish().await?;
            // The next stream must not overtake this one.
            let _ = timeout(inner.config.slow_reader_deadline, stream.acknowledged()).await;
            return Ok(Pause::Replaced);
        }
        if unsent.is_empty() {
            tokio::select! {
                biased;
                _ = link.connection.closed() => return Ok(Pause::Ended),
                () = link.retired() => continue,
                taken = queue.take() => match taken {
                    Some(taken) => *unsent = taken,
                    None => {
                        let mut stream = writer.finish().await?;
                        // The connection is closed next; what is under way then is lost.
                        let limit = inner.config.slow_reader_deadline;
                        let _ = timeout(limit, stream.acknowledged()).await;
                        return Ok(Pause::Done);
                    }
                },
            }
        }
        write_batch(inner, link, &mut writer, unsent).await?;
    }
}

/// Writes what is in `unsent`, a batch at a time; a peer that does not read loses its connection.
/// A batch counts as sent once it was begun: it may have arrived, so it is never sent again.
async fn write_batch(
    inner: &Arc<Inner>,
    link: &Arc<Link>,
    writer: &mut FrameWriter,
    unsent: &mut VecDeque<Bytes>,
) -> Result<(), WriteError> {
    while !unsent.is_empty() {
        let mut batched = 0;
        for message in unsent.iter() {
            writer.push(request::MESSAGE, message);
            batched += 1;
            if writer.is_full() {
                break;
            }
        }
        unsent.drain(..batched);
        let flush = pin!(writer.flush());
        match patiently(inner.config.slow_reader_deadline, link, flush).await {
            Ok(written) => written?,
            Err(Late) => {
                inner.slow_reader(link);
                return Err(WriteError::Closed);
            }
        }
    }
    Ok(())
}

fn is_current(inner: &Inner, peer: PeerId, link: ConnectionId) -> bool {
    inner.link(&peer).is_some_and(|current| current.id == link)
}
