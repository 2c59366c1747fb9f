//! The streams that peers open.

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::identity::PeerId;
use crate::p2p::{
    FrameError, Handler, HandlerFuture, InboundOrdered, OrderedHandler, Origin, Protocol, Shape,
};
use crate::wire::frame::Frame;
use crate::wire::message::VERSION;
use crate::wire::message::gossip::{PROTOCOL, RECEIVER_READS};
use crate::wire::{ErrorCode, Violation};

/// Batches of frames that wait for the driver: each stream waits with one, so that none crowds out
/// another.
pub(super) const QUEUE: usize = 64;

/// Bytes of frames that are handed over together.
const BATCH: usize = 64 << 10;

/// What peers' streams tell the driver.
#[derive(Debug)]
pub(super) enum Inbound {
    /// A stream was opened. It is read once the connection that carries it is the current one.
    Opened {
        peer: PeerId,
        generation: u64,
        ready: oneshot::Sender<Admitted>,
    },
    /// The stream has ended, and with it the pair.
    Ended { peer: PeerId, generation: u64 },
    /// Frames, in order.
    Frames {
        peer: PeerId,
        generation: u64,
        frames: Vec<(u8, Bytes)>,
    },
}

/// Whether a stream is read.
#[derive(Debug)]
pub(super) enum Admitted {
    /// From now on, until the driver has enough of it.
    Yes(oneshot::Receiver<ErrorCode>),
    /// Never: its connection had one before.
    Second,
}

pub(super) fn protocol(queue: mpsc::Sender<Inbound>) -> (Protocol, Handler) {
    let protocol = Protocol {
        number: PROTOCOL,
        versions: &[VERSION],
        shape: Shape::Ordered,
        early_frames: &[],
        anonymous: false,
    };
    (
        protocol,
        Handler::Ordered(std::sync::Arc::new(Reading(queue))),
    )
}

#[derive(Debug)]
struct Reading(mpsc::Sender<Inbound>);

impl OrderedHandler for Reading {
    fn open(&self, stream: InboundOrdered) -> HandlerFuture<Result<(), Violation>> {
        let queue = self.0.clone();
        Box::pin(read(stream, queue))
    }
}

async fn read(mut stream: InboundOrdered, queue: mpsc::Sender<Inbound>) -> Result<(), Violation> {
    // Only confirmed peers are named; nobody else reaches this protocol.
    let Origin::Confirmed(peer) = stream.origin else {
        return Ok(());
    };
    let generation = stream.generation;
    let (ready, begun) = oneshot::channel();
    let opened = Inbound::Opened {
        peer,
        generation,
        ready,
    };
    if queue.send(opened).await.is_err() {
        return Ok(());
    }
    let enough = match begun.await {
        Ok(Admitted::Yes(enough)) => enough,
        Ok(Admitted::Second) => return Err(stream.frames.fail(Violation::WrongStreamKind)),
        // The connection lost, the peer is gone, or the node stops.
        Err(_) => return Ok(()),
    };
    let outcome = tokio::select! {
        biased;
        Ok(code) = enough => {
            // The fault is booked already.
            stream.frames.stop(code);
            Ok(())
        }
        outcome = read_all(&mut stream, peer, &queue) => outcome,
    };
    // The driver may be gone.
    _ = queue.send(Inbound::Ended { peer, generation }).await;
    outcome
}

async fn read_all(
    stream: &mut InboundOrdered,
    peer: PeerId,
    queue: &mpsc::Sender<Inbound>,
) -> Result<(), Violation> {
    let generation = stream.generation;
    loop {
        let frames = match batch(stream).await {
            Ok(frames) if frames.is_empty() => return Ok(()),
            Ok(frames) => frames,
            Err(FrameError::Violation(violation)) => return Err(violation),
            Err(FrameError::Stream(_)) => return Ok(()),
        };
        let frames = Inbound::Frames {
            peer,
            generation,
            frames,
        };
        if queue.send(frames).await.is_err() {
            return Ok(());
        }
    }
}

/// The next frame and those that are there already; none at the end of the stream.
async fn batch(stream: &mut InboundOrdered) -> Result<Vec<(u8, Bytes)>, FrameError> {
    let mut frames = Vec::new();
    let mut bytes = 0;
    let mut next = stream.frames.next(RECEIVER_READS).await?;
    while let Some(Frame { kind, body, .. }) = next {
        bytes += body.len();
        frames.push((kind, body));
        if bytes >= BATCH {
            break;
        }
        next = match stream.frames.buffered(RECEIVER_READS)? {
            Some(frame) => Some(frame),
            None => break,
        };
    }
    Ok(frames)
}
