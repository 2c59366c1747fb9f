//! Streams that peers open.
//!
//! ```text
//!  stream ─► header ─► protocol known? ─► shape fits? ─► origin allowed? ─► handler
//!              │            │                  │               │
//!           deadline   UNKNOWN_PROTOCOL   ILLEGAL_FRAME      EARLY
//! ```

use std::pin::pin;
use std::sync::Arc;

use super::framing::{FrameError, FrameReader, FrameWriter};
use super::link::Link;
use super::patience::patiently;
use super::protocol::{
    Handler, HandlerFuture, InboundOrdered, InboundRaw, InboundRequest, Origin, Protocol, Refusal,
    Reply, Shape,
};
use super::request::{fits, write_only_frame};
use super::swarm::Inner;
use super::within::{Late, within};
use super::{Fault, Novelty};
use crate::transport::{RecvStream, SendStream};
use crate::wire::{ErrorCode, StreamHeader, Violation};

/// Counts a stream for as long as it is used.
#[derive(Debug)]
pub(super) struct StreamGuard {
    inner: Arc<Inner>,
    link: Arc<Link>,
}

impl StreamGuard {
    pub(super) fn new(inner: Arc<Inner>, link: Arc<Link>) -> Self {
        if link.stream_opened() {
            inner.streams_changed(&link);
        }
        Self { inner, link }
    }
}

impl Drop for StreamGuard {
    fn drop(&mut self) {
        if self.link.stream_closed() {
            self.inner.streams_changed(&self.link);
        }
    }
}

/// The way back of a request that is being served. If its task ends early (the handler panicked),
/// the peer is told so: a stream that ends without an answer would be held against this node.
struct Unanswered<'a> {
    send: &'a mut SendStream,
    is_over: bool,
}

impl<'a> Unanswered<'a> {
    fn new(send: &'a mut SendStream) -> Self {
        Self {
            send,
            is_over: false,
        }
    }
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.send.reset(ErrorCode::Internal);
        }
    }
}

/// What a stream turned out to be.
struct Opened {
    header: StreamHeader,
    protocol: Protocol,
    handler: Handler,
    origin: Origin,
}

/// Why a stream is ended by this node.
pub(super) enum Rejection {
    /// The peer broke a rule.
    Violation { protocol: u32, violation: Violation },
    /// Not allowed before the handshake is confirmed; no fault.
    Early,
    /// This node cannot serve it now; no fault.
    Refused(ErrorCode),
    /// The stream or the connection ended; nothing to say.
    Gone,
}

impl Rejection {
    fn late(protocol: u32) -> Self {
        Self::Violation {
            protocol,
            violation: Violation::Deadline,
        }
    }

    fn frame(protocol: u32, error: FrameError) -> Self {
        match error {
            FrameError::Violation(violation) => Self::Violation {
                protocol,
                violation,
            },
            FrameError::Stream(_) => Self::Gone,
        }
    }
}

/// Serves a bidirectional stream to its end.
pub(super) async fn bidirectional(
    inner: Arc<Inner>,
    link: Arc<Link>,
    mut send: SendStream,
    receive: RecvStream,
) {
    let guard = StreamGuard::new(inner, link);
    let (inner, link) = (&guard.inner, &guard.link);
    let mut frames = FrameReader::new(receive);
    let early = frames.is_early();
    let outcome = match open(inner, link, &mut frames, true).await {
        Ok(Opened {
            handler: Handler::Raw(handler),
            header,
            origin,
            ..
        }) => {
            let stream = InboundRaw {
                origin,
                generation: link.id.0,
                version: header.version,
                frames,
                send: FrameWriter::without_header(send),
            };
            return serve_raw(inner, link, header.protocol, handler.open(stream)).await;
        }
        Ok(opened) => {
            let mut unanswered = Unanswered::new(&mut send);
            let outcome = serve_request(inner, link, &opened, unanswered.send, &mut frames).await;
            unanswered.is_over = true;
            outcome
        }
        Err(rejection) => Err(rejection),
    };
    if let Err(rejection) = outcome
        && let Some(code) = answer(inner, link, early, rejection)
    {
        send.reset(code);
        frames.stop(code);
    }
}

/// Serves a unidirectional stream to its end.
pub(super) async fn unidirectional(inner: Arc<Inner>, link: Arc<Link>, receive: RecvStream) {
    let guard = StreamGuard::new(inner, link);
    let (inner, link) = (&guard.inner, &guard.link);
    let mut frames = FrameReader::new(receive);
    let early = frames.is_early();
    match open(inner, link, &mut frames, false).await {
        Ok(opened) => {
            let number = opened.header.protocol;
            if let Err(violation) = serve_ordered(link, opened, frames).await {
                answer(
                    inner,
                    link,
                    early,
                    Rejection::Violation {
                        protocol: number,
                        violation,
                    },
                );
            }
        }
        Err(rejection) => {
            if let Some(code) = answer(inner, link, early, rejection) {
                frames.stop(code);
            }
        }
    }
}

/// Reads the header and finds the handler.
async fn open(
    inner: &Inner,
    link: &Link,
    frames: &mut FrameReader,
    bidirectional: bool,
) -> Result<Opened, Rejection> {
    let deadline = inner.config.stream_deadline;
    let header = match within(deadline, pin!(frames.header())).await {
        Ok(Ok(header)) => header,
        Ok(Err(error)) => return Err(Rejection::frame(0, error)),
        Err(Late) => return Err(Rejection::late(0)),
    };
    let reject = |violation| Rejection::Violation {
        protocol: header.protocol,
        violation,
    };
    let (protocol, handler) = inner.protocols.find(header).map_err(reject)?;
    if bidirectional == matches!(protocol.shape, Shape::Ordered) {
        return Err(reject(Violation::WrongStreamKind));
    }
    let Some(origin) = link.origin(frames.is_early()) else {
        return Err(Rejection::Early);
    };
    let admitted = match origin {
        Origin::Confirmed(_) => true,
        Origin::Provisional(_) => !protocol.early_frames.is_empty(),
        Origin::Anonymous(_) => protocol.anonymous,
    };
    if admitted {
        Ok(Opened {
            header,
            protocol,
            handler,
            origin,
        })
    } else {
        Err(Rejection::Early)
    }
}

async fn serve_request(
    inner: &Inner,
    link: &Link,
    opened: &Opened,
    send: &mut SendStream,
    frames: &mut FrameReader,
) -> Result<(), Rejection> {
    let work = async {
        let turn = pin!(link.serve(inner.config.requests_served));
        let Ok(Some(permit)) = within(inner.config.stream_deadline, turn).await else {
            return Err(Rejection::Refused(ErrorCode::Busy));
        };
        let reply = reply_to(inner, link, opened, frames).await?;
        Ok((permit, reply))
    };
    let watches = link.may_watch();
    let done = tokio::select! {
        biased;
        done = work => done,
        // Nobody waits for the answer any more.
        _ = send.acknowledged(), if watches => Err(Rejection::Gone),
    };
    if watches && done.is_err() {
        link.count_watched_reset();
    }
    let (_permit, reply) = done?;
    write_reply(inner, link, send, reply).await
}

/// Reads the request and has it answered.
async fn reply_to(
    inner: &Inner,
    link: &Link,
    opened: &Opened,
    frames: &mut FrameReader,
) -> Result<Reply, Rejection> {
    let (
        Handler::Request(handler),
        Shape::Request {
            requests,
            responses,
        },
    ) = (&opened.handler, opened.protocol.shape)
    else {
        return Err(Rejection::Refused(ErrorCode::Internal));
    };
    let number = opened.header.protocol;
    let frame = match within(inner.config.stream_deadline, pin!(frames.only(requests))).await {
        Ok(Ok(frame)) => frame,
        Ok(Err(error)) => return Err(Rejection::frame(number, error)),
        Err(Late) => return Err(Rejection::late(number)),
    };
    if matches!(opened.origin, Origin::Provisional(_)) {
        inner.admit_early(link, &opened.protocol, frame.kind)?;
    }
    let request = InboundRequest {
        origin: opened.origin,
        path: link.connection.path(),
        version: opened.header.version,
        kind: frame.kind,
        body: frame.body,
    };
    let reply = match within(
        inner.config.request_deadline,
        handler.handle(request).as_mut(),
    )
    .await
    {
        Ok(Ok(reply)) => reply,
        Ok(Err(Refusal::Violation(violation))) => {
            return Err(Rejection::Violation {
                protocol: number,
                violation,
            });
        }
        Ok(Err(refusal)) => return Err(Rejection::Refused(refusal.code())),
        Err(Late) => return Err(Rejection::Refused(ErrorCode::Deadline)),
    };
    let limit = responses.max_body(reply.kind);
    if !limit.is_some_and(|limit| fits(reply.body.len(), limit)) {
        // The handler's mistake: on the wire it would be a violation by this node.
        return Err(Rejection::Refused(ErrorCode::Internal));
    }
    Ok(reply)
}

async fn serve_raw(
    inner: &Inner,
    link: &Link,
    protocol: u32,
    serving: HandlerFuture<Result<(), Violation>>,
) {
    if let Err(violation) = serving.await {
        let violation = Rejection::Violation {
            protocol,
            violation,
        };
        answer(inner, link, false, violation);
    }
}

/// Writes the response; a peer that does not take it in time does not read.
async fn write_reply(
    inner: &Inner,
    link: &Link,
    send: &mut SendStream,
    reply: Reply,
) -> Result<(), Rejection> {
    let write = pin!(write_only_frame(send, None, reply.kind, &reply.body));
    match patiently(inner.config.slow_reader_deadline, link, write).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(Rejection::Gone),
        Err(Late) => {
            inner.slow_reader(link);
            Err(Rejection::Gone)
        }
    }
}

async fn serve_ordered(link: &Link, opened: Opened, frames: FrameReader) -> Result<(), Violation> {
    let Handler::Ordered(handler) = &opened.handler else {
        return Ok(());
    };
    let stream = InboundOrdered {
        origin: opened.origin,
        generation: link.id.0,
        version: opened.header.version,
        frames,
    };
    handler.open(stream).await
}

/// Books what a rejected stream costs its peer; returns the code to end it with.
fn answer(inner: &Inner, link: &Link, early: bool, rejection: Rejection) -> Option<ErrorCode> {
    match rejection {
        Rejection::Violation {
            protocol,
            violation,
        } => {
            if let Some(fault) = fault_of(inner, link, violation) {
                inner.record_fault(link, early, protocol, fault);
            }
            Some(violation.code())
        }
        Rejection::Early => Some(ErrorCode::Early),
        Rejection::Refused(code) => Some(code),
        Rejection::Gone => None,
    }
}

/// A protocol or version that this node does not know is forgiven the first time on a connection:
/// the network must be able to grow.
fn fault_of(inner: &Inner, link: &Link, violation: Violation) -> Option<Fault> {
    let novelty = match violation {
        Violation::UnknownProtocol { number } => Novelty::Protocol(number),
        Violation::UnknownVersion { protocol, version } => Novelty::Version { protocol, version },
        Violation::Deadline => return Some(Fault::Unfinished),
        other => return Some(Fault::Wire(other)),
    };
    let now = inner.now().mono;
    link.leniency(|leniency| leniency.judge(now, novelty))
}
