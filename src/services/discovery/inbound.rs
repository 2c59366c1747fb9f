//! Requests of peers, on their way to the driver.

use std::fmt;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot, watch};

use super::call::scope_of_path;
use crate::discovery::{Asker, Refuse, ReplyFrame};
use crate::p2p::{
    Handler, HandlerFuture, InboundRequest, Origin, Protocol, Reachability, Refusal, Reply,
    RequestHandler, Shape,
};
use crate::policy::{IpGroup, Micros};
use crate::transport::Path;
use crate::transport::environment::Clock;
use crate::wire::message::VERSION;
use crate::wire::message::discovery::{ACCEPTOR_READS, DIALLER_READS, EARLY_FRAMES, PROTOCOL};

/// Requests that wait for the driver: what it answers in about a tenth of a second.
pub(super) const QUEUE: usize = 1_024;

/// A request that waited for longer is not answered any more: whoever asked has given this node up,
/// or soon will, and to work for it would make all behind it late as well.
pub(super) const MAX_LAG: Duration = Duration::from_millis(100);

/// A request as the driver gets it.
#[derive(Debug)]
pub(super) struct Inbound {
    pub(super) asker: Asker,
    pub(super) kind: u8,
    pub(super) body: Bytes,
    pub(super) arrived: Micros,
    pub(super) reply: oneshot::Sender<Result<Reply, Refusal>>,
}

impl Inbound {
    /// Whether to answer it would be of no use to anybody.
    pub(super) fn is_stale(&self, now: Micros) -> bool {
        now.since(self.arrived) > MAX_LAG || self.reply.is_closed()
    }
}

/// Hands requests to the driver; never waits for a place in its queue.
struct Answering {
    queue: mpsc::Sender<Inbound>,
    reachability: watch::Receiver<Reachability>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Answering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answering").finish_non_exhaustive()
    }
}

/// The protocol, and the handler that fills `queue`.
pub(super) fn protocol(
    queue: mpsc::Sender<Inbound>,
    reachability: watch::Receiver<Reachability>,
    clock: Arc<dyn Clock>,
) -> (Protocol, Handler) {
    let protocol = Protocol {
        number: PROTOCOL,
        versions: &[VERSION],
        shape: Shape::Request {
            requests: ACCEPTOR_READS,
            responses: DIALLER_READS,
        },
        early_frames: EARLY_FRAMES,
        anonymous: false,
    };
    let answering = Answering {
        queue,
        reachability,
        clock,
    };
    (protocol, Handler::Request(Arc::new(answering)))
}

impl RequestHandler for Answering {
    fn handle(&self, request: InboundRequest) -> HandlerFuture<Result<Reply, Refusal>> {
        match self.take(request) {
            // The driver answers everything that it takes; without a driver the node is stopping.
            Ok(reply) => Box::pin(async { reply.await.unwrap_or(Err(Refusal::Busy)) }),
            Err(refusal) => Box::pin(ready(Err(refusal))),
        }
    }
}

impl Answering {
    fn take(
        &self,
        request: InboundRequest,
    ) -> Result<oneshot::Receiver<Result<Reply, Refusal>>, Refusal> {
        if !self.reachability.borrow().is_server() {
            return Err(Refusal::Refused);
        }
        let (peer, is_confirmed) = match request.origin {
            Origin::Confirmed(peer) => (peer, true),
            Origin::Provisional(peer) => (peer, false),
            Origin::Anonymous(_) => return Err(Refusal::Refused),
        };
        let (sender, reply) = oneshot::channel();
        let inbound = Inbound {
            asker: Asker {
                peer,
                is_confirmed,
                group: charged(&request.path),
                scope: scope_of_path(&request.path),
            },
            kind: request.kind,
            body: request.body,
            arrived: self.clock.now().mono,
            reply: sender,
        };
        self.queue.try_send(inbound).map_err(|_| Refusal::Busy)?;
        Ok(reply)
    }
}

const fn charged(path: &Path) -> IpGroup {
    match path {
        Path::Direct { group, .. } => *group,
        Path::Relayed { relay_group, .. } => *relay_group,
    }
}

/// What the machine decided, as the swarm tells it.
pub(super) fn reply(decided: Result<ReplyFrame, Refuse>) -> Result<Reply, Refusal> {
    match decided {
        Ok(ReplyFrame { kind, body }) => Ok(Reply { kind, body }),
        // The swarm lets nothing through early that this protocol does not name.
        Err(Refuse::Busy | Refuse::Early) => Err(Refusal::Busy),
        Err(Refuse::Unsupported) => Err(Refusal::Unsupported),
        Err(Refuse::Violation(violation)) => Err(Refusal::Violation(violation)),
    }
}
