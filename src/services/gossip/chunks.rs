//! Chunks of long messages, asked for and given.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::gossip::{CHUNK_DEADLINE, ChunkAnswer};
use crate::identity::PeerId;
use crate::p2p::{
    Caller, Handler, HandlerFuture, InboundRequest, Origin, OutboundRequest, Protocol, Refusal,
    Reply, RequestError, RequestHandler, Shape,
};
use crate::wire::ErrorCode;
use crate::wire::codec::{Payload, decode, encode};
use crate::wire::message::VERSION;
use crate::wire::message::chunks::{
    ACCEPTOR_READS, CHUNK, Chunk, DIALLER_READS, GET_CHUNK, GetChunk, PROTOCOL,
};
use crate::wire::message::gossip::MessageId;

/// Questions that wait for the driver: those of some peers, as many as each may have open.
pub(super) const QUEUE: usize = 256;

/// Who has no time for a question is asked again after this: its machine answers what waits within
/// milliseconds.
const AGAIN: Duration = Duration::from_millis(250);

/// A peer asks for a chunk.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) peer: PeerId,
    pub(super) message: MessageId,
    pub(super) index: u16,
    pub(super) reply: oneshot::Sender<Option<Bytes>>,
}

pub(super) fn protocol(queue: mpsc::Sender<Asked>) -> (Protocol, Handler) {
    let protocol = Protocol {
        number: PROTOCOL,
        versions: &[VERSION],
        shape: Shape::Request {
            requests: ACCEPTOR_READS,
            responses: DIALLER_READS,
        },
        early_frames: &[],
        anonymous: false,
    };
    (protocol, Handler::Request(Arc::new(Giving(queue))))
}

#[derive(Debug)]
struct Giving(mpsc::Sender<Asked>);

impl RequestHandler for Giving {
    fn handle(&self, request: InboundRequest) -> HandlerFuture<Result<Reply, Refusal>> {
        let queue = self.0.clone();
        Box::pin(async move {
            let Origin::Confirmed(peer) = request.origin else {
                return Err(Refusal::Refused);
            };
            let GetChunk { message, index } = decode(&request.body)?;
            let (reply, chunk) = oneshot::channel();
            let asked = Asked {
                peer,
                message,
                index,
                reply,
            };
            queue.try_send(asked).map_err(|_| Refusal::Busy)?;
            // The driver answers everything that it takes; without a driver the node is stopping.
            let chunk = chunk.await.map_err(|_| Refusal::Busy)?;
            let data = chunk.and_then(|chunk| Payload::try_from(chunk).ok());
            let data = data.ok_or(Refusal::Refused)?;
            Ok(Reply {
                kind: CHUNK,
                body: encode(&Chunk { data }),
            })
        })
    }
}

/// Asks a connected peer for a chunk, again and again while it has no time.
pub(super) async fn fetch(
    caller: &Caller,
    peer: PeerId,
    message: MessageId,
    index: u16,
) -> ChunkAnswer {
    let request = OutboundRequest {
        protocol: PROTOCOL,
        version: VERSION,
        kind: GET_CHUNK,
        body: encode(&GetChunk { message, index }),
        requests: ACCEPTOR_READS,
        responses: DIALLER_READS,
    };
    match until_it_has_time(|| caller.request(peer, &request, CHUNK_DEADLINE)).await {
        Ok(reply) => ChunkAnswer::Given(chunk_in(&reply.body)),
        Err(RequestError::Deadline) => ChunkAnswer::RanOut,
        Err(_) => ChunkAnswer::Refused,
    }
}

/// Asks until the answer is another one than that there is no time, or the time is up.
async fn until_it_has_time<T, F>(mut ask: impl FnMut() -> F) -> Result<T, RequestError>
where
    F: Future<Output = Result<T, RequestError>>,
{
    let answer = async {
        loop {
            match ask().await {
                Err(RequestError::Busy | RequestError::Refused(ErrorCode::Busy)) => {
                    tokio::time::sleep(AGAIN).await;
                }
                answer => return answer,
            }
        }
    };
    let in_time = tokio::time::timeout(CHUNK_DEADLINE, answer).await;
    in_time.unwrap_or(Err(RequestError::Deadline))
}

fn chunk_in(body: &Bytes) -> Bytes {
    let chunk = decode::<Chunk>(body);
    chunk.map_or_else(|_| Bytes::new(), |chunk| chunk.data.into_bytes())
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::transport::Path;

    fn request() -> InboundRequest {
        let question = GetChunk {
            message: [7; 32],
            index: 3,
        };
        InboundRequest {
            origin: Origin::Confirmed(PeerId::from_bytes([1; 32])),
            path: Path::direct("192.0.2.1:4000".parse().unwrap()),
            version: VERSION,
            kind: GET_CHUNK,
            body: encode(&question),
        }
    }

    /// Who asks beyond that is told so at once, and keeps nothing waiting.
    #[test]
    fn as_many_questions_wait_for_the_driver_as_may_be() {
        let (queue, mut asked) = mpsc::channel(QUEUE);
        let giving = Giving(queue);
        let mut context = Context::from_waker(Waker::noop());
        let mut answers: Vec<_> = (0..=QUEUE).map(|_| giving.handle(request())).collect();
        for (number, answer) in answers.iter_mut().enumerate() {
            let is_busy = match answer.as_mut().poll(&mut context) {
                Poll::Pending => false,
                Poll::Ready(answer) => matches!(answer, Err(Refusal::Busy)),
            };
            assert_eq!(is_busy, number == QUEUE, "{number}");
        }
        // One is taken: there is room for one more.
        let first = asked.try_recv().unwrap();
        assert_eq!((first.message, first.index), ([7; 32], 3));
        assert!(
            giving
                .handle(request())
                .as_mut()
                .poll(&mut context)
                .is_pending()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_no_time_is_asked_again_until_the_time_is_up_and_who_refuses_is_not() {
        let busy = || RequestError::Refused(ErrorCode::Busy);
        let late = Err(RequestError::Deadline);
        for (refusals, expected) in [(0, Ok(7)), (3, Ok(7)), (39, Ok(7)), (41, late)] {
            let mut asked = 0;
            let answer = until_it_has_time(|| {
                asked += 1;
                let answer = if asked > refusals { Ok(7) } else { Err(busy()) };
                std::future::ready(answer)
            });
            assert_eq!(answer.await, expected, "after {refusals}");
        }
        let mut asked = 0;
        let answer = until_it_has_time(|| {
            asked += 1;
            async { Err::<u8, _>(RequestError::Refused(ErrorCode::Refused)) }
        });
        assert_eq!(answer.await, Err(RequestError::Refused(ErrorCode::Refused)));
        assert_eq!(asked, 1);
    }

    #[test]
    fn an_answer_that_is_no_chunk_is_an_empty_one_and_none_that_fits() {
        let data = Payload::try_from(Bytes::from_static(b"chunk")).unwrap();
        assert_eq!(chunk_in(&encode(&Chunk { data })), "chunk");
        assert_eq!(chunk_in(&Bytes::new()), "");
        assert_eq!(chunk_in(&Bytes::from_static(&[0xff; 3])), "");
    }
}
