//! The streams to peers.

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::identity::PeerId;
use crate::p2p::Carrier;
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

/// Writes what comes, one batch at a time, to a stream on one connection with a peer, until that ends or nothing
/// more comes.
pub(super) async fn write(
    carrier: Carrier,
    peer: PeerId,
    batches: mpsc::Receiver<Bytes>,
    told: mpsc::UnboundedSender<Outbound>,
) {
    let generation = carrier.generation();
    write_all(carrier, peer, batches, &told).await;
    // The driver may be gone.
    _ = told.send(Outbound::Ended { peer, generation });
}

async fn write_all(
    carrier: Carrier,
    peer: PeerId,
    mut batches: mpsc::Receiver<Bytes>,
    told: &mpsc::UnboundedSender<Outbound>,
) {
    let header = StreamHeader {
        protocol: PROTOCOL,
        version: VERSION,
    };
    let generation = carrier.generation();
    let Ok(mut stream) = carrier.open_ordered(header).await else {
        return;
    };
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
