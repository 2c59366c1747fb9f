//! Applications that ask for too much, answer too much, or fail: none of it is seen as a fault of
//! their node.

use std::time::Duration;

use bytes::Bytes;
use cretoai_network::node::P2PNode;
use cretoai_network::p2p::{Refusal, RequestError, SwarmEvent};
use cretoai_network::wire::ErrorCode;
use cretoai_network::wire::message::request::MAX_BODY;
use tokio::time::sleep;

use crate::support::nodes::{connected_pair, in_virtual_time, peer, quiet_net};

/// An application's protocol.
const PROTOCOL: u32 = 0x40;

const LIMIT: usize = MAX_BODY as usize;

/// What a request gets from a node whose handler is `answer`, and what it costs that node.
fn asked<F, R>(seed: u64, answer: F) -> Result<usize, RequestError>
where
    F: Fn(Bytes) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Bytes, Refusal>> + Send + 'static,
{
    in_virtual_time(async {
        let net = quiet_net(seed);
        let (asking, answering) = connected_pair(&net).await;
        answering
            .handle(PROTOCOL, move |_, body| answer(body))
            .unwrap();
        let reply = asking.request(peer(2), PROTOCOL, vec![7; 8]).await;
        assert_eq!(asking.swarm().reputation(&peer(2)), 0);
        assert_serves(&asking).await;
        reply.map(|body| body.len())
    })
}

/// The connection works as before, both ways.
async fn assert_serves(asking: &P2PNode) {
    asking.ping(peer(2)).await.unwrap();
}

#[test]
fn a_request_beyond_the_limit_is_the_callers_error_and_is_not_sent() {
    in_virtual_time(async {
        let net = quiet_net(1);
        let (asking, answering) = connected_pair(&net).await;
        let mut events = answering.events();
        let length = |_, body: Bytes| async move { Ok(body.len().to_string().into()) };
        answering.handle(PROTOCOL, length).unwrap();
        for length in [LIMIT - 1, LIMIT] {
            let reply = asking.request(peer(2), PROTOCOL, vec![7; length]).await;
            assert_eq!(reply, Ok(length.to_string().into()));
        }
        let length = LIMIT + 1;
        let reply = asking.request(peer(2), PROTOCOL, vec![7; length]).await;
        let limit = MAX_BODY;
        assert_eq!(reply, Err(RequestError::TooLarge { length, limit }));
        asking.ping(peer(2)).await.unwrap();
        while let Some(event) = events.try_next() {
            let event = event.unwrap().what;
            let is_fault = matches!(event, SwarmEvent::FaultRecorded { .. });
            assert!(!is_fault, "{event:?}");
        }
    });
}

#[test]
fn an_answer_one_byte_below_the_limit_is_sent() {
    let answer = |_| async { Ok(vec![7; LIMIT - 1].into()) };
    assert_eq!(asked(2, answer), Ok(LIMIT - 1));
}

#[test]
fn an_answer_at_the_limit_is_sent() {
    let answer = |_| async { Ok(vec![7; LIMIT].into()) };
    assert_eq!(asked(3, answer), Ok(LIMIT));
}

#[test]
fn an_answer_one_byte_above_the_limit_is_reset_and_no_fault() {
    let answer = |_| async { Ok(vec![7; LIMIT + 1].into()) };
    let internal = Err(RequestError::Refused(ErrorCode::Internal));
    assert_eq!(asked(4, answer), internal);
}

#[test]
fn a_handler_that_panics_at_once_resets_its_stream_and_nothing_else() {
    let answer = |_| async { panic!("a fault of the application") };
    let internal = Err(RequestError::Refused(ErrorCode::Internal));
    assert_eq!(asked(5, answer), internal);
}

#[test]
fn a_handler_that_panics_before_its_future_resets_its_stream_and_nothing_else() {
    let answer = |body: Bytes| {
        assert!(body.is_empty(), "a fault of the application");
        async { Ok(Bytes::new()) }
    };
    let internal = Err(RequestError::Refused(ErrorCode::Internal));
    assert_eq!(asked(6, answer), internal);
}

#[test]
fn a_handler_that_panics_after_it_waited_resets_its_stream_and_nothing_else() {
    let answer = |_| async {
        sleep(Duration::from_millis(1)).await;
        panic!("a fault of the application")
    };
    let internal = Err(RequestError::Refused(ErrorCode::Internal));
    assert_eq!(asked(7, answer), internal);
}
