//! The streams to peers.

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::identity::PeerId;
use crate::p2p::Caller;
use crate::wire::StreamHeader;
use crate::wire::message::VERSION;
use crate::wire::message::gossip::PROTOCOL;

/// What the writers tell the driver.
#[derive(Debug)]
pub(super) enum Outbound {
    /// What was given is written.
    Written { peer: PeerId, generation: u64 },
    /// The stream has ended.
    Ended { peer: PeerId, generation: u64 },
}

/// Writes what comes, one batch at a time, to a stream on the peer's current connection, until that
/// ends or nothing more comes.
pub(super) async fn write(
    caller: Caller,
    peer: PeerId,
    generation: u64,
    batches: mpsc::Receiver<Bytes>,
    told: mpsc::UnboundedSender<Outbound>,
) {
    write_all(&caller, peer, generation, batches, &told).await;
    // The driver may be gone.
    _ = told.send(Outbound::Ended { peer, generation });
}

async fn write_all(
    caller: &Caller,
    peer: PeerId,
    generation: u64,
    mut batches: mpsc::Receiver<Bytes>,
    told: &mpsc::UnboundedSender<Outbound>,
) {
    let header = StreamHeader {
        protocol: PROTOCOL,
        version: VERSION,
    };
    let Ok(mut stream) = caller.open_ordered(&peer, header).await else {
        return;
    };
    if stream.generation() != generation {
        return;
    }
    loop {
        let batch = tokio::select! {
            biased;
            () = stream.ended() => return,
            batch = batches.recv() => batch,
        };
        let Some(batch) = batch else {
            return stream.finish().await;
        };
        if stream.write(batch).await.is_err() {
            return;
        }
        if told.send(Outbound::Written { peer, generation }).is_err() {
            return;
        }
    }
}
