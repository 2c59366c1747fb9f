//! Requests to peers.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::Fault;
use super::framing::{FrameError, FrameReader};
use super::protocol::Reply;
use super::serve::StreamGuard;
use super::swarm::Inner;
use super::within::{Late, within};
use crate::crypto::EntropyFailure;
use crate::identity::PeerId;
use crate::transport::{CloseReason, Connection, ReadError, SendStream, WriteError};
use crate::wire::frame::{FrameRules, encode_frame_head, frame_head_len};
use crate::wire::{ErrorCode, StreamHeader, Violation};

/// Bodies up to this size are copied behind their head, so that one write carries both: copying
/// 4 KiB costs less than taking the connection's lock twice.
const COPIED_BODY: usize = 4 * 1024;

/// A request, ready to be sent.
#[derive(Debug, Clone)]
pub struct OutboundRequest {
    /// Number of the protocol.
    pub protocol: u32,
    /// Version of the protocol.
    pub version: u16,
    /// Type of the request frame.
    pub kind: u8,
    /// Its body.
    pub body: Bytes,
    /// What the peer reads as a request; nothing else is sent.
    pub requests: FrameRules,
    /// What may come back.
    pub responses: FrameRules,
}

/// Why a request has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// There is no connection with the peer.
    #[error("not connected to the peer")]
    NotConnected,
    /// The peer would hold it against this node; nothing was sent.
    #[error("a request of {length} bytes is larger than {limit}")]
    TooLarge {
        /// Bytes of the body.
        length: usize,
        /// Most that the protocol allows.
        limit: u32,
    },
    /// The type of the frame is no request of the protocol; nothing was sent.
    #[error("frame type {0:#04x} is no request of the protocol")]
    NotARequest(u8),
    /// Too many requests wait for this peer's answers.
    #[error("too many requests are waiting for this peer")]
    Busy,
    /// No answer within the deadline.
    #[error("no answer in time")]
    Deadline,
    /// The peer said no.
    #[error("the peer refused: {0}")]
    Refused(ErrorCode),
    /// The connection ended before the answer.
    #[error("connection ended: {0}")]
    Disconnected(CloseReason),
    /// The answer broke the protocol.
    #[error("the answer is malformed: {0}")]
    Malformed(Violation),
    /// Early data was refused: the request did not reach the peer.
    #[error("early data was refused")]
    EarlyRefused,
    /// This node has no randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyFailure),
}

impl RequestError {
    /// Whether the same request may succeed once the handshake is confirmed.
    pub(super) fn is_early_refusal(self) -> bool {
        matches!(self, Self::EarlyRefused | Self::Refused(ErrorCode::Early))
    }
}

impl OutboundRequest {
    fn check(&self) -> Result<(), RequestError> {
        let length = self.body.len();
        match self.requests.max_body(self.kind) {
            None => Err(RequestError::NotARequest(self.kind)),
            Some(limit) if fits(length, limit) => Ok(()),
            Some(limit) => Err(RequestError::TooLarge { length, limit }),
        }
    }
}

/// Whether a body of `length` bytes is within `limit`.
pub(super) fn fits(length: usize, limit: u32) -> bool {
    u32::try_from(length).is_ok_and(|length| length <= limit)
}

impl Inner {
    /// Sends a request on the current connection with `peer`.
    pub(super) async fn request(
        self: &Arc<Self>,
        peer: PeerId,
        request: &OutboundRequest,
        deadline: Duration,
    ) -> Result<Reply, RequestError> {
        request.check()?;
        let link = self.link(&peer).ok_or(RequestError::NotConnected)?;
        if let Some(code) = link.refusal(request.protocol) {
            return Err(RequestError::Refused(code));
        }
        let _waiting = link
            .try_wait(self.config.requests_waiting)
            .ok_or(RequestError::Busy)?;
        let _guard = StreamGuard::new(self.clone(), link.clone());
        let exchange = pin!(exchange(&link.connection, request));
        let reply = match within(deadline, exchange).await {
            Ok(reply) => reply,
            Err(Late) => Err(RequestError::Deadline),
        };
        match reply {
            Err(RequestError::Malformed(violation)) => {
                self.record_fault(&link, false, request.protocol, Fault::Wire(violation));
            }
            Err(RequestError::Refused(code)) => link.note_refusal(request.protocol, code),
            _ => {}
        }
        reply
    }
}

/// The stream of an exchange. Unless the exchange came to its end, dropping it tells the peer that
/// nobody waits for the answer any more.
struct Exchange {
    send: SendStream,
    frames: FrameReader,
    is_over: bool,
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if !self.is_over {
            self.send.reset(ErrorCode::Cancelled);
            self.frames.stop(ErrorCode::Cancelled);
        }
    }
}

/// One exchange on a stream of its own. Dropping the future abandons the stream.
pub(super) async fn exchange(
    connection: &Connection,
    request: &OutboundRequest,
) -> Result<Reply, RequestError> {
    request.check()?;
    let (send, receive) = connection
        .open_bi()
        .await
        .map_err(RequestError::Disconnected)?;
    let mut exchange = Exchange {
        send,
        frames: FrameReader::new(receive),
        is_over: false,
    };
    match write_request(&mut exchange.send, request).await {
        // A peer that stopped reading may have answered all the same: with why.
        Ok(()) | Err(WriteError::Stopped(_)) => {}
        Err(WriteError::Ended(reason)) => return Err(RequestError::Disconnected(reason)),
        Err(WriteError::EarlyRefused) => return Err(RequestError::EarlyRefused),
        Err(WriteError::Closed) => return Err(RequestError::Refused(ErrorCode::Internal)),
    }
    let answer = exchange.frames.only(request.responses).await;
    exchange.is_over = true;
    match answer {
        Ok(frame) => Ok(Reply {
            kind: frame.kind,
            body: frame.body,
        }),
        Err(error) => {
            let error = request_error(error);
            if let RequestError::Malformed(violation) = error {
                exchange.frames.fail(violation);
            }
            Err(error)
        }
    }
}

async fn write_request(send: &mut SendStream, request: &OutboundRequest) -> Result<(), WriteError> {
    let header = StreamHeader {
        protocol: request.protocol,
        version: request.version,
    };
    write_only_frame(send, Some(header), request.kind, &request.body).await
}

/// Writes the one frame of a direction, behind a header if this end opened the stream, and its end.
pub(super) async fn write_only_frame(
    send: &mut SendStream,
    header: Option<StreamHeader>,
    kind: u8,
    body: &Bytes,
) -> Result<(), WriteError> {
    let copied = if body.len() <= COPIED_BODY {
        body.len()
    } else {
        0
    };
    let room = header.map_or(0, StreamHeader::encoded_len) + frame_head_len(body.len()) + copied;
    // Of exactly this size: with room to spare, freezing it would cost another allocation.
    let mut start = BytesMut::with_capacity(room);
    if let Some(header) = header {
        header.encode(&mut start);
    }
    encode_frame_head(kind, body.len(), &mut start);
    start.extend_from_slice(&body[..copied]);
    send.write_chunk(start.freeze()).await?;
    if copied < body.len() {
        send.write_chunk(body.clone()).await?;
    }
    send.finish();
    Ok(())
}

fn request_error(error: FrameError) -> RequestError {
    match error {
        FrameError::Violation(violation) => RequestError::Malformed(violation),
        FrameError::Stream(ReadError::Reset(code)) => RequestError::Refused(code),
        FrameError::Stream(ReadError::Ended(reason)) => RequestError::Disconnected(reason),
        FrameError::Stream(ReadError::EarlyRefused) => RequestError::EarlyRefused,
        FrameError::Stream(ReadError::Closed) => RequestError::Refused(ErrorCode::Cancelled),
    }
}
