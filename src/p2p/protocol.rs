//! What a protocol is to the swarm.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;

use super::framing::{FrameReader, FrameWriter};
use crate::identity::PeerId;
use crate::transport::Path;
use crate::wire::frame::FrameRules;
use crate::wire::{ErrorCode, Violation};

/// First number that applications may use; those below belong to the stack.
pub const FIRST_APPLICATION_PROTOCOL: u32 = 0x40;

/// How the streams of a protocol behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A bidirectional stream for each exchange: one request frame, one response frame.
    Request {
        /// Frames that may be the request.
        requests: FrameRules,
        /// Frames that may be the response.
        responses: FrameRules,
    },
    /// One unidirectional stream for each direction, frames in order.
    Ordered,
    /// A bidirectional stream that belongs to the protocol after its header.
    Raw,
}

/// A protocol that this node speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protocol {
    /// The number that opens each of its streams.
    pub number: u32,
    /// Versions spoken, best first.
    pub versions: &'static [u16],
    /// How its streams behave.
    pub shape: Shape,
    /// Types of first frames that are served before the handshake is confirmed, because repeating
    /// them does no harm. Only protocols of the stack may name any.
    pub early_frames: &'static [u8],
    /// Whether streams that come over a circuit, from nobody known, are served.
    pub anonymous: bool,
}

/// Why a protocol could not be registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// Another handler has the number.
    #[error("protocol {0:#x} has a handler already")]
    Taken(u32),
    /// The number belongs to the stack.
    #[error("protocol {0:#x} is reserved: applications start at {FIRST_APPLICATION_PROTOCOL:#x}")]
    Reserved(u32),
    /// An application asked to be reached before the handshake is confirmed.
    #[error("protocol {0:#x} may not be served early")]
    EarlyNotAllowed(u32),
    /// No version is spoken.
    #[error("protocol {0:#x} names no version")]
    NoVersion(u32),
    /// The handler is of another shape than the protocol.
    #[error("protocol {0:#x} and its handler differ in shape")]
    ShapeMismatch(u32),
    /// The node has [`MAX_PROTOCOLS`](super::MAX_PROTOCOLS) protocols.
    #[error("the node speaks too many protocols")]
    TooMany,
    /// The node has stopped.
    #[error("the node has stopped")]
    Stopped,
}

/// Where a stream comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A peer whose handshake is confirmed.
    Confirmed(PeerId),
    /// Early data under this peer's ticket: it may be a replay by somebody else.
    Provisional(PeerId),
    /// Somebody at the far end of a circuit.
    Anonymous(CircuitId),
}

/// An onion circuit that ends at this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CircuitId(pub u64);

/// A request as its handler gets it.
#[derive(Debug, Clone)]
pub struct InboundRequest {
    /// Who asks.
    pub origin: Origin,
    /// Whence the request comes, as of now: what a limit by IP group charges, also for an origin that
    /// is provisional.
    pub path: Path,
    /// Version that the stream was opened with.
    pub version: u16,
    /// Type of the request frame.
    pub kind: u8,
    /// Its body.
    pub body: Bytes,
}

/// A response frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Type of the response frame.
    pub kind: u8,
    /// Its body.
    pub body: Bytes,
}

/// Why a handler does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Overloaded; the peer may try again later.
    #[error("busy")]
    Busy,
    /// The handler does not do this.
    #[error("refused")]
    Refused,
    /// The handler does not know this kind of request.
    #[error("unsupported")]
    Unsupported,
    /// The request broke the protocol; it costs the peer reputation.
    #[error(transparent)]
    Violation(#[from] Violation),
}

impl Refusal {
    /// The code with which the stream is reset.
    #[must_use]
    pub fn code(self) -> ErrorCode {
        match self {
            Self::Busy => ErrorCode::Busy,
            Self::Refused => ErrorCode::Refused,
            Self::Unsupported => ErrorCode::Unsupported,
            Self::Violation(violation) => violation.code(),
        }
    }
}

/// A stream of an [`Shape::Ordered`] protocol that a peer opened.
#[derive(Debug)]
pub struct InboundOrdered {
    /// Who opened it.
    pub origin: Origin,
    /// Which of the peer's successive connections carries it: a stream of an older generation is
    /// drained before that of a newer one counts.
    pub generation: u64,
    /// Version that the stream was opened with.
    pub version: u16,
    /// Its frames.
    pub frames: FrameReader,
}

/// A stream of a [`Shape::Raw`] protocol that a peer opened.
#[derive(Debug)]
pub struct InboundRaw {
    /// Who opened it.
    pub origin: Origin,
    /// Which of the peer's successive connections carries it.
    pub generation: u64,
    /// Version that the stream was opened with.
    pub version: u16,
    /// What the peer sends after the header.
    pub frames: FrameReader,
    /// The way back; its writability is that of the stream.
    pub send: FrameWriter,
}

/// A future that a handler returns.
pub type HandlerFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Serves a [`Shape::Request`] protocol. How many requests of a peer run at once is bounded, and
/// each has the node's deadline.
///
/// A call runs in the task of the peer's connection until it first waits, and from there in a task
/// of its own. What computes for more than about 100 µs belongs on another thread
/// (`tokio::task::spawn_blocking`), as everywhere in async code: it would hold up the peer's other
/// streams.
pub trait RequestHandler: Send + Sync + 'static {
    /// Answers one request.
    fn handle(&self, request: InboundRequest) -> HandlerFuture<Result<Reply, Refusal>>;
}

/// Serves an [`Shape::Ordered`] protocol.
pub trait OrderedHandler: Send + Sync + 'static {
    /// Takes a stream; the future is its task. An error is the peer's violation and costs it
    /// reputation; end the stream with its code by [`FrameReader::fail`], as
    /// [`FrameReader::next`] does.
    fn open(&self, stream: InboundOrdered) -> HandlerFuture<Result<(), Violation>>;
}

/// Serves a [`Shape::Raw`] protocol.
pub trait RawHandler: Send + Sync + 'static {
    /// Takes a stream; the future is its task. An error is the peer's violation and costs it
    /// reputation; the handler has closed the stream itself.
    fn open(&self, stream: InboundRaw) -> HandlerFuture<Result<(), Violation>>;
}

impl<F, R> RequestHandler for F
where
    F: Fn(InboundRequest) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Reply, Refusal>> + Send + 'static,
{
    fn handle(&self, request: InboundRequest) -> HandlerFuture<Result<Reply, Refusal>> {
        Box::pin(self(request))
    }
}

/// A protocol's handler, by shape.
#[derive(Clone)]
pub enum Handler {
    /// For [`Shape::Request`].
    Request(std::sync::Arc<dyn RequestHandler>),
    /// For [`Shape::Ordered`].
    Ordered(std::sync::Arc<dyn OrderedHandler>),
    /// For [`Shape::Raw`].
    Raw(std::sync::Arc<dyn RawHandler>),
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request(_) => "Handler::Request",
            Self::Ordered(_) => "Handler::Ordered",
            Self::Raw(_) => "Handler::Raw",
        })
    }
}
