//! Streams of ordered protocols that a service writes itself.

use std::sync::Arc;

use bytes::Bytes;

use super::framing::FrameWriter;
use super::link::Link;
use super::serve::StreamGuard;
use super::swarm::Inner;
use super::{Caller, ConfirmedEvidence, ConnectionId, Direction, Fault};
use crate::identity::PeerId;
use crate::transport::{CloseReason, Path};
use crate::wire::{ErrorCode, StreamHeader};

/// The connection is gone, or the peer does not take the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stream has ended")]
pub(crate) struct OutboundOrderedError;

/// One of the successive connections with a peer. Another may take its place at any time, and give it back: a stream
/// goes to the one that it was meant for.
#[derive(Debug, Clone)]
pub(crate) struct Carrier {
    inner: Arc<Inner>,
    link: Arc<Link>,
}

/// A unidirectional stream to a peer, on one of its successive connections.
#[derive(Debug)]
pub(crate) struct OutboundOrdered {
    link: Arc<Link>,
    writer: FrameWriter,
}

impl Caller {
    /// The peer's current connection.
    pub(crate) fn carrier(&self, peer: &PeerId) -> Option<Carrier> {
        let (inner, link) = (self.inner().clone(), self.inner().link(peer)?);
        Some(Carrier { inner, link })
    }

    /// Whether one of the peer's connections has not ended.
    pub(crate) fn lasts(&self, peer: &PeerId, generation: u64) -> bool {
        let link = self
            .inner()
            .connections()
            .link_of(peer, ConnectionId(generation));
        link.is_some_and(|link| link.connection.close_reason().is_none())
    }

    /// Whether one of the peer's connections has lost for good to one that the other end has, too, and this end is the
    /// one to close it.
    pub(crate) fn is_ours_to_close(&self, peer: &PeerId, generation: u64) -> bool {
        if self
            .inner()
            .link(peer)
            .is_none_or(|survivor| !survivor.is_held())
        {
            return false;
        }
        let connections = self.inner().connections();
        connections.is_ours_to_close(peer, ConnectionId(generation))
    }
}

impl Carrier {
    /// Which of the peer's connections it is; see [`InboundOrdered`](super::InboundOrdered).
    pub(crate) fn generation(&self) -> u64 {
        self.link.id.0
    }

    /// Who dialled it.
    pub(crate) fn direction(&self) -> Direction {
        self.link.direction
    }

    pub(crate) fn path(&self) -> Path {
        self.link.connection.path()
    }

    /// Why it ended, if it has.
    pub(crate) fn close_reason(&self) -> Option<CloseReason> {
        self.link.connection.close_reason()
    }

    /// See [`Swarm::report_fault`](super::Swarm). It counts also when the connection has ended, unless this node closed it.
    pub(crate) fn report_fault(&self, protocol: u32, fault: Fault) {
        self.inner.record_fault(&self.link, false, protocol, fault);
    }

    /// For a fault that is found when nothing else of the connection is needed any more.
    pub(crate) fn evidence(&self, protocol: u32) -> Option<ConfirmedEvidence> {
        self.link.evidence(false, protocol)
    }

    /// Closes it: the peer is to be dialled anew.
    pub(crate) fn close(self) {
        self.link.connection.close(ErrorCode::Redundant);
    }

    /// Opens a stream, waiting for room. What is written to it goes out behind the header.
    ///
    /// # Errors
    /// The connection has ended.
    pub(crate) async fn open_ordered(
        self,
        header: StreamHeader,
    ) -> Result<OutboundOrdered, OutboundOrderedError> {
        let Self { inner, link } = self;
        let guard = Arc::new(StreamGuard::new(inner, link.clone()));
        let stream = link.connection.open_uni().await;
        let stream = stream.map_err(|_| OutboundOrderedError)?;
        let writer = FrameWriter::new(stream, header).counted(guard);
        Ok(OutboundOrdered { link, writer })
    }
}

impl OutboundOrdered {
    /// Writes encoded frames, waiting for flow control.
    ///
    /// # Errors
    /// The stream, or its connection, has ended.
    pub(crate) async fn write(&mut self, frames: Bytes) -> Result<(), OutboundOrderedError> {
        let written = self.writer.write_raw(frames).await;
        written.map_err(|_| OutboundOrderedError)
    }

    /// Says that nothing more comes, and waits until all is acknowledged or the connection ends.
    pub(crate) async fn finish(self) {
        let Ok(mut stream) = self.writer.finish().await else {
            return;
        };
        tokio::select! {
            biased;
            _ = self.link.connection.closed() => {}
            _ = stream.acknowledged() => {}
        }
    }

    /// Waits until the connection ends. One that another took the place of ends a little later, unless it
    /// takes it back.
    pub(crate) async fn ended(&self) {
        _ = self.link.connection.closed().await;
    }
}
