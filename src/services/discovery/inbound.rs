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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::PeerId;
    use crate::policy::Now;
    use crate::wire::message::discovery::FIND_NODE;

    #[derive(Debug)]
    struct Still;

    impl Clock for Still {
        fn now(&self) -> Now {
            Now::default()
        }
    }

    const PEER: PeerId = PeerId::from_bytes([1; 32]);

    fn request(origin: Origin) -> InboundRequest {
        InboundRequest {
            origin,
            path: Path::direct(([8, 8, 8, 8], 1).into()),
            version: VERSION,
            kind: FIND_NODE,
            body: Bytes::new(),
        }
    }

    fn answering(
        reachability: Reachability,
    ) -> (
        Answering,
        mpsc::Receiver<Inbound>,
        watch::Sender<Reachability>,
    ) {
        let (queue, requests) = mpsc::channel(QUEUE);
        let (changes, reachability) = watch::channel(reachability);
        let clock = Arc::new(Still);
        let answering = Answering {
            queue,
            reachability,
            clock,
        };
        (answering, requests, changes)
    }

    #[test]
    fn as_many_requests_wait_as_may_and_the_next_is_told_busy_at_once() {
        let (answering, _requests, _changes) = answering(Reachability::Unknown);
        let mut waiting = Vec::new();
        for number in 0..QUEUE {
            let taken = answering.take(request(Origin::Confirmed(PEER)));
            waiting.push(taken.unwrap_or_else(|refusal| panic!("{number}: {refusal}")));
        }
        let refused = answering.take(request(Origin::Confirmed(PEER)));
        assert_eq!(refused.err(), Some(Refusal::Busy));
    }

    #[test]
    fn who_asks_is_told_as_it_is() {
        let (answering, mut requests, _changes) = answering(Reachability::Public);
        for (origin, is_confirmed) in [
            (Origin::Confirmed(PEER), true),
            (Origin::Provisional(PEER), false),
        ] {
            let _reply = answering.take(request(origin)).unwrap();
            let asker = requests.try_recv().unwrap().asker;
            assert_eq!((asker.peer, asker.is_confirmed), (PEER, is_confirmed));
            assert_eq!(asker.group, IpGroup::V4([8, 8, 8]));
        }
        let anonymous = request(Origin::Anonymous(crate::p2p::CircuitId(1)));
        assert_eq!(answering.take(anonymous).err(), Some(Refusal::Refused));
    }

    #[test]
    fn a_node_that_becomes_a_client_refuses_and_serves_again_when_it_is_a_server() {
        let (answering, _requests, changes) = answering(Reachability::Unknown);
        let refusal = || answering.take(request(Origin::Confirmed(PEER))).err();
        assert_eq!(refusal(), None);
        changes.send(Reachability::Private).unwrap();
        assert_eq!(refusal(), Some(Refusal::Refused));
        changes.send(Reachability::Public).unwrap();
        assert_eq!(refusal(), None);
    }

    #[test]
    fn what_waited_for_too_long_or_is_awaited_by_nobody_is_stale() {
        let (answering, mut requests, _changes) = answering(Reachability::Unknown);
        let reply = answering.take(request(Origin::Confirmed(PEER))).unwrap();
        let inbound = requests.try_recv().unwrap();
        let limit = Micros(0) + MAX_LAG;
        assert!(!inbound.is_stale(limit));
        assert!(inbound.is_stale(limit + Duration::from_micros(1)));
        drop(reply);
        assert!(inbound.is_stale(Micros(0)));
    }
}
