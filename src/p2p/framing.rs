//! Frames on streams.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::serve::StreamGuard;
use crate::transport::{ReadError, RecvStream, SendStream, WriteError};
use crate::wire::frame::{
    Frame, FrameDecoder, FrameRules, StreamHeader, StreamHeaderDecoder, encode_frame,
};
use crate::wire::{ErrorCode, Violation};

/// Largest piece read from a stream at once: the unit in which quinn hands out contiguous bytes is
/// smaller, so this only bounds what a frame may pin.
const READ_CHUNK: usize = 64 * 1024;

/// Buffered output at which a writer passes it on: large enough to fill a GSO batch of datagrams.
const WRITE_BATCH: usize = 64 * 1024;

/// Why a frame could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The peer broke the framing.
    #[error(transparent)]
    Violation(#[from] Violation),
    /// The stream or its connection ended.
    #[error(transparent)]
    Stream(#[from] ReadError),
}

/// Reads the header and the frames of a stream.
#[derive(Debug)]
pub struct FrameReader {
    stream: RecvStream,
    pending: Bytes,
    decoder: FrameDecoder,
    _guard: Option<Arc<StreamGuard>>,
}

impl FrameReader {
    pub(super) fn new(stream: RecvStream) -> Self {
        Self {
            stream,
            pending: Bytes::new(),
            decoder: FrameDecoder::new(),
            _guard: None,
        }
    }

    /// Counts the stream for as long as this reader lives.
    pub(super) fn counted(self, guard: Arc<StreamGuard>) -> Self {
        Self {
            _guard: Some(guard),
            ..self
        }
    }

    /// Reads the stream header. A stream that ends before it is as unfinished as one that ends in it.
    pub(super) async fn header(&mut self) -> Result<StreamHeader, FrameError> {
        let mut decoder = StreamHeaderDecoder::new();
        loop {
            if let Some(header) = decoder.decode(&mut self.pending)? {
                return Ok(header);
            }
            if !self.refill().await? {
                return Err(Violation::UnfinishedFrame.into());
            }
        }
    }

    /// The next frame, `None` at the end of the stream. Cancellation-safe: what was read before is
    /// kept.
    ///
    /// # Errors
    /// A [`Violation`] of `rules` or of the framing, with which the stream was stopped; or the end
    /// of the connection.
    pub async fn next(&mut self, rules: FrameRules) -> Result<Option<Frame>, FrameError> {
        loop {
            match self.decoder.decode(&mut self.pending, rules) {
                Ok(None) => {}
                Ok(frame) => return Ok(frame),
                Err(violation) => return Err(self.fail(violation).into()),
            }
            if !self.refill().await? {
                let finished = self.decoder.finish();
                return finished
                    .map(|()| None)
                    .map_err(|violation| self.fail(violation).into());
            }
        }
    }

    /// A frame that is here already, without waiting; `None` if more bytes are needed.
    ///
    /// # Errors
    /// A [`Violation`], as for [`next`](Self::next).
    pub fn buffered(&mut self, rules: FrameRules) -> Result<Option<Frame>, Violation> {
        match self.decoder.decode(&mut self.pending, rules) {
            Ok(frame) => Ok(frame),
            Err(violation) => Err(self.fail(violation)),
        }
    }

    /// Stops the stream with the code of a violation, and passes the violation on.
    pub fn fail(&mut self, violation: Violation) -> Violation {
        self.stop(violation.code());
        violation
    }

    /// Reads the one frame that may stand here, and the end of the stream behind it.
    pub(super) async fn only(&mut self, rules: FrameRules) -> Result<Frame, FrameError> {
        let frame = self.next(rules).await?.ok_or(Violation::MissingFrame)?;
        if !self.pending.is_empty() || self.refill().await? {
            return Err(Violation::ExtraFrame.into());
        }
        Ok(frame)
    }

    /// Tells the peer to stop sending.
    pub fn stop(&mut self, code: ErrorCode) {
        self.stream.stop(code);
    }

    /// The next bytes as they are, at most `max`, for a protocol that has left framing behind;
    /// `None` at the end of the stream.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn read_raw(&mut self, max: usize) -> Result<Option<Bytes>, ReadError> {
        if self.pending.is_empty() && !self.refill().await? {
            return Ok(None);
        }
        Ok(Some(self.pending.split_to(max.min(self.pending.len()))))
    }

    pub(super) fn is_early(&self) -> bool {
        self.stream.is_early()
    }

    async fn refill(&mut self) -> Result<bool, ReadError> {
        match self.stream.read_chunk(READ_CHUNK).await? {
            Some(bytes) => {
                self.pending = bytes;
                Ok(true)
            }
            None => Ok(false),
        }
    }
}

/// Writes the header and the frames of a stream, in batches.
#[derive(Debug)]
pub struct FrameWriter {
    stream: SendStream,
    batch: BytesMut,
    _guard: Option<Arc<StreamGuard>>,
}

impl FrameWriter {
    pub(super) fn new(stream: SendStream, header: StreamHeader) -> Self {
        let mut writer = Self::without_header(stream);
        header.encode(&mut writer.batch);
        writer
    }

    /// For the end that did not open the stream.
    pub(super) fn without_header(stream: SendStream) -> Self {
        Self {
            stream,
            batch: BytesMut::new(),
            _guard: None,
        }
    }

    /// Counts the stream for as long as this writer lives.
    pub(super) fn counted(self, guard: Arc<StreamGuard>) -> Self {
        Self {
            _guard: Some(guard),
            ..self
        }
    }

    /// Adds a frame to the batch.
    pub fn push(&mut self, kind: u8, body: &[u8]) {
        encode_frame(kind, body, &mut self.batch);
    }

    /// Whether the batch is large enough to be worth writing before more is added.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.batch.len() >= WRITE_BATCH
    }

    /// Writes the batch, waiting for flow control.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub async fn flush(&mut self) -> Result<(), WriteError> {
        let batch = self.batch.split().freeze();
        self.stream.write_chunk(batch).await
    }

    /// Writes the batch and says that it was the last; the stream is handed out for who wants to
    /// wait until it is acknowledged.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub async fn finish(mut self) -> Result<SendStream, WriteError> {
        self.flush().await?;
        self.stream.finish();
        Ok(self.stream)
    }

    /// Writes bytes as they are, behind what was pushed, for a protocol that has left framing
    /// behind.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub async fn write_raw(&mut self, bytes: Bytes) -> Result<(), WriteError> {
        if !self.batch.is_empty() {
            self.flush().await?;
        }
        self.stream.write_chunk(bytes).await
    }

    /// Abandons the stream.
    pub fn reset(&mut self, code: ErrorCode) {
        self.stream.reset(code);
    }
}
