//! The protocols of applications.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;

use super::Messages;
use super::messages::Inbox;
use crate::identity::PeerId;
use crate::p2p::{Handler, InboundRequest, Origin, Protocol, QueueLimit, Refusal, Reply, Shape};
use crate::wire::message::{VERSION, request};

/// The version of these protocols; applications with several versions register at the
/// [`Swarm`](crate::p2p::Swarm).
const VERSIONS: &[u16] = &[VERSION];

/// A protocol whose requests `answer` answers.
pub(super) fn answering<F, R>(number: u32, answer: F) -> (Protocol, Handler)
where
    F: Fn(PeerId, Bytes) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Bytes, Refusal>> + Send + 'static,
{
    let handler = move |inbound: InboundRequest| {
        let answer = match inbound.origin {
            Origin::Confirmed(peer) => Ok(answer(peer, inbound.body)),
            Origin::Provisional(_) | Origin::Anonymous(_) => Err(Refusal::Refused),
        };
        async move {
            Ok(Reply {
                kind: request::RESPONSE,
                body: answer?.await?,
            })
        }
    };
    let shape = Shape::Request {
        requests: request::ACCEPTOR_READS,
        responses: request::DIALLER_READS,
    };
    (protocol(number, shape), Handler::Request(Arc::new(handler)))
}

/// A protocol of one-way messages, of which up to `limit` wait for their reader.
pub(super) fn receiving(number: u32, limit: QueueLimit) -> ((Protocol, Handler), Messages) {
    let (inbox, messages) = Inbox::new(limit);
    let handler = Handler::Ordered(Arc::new(inbox));
    ((protocol(number, Shape::Ordered), handler), messages)
}

fn protocol(number: u32, shape: Shape) -> Protocol {
    Protocol {
        number,
        versions: VERSIONS,
        shape,
        early_frames: &[],
        anonymous: false,
    }
}
