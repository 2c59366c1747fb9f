//! Streams of ordered protocols that a service writes itself.

use std::sync::Arc;

use bytes::Bytes;

use super::framing::FrameWriter;
use super::link::Link;
use super::serve::StreamGuard;
use super::{Caller, Direction};
use crate::identity::PeerId;
use crate::wire::StreamHeader;

/// The connection is gone, or the peer does not take the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stream has ended")]
pub(crate) struct OutboundOrderedError;

/// A unidirectional stream to a peer, on one of its successive connections.
#[derive(Debug)]
pub(crate) struct OutboundOrdered {
    link: Arc<Link>,
    writer: FrameWriter,
}

impl Caller {
    /// Opens a stream on the peer's current connection, waiting for room. What is written to it goes out
    /// behind the header.
    pub(crate) async fn open_ordered(
        &self,
        peer: &PeerId,
        header: StreamHeader,
    ) -> Result<OutboundOrdered, OutboundOrderedError> {
        let link = self.inner().link(peer).ok_or(OutboundOrderedError)?;
        let guard = Arc::new(StreamGuard::new(self.inner().clone(), link.clone()));
        let stream = link.connection.open_uni().await;
        let stream = stream.map_err(|_| OutboundOrderedError)?;
        let writer = FrameWriter::new(stream, header).counted(guard);
        Ok(OutboundOrdered { link, writer })
    }

    /// Which of the peer's successive connections is the current one, and who dialled it.
    pub(crate) fn current(&self, peer: &PeerId) -> Option<(u64, Direction)> {
        let link = self.inner().link(peer)?;
        Some((link.id.0, link.direction))
    }
}

impl OutboundOrdered {
    /// Which connection it is on; see [`InboundOrdered`](super::InboundOrdered).
    pub(crate) fn generation(&self) -> u64 {
        self.link.id.0
    }

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
