//! The two halves of a stream.

use bytes::Bytes;

use super::CloseReason;
use super::close::quinn_code;
use crate::wire::ErrorCode;

/// Why writing failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The peer does not want more of this stream.
    #[error("stopped by the peer: {0}")]
    Stopped(ErrorCode),
    /// The connection ended.
    #[error("connection ended: {0}")]
    Ended(CloseReason),
    /// Early data was refused: nothing of this stream arrived, it can be sent again.
    #[error("early data was refused")]
    EarlyRefused,
    /// The stream was finished or reset before by this node.
    #[error("the stream is closed")]
    Closed,
}

/// Why reading failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The peer abandoned the stream.
    #[error("reset by the peer: {0}")]
    Reset(ErrorCode),
    /// The connection ended.
    #[error("connection ended: {0}")]
    Ended(CloseReason),
    /// Early data was refused: the peer never saw the request.
    #[error("early data was refused")]
    EarlyRefused,
    /// The stream was stopped before by this node.
    #[error("the stream is closed")]
    Closed,
}

/// The sending half of a stream. Dropping it finishes the stream.
#[derive(Debug)]
pub struct SendStream(quinn::SendStream);

impl SendStream {
    pub(super) fn new(inner: quinn::SendStream) -> Self {
        Self(inner)
    }

    /// Writes all of `bytes`, waiting for flow control.
    ///
    /// # Errors
    /// See [`WriteError`]; a part may have been written.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        Ok(self.0.write_all(bytes).await?)
    }

    /// Writes all of `bytes` without copying them.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub async fn write_chunk(&mut self, bytes: Bytes) -> Result<(), WriteError> {
        Ok(self.0.write_chunk(bytes).await?)
    }

    /// Says that nothing more will be written. What was written is still delivered.
    pub fn finish(&mut self) {
        // An error says that the stream ended before, which is what the caller wants.
        let _ = self.0.finish();
    }

    /// Abandons the stream.
    pub fn reset(&mut self, code: ErrorCode) {
        let _ = self.0.reset(quinn_code(code));
    }

    /// Sends this stream's data before that of streams with a lower priority (default 0).
    pub fn set_priority(&self, priority: i32) {
        let _ = self.0.set_priority(priority);
    }

    /// Waits until the peer has everything (`None`) or has stopped the stream.
    ///
    /// # Errors
    /// [`WriteError::Ended`] or [`WriteError::EarlyRefused`].
    pub async fn acknowledged(&mut self) -> Result<Option<ErrorCode>, WriteError> {
        match self.0.stopped().await {
            Ok(code) => Ok(code.map(|code| ErrorCode::from(code.into_inner()))),
            Err(quinn::StoppedError::ConnectionLost(error)) => Err(WriteError::Ended(error.into())),
            Err(quinn::StoppedError::ZeroRttRejected) => Err(WriteError::EarlyRefused),
        }
    }
}

/// The receiving half of a stream. Dropping it before its end tells the peer to stop.
#[derive(Debug)]
pub struct RecvStream(quinn::RecvStream);

impl RecvStream {
    pub(super) fn new(inner: quinn::RecvStream) -> Self {
        Self(inner)
    }

    /// The next bytes, at most `max`, without copying; `None` at the end of the stream.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn read_chunk(&mut self, max: usize) -> Result<Option<Bytes>, ReadError> {
        Ok(self.0.read_chunk(max, true).await?.map(|chunk| chunk.bytes))
    }

    /// Fills `buffer` as far as bytes are there, at least one; `None` at the end of the stream.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, ReadError> {
        Ok(self.0.read(buffer).await?)
    }

    /// Tells the peer to stop sending.
    pub fn stop(&mut self, code: ErrorCode) {
        let _ = self.0.stop(quinn_code(code));
    }

    /// Whether the stream was opened before the handshake was complete.
    #[must_use]
    pub fn is_early(&self) -> bool {
        self.0.is_0rtt()
    }
}

impl From<quinn::WriteError> for WriteError {
    fn from(error: quinn::WriteError) -> Self {
        match error {
            quinn::WriteError::Stopped(code) => Self::Stopped(ErrorCode::from(code.into_inner())),
            quinn::WriteError::ConnectionLost(error) => Self::Ended(error.into()),
            quinn::WriteError::ClosedStream => Self::Closed,
            quinn::WriteError::ZeroRttRejected => Self::EarlyRefused,
        }
    }
}

impl From<quinn::ReadError> for ReadError {
    fn from(error: quinn::ReadError) -> Self {
        match error {
            quinn::ReadError::Reset(code) => Self::Reset(ErrorCode::from(code.into_inner())),
            quinn::ReadError::ConnectionLost(error) => Self::Ended(error.into()),
            // Reads are ordered throughout: `IllegalOrderedRead` cannot occur.
            quinn::ReadError::ClosedStream | quinn::ReadError::IllegalOrderedRead => Self::Closed,
            quinn::ReadError::ZeroRttRejected => Self::EarlyRefused,
        }
    }
}
