//! Requests on an open connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use cretoai_network::node::{P2PConfig, P2PNode};
use cretoai_network::p2p::{Refusal, RequestError};
use cretoai_network::sim::Net;
use cretoai_network::wire::ErrorCode;

use crate::support::nodes::{
    ROUND_TRIP, TICKS, address, assert_round_trips, config, connected_pair, elapsed,
    in_virtual_time, ip, peer, quiet_net, spawn, spawn_with,
};

/// An application's protocol.
const ECHO: u32 = 0x40;

fn answer_with_echo(node: &P2PNode) {
    node.handle(ECHO, |_, body| async move { Ok(body) })
        .unwrap();
}

#[test]
fn a_request_on_an_open_connection_takes_one_round_trip() {
    in_virtual_time(async {
        let net = quiet_net(1);
        let (dialler, acceptor) = connected_pair(&net).await;
        answer_with_echo(&dialler);
        answer_with_echo(&acceptor);
        for size in [0, 64, 1024, 8192] {
            // Two bursts of 8 KB within a round trip would be paced.
            tokio::time::sleep(ROUND_TRIP).await;
            let body = Bytes::from(vec![7; size]);
            let (reply, took) = elapsed(dialler.request(peer(2), ECHO, body.clone())).await;
            assert_eq!(reply.unwrap(), body);
            assert_round_trips(took, 1);
            tokio::time::sleep(ROUND_TRIP).await;
            let (reply, took) = elapsed(acceptor.request(peer(1), ECHO, body.clone())).await;
            assert_eq!(reply.unwrap(), body);
            assert_round_trips(took, 1);
        }
    });
}

#[test]
fn a_hundred_requests_at_once_take_one_round_trip() {
    in_virtual_time(async {
        let net = quiet_net(2);
        let (dialler, acceptor) = connected_pair(&net).await;
        // The handler answers at once, so no request finds the node busy.
        answer_with_echo(&acceptor);
        let ask = |number: u8| {
            let dialler = dialler.clone();
            tokio::spawn(async move { dialler.request(peer(2), ECHO, vec![number]).await })
        };
        let (replies, took) = elapsed(async {
            let mut replies = Vec::new();
            for task in (0..100).map(ask).collect::<Vec<_>>() {
                replies.push(task.await.unwrap().unwrap());
            }
            replies
        })
        .await;
        assert_round_trips(took, 1);
        let expected: Vec<Bytes> = (0..100).map(|number| vec![number].into()).collect();
        assert_eq!(replies, expected);
    });
}

#[test]
fn a_request_to_a_peer_that_is_not_connected_fails_at_once() {
    in_virtual_time(async {
        let net = quiet_net(3);
        let node = spawn(&net, 1);
        let (reply, took) = elapsed(node.request(peer(2), ECHO, Bytes::new())).await;
        assert_eq!(reply, Err(RequestError::NotConnected));
        assert_eq!(took, Duration::ZERO);
    });
}

#[test]
fn an_unknown_protocol_is_refused_after_one_round_trip() {
    in_virtual_time(async {
        let net = quiet_net(4);
        let (dialler, acceptor) = connected_pair(&net).await;
        let (reply, took) = elapsed(dialler.request(peer(2), 0x77, Bytes::new())).await;
        assert_eq!(
            reply,
            Err(RequestError::Refused(ErrorCode::UnknownProtocol))
        );
        assert_round_trips(took, 1);
        assert_eq!(acceptor.swarm().reputation(&peer(1)), 0);
    });
}

#[test]
fn what_a_handler_refuses_is_refused_with_its_code() {
    in_virtual_time(async {
        let net = quiet_net(5);
        let (dialler, acceptor) = connected_pair(&net).await;
        let codes = [
            (Refusal::Busy, ErrorCode::Busy),
            (Refusal::Refused, ErrorCode::Refused),
            (Refusal::Unsupported, ErrorCode::Unsupported),
        ];
        for (index, (refusal, code)) in codes.into_iter().enumerate() {
            let protocol = ECHO + u32::try_from(index).unwrap();
            acceptor
                .handle(protocol, move |_, _| async move { Err(refusal) })
                .unwrap();
            let reply = dialler.request(peer(2), protocol, Bytes::new()).await;
            assert_eq!(reply, Err(RequestError::Refused(code)));
        }
    });
}

#[test]
fn a_handler_that_never_answers_costs_the_deadline_and_nothing_else() {
    in_virtual_time(async {
        let net = quiet_net(6);
        let patience = P2PConfig {
            request_timeout: Duration::from_secs(2),
            ..config()
        };
        let dialler = spawn_with(&net, 1, patience);
        let acceptor = spawn(&net, 2);
        dialler.dial(&address(2)).await.unwrap();
        acceptor
            .handle(ECHO, |_, _| std::future::pending())
            .unwrap();
        let (reply, took) = elapsed(dialler.request(peer(2), ECHO, Bytes::new())).await;
        assert_eq!(reply, Err(RequestError::Deadline));
        assert!(took >= Duration::from_secs(2) && took <= Duration::from_secs(2) + TICKS);
        dialler.ping(peer(2)).await.unwrap();
    });
}

/// Nodes in a ring, each connected with its neighbours.
async fn ring(net: &Net, nodes: u16) -> Vec<P2PNode> {
    let nodes: Vec<P2PNode> = (0..nodes).map(|number| spawn(net, number)).collect();
    for (number, node) in nodes.iter().enumerate() {
        answer_with_echo(node);
        let next = u16::try_from((number + 1) % nodes.len()).unwrap();
        node.dial(&address(next)).await.unwrap();
    }
    nodes
}

#[test]
fn a_hundred_nodes_in_one_process_ask_their_neighbours() {
    in_virtual_time(async {
        const NODES: u16 = 100;
        let net = quiet_net(7);
        let nodes = ring(&net, NODES).await;
        tokio::time::sleep(ROUND_TRIP).await;
        let answered = Arc::new(AtomicU32::new(0));
        let (_, took) = elapsed(async {
            let mut tasks = Vec::new();
            for (number, node) in (0..NODES).zip(&nodes) {
                for neighbour in [(number + 1) % NODES, (number + NODES - 1) % NODES] {
                    let (node, answered) = (node.clone(), answered.clone());
                    tasks.push(tokio::spawn(async move {
                        let body = Bytes::from(vec![1; 100]);
                        let reply = node.request(peer(neighbour), ECHO, body.clone()).await;
                        assert_eq!(reply.unwrap(), body);
                        answered.fetch_add(1, Ordering::Relaxed);
                    }));
                }
            }
            for task in tasks {
                task.await.unwrap();
            }
        })
        .await;
        assert_eq!(answered.load(Ordering::Relaxed), u32::from(NODES) * 2);
        assert_round_trips(took, 1);
        for (number, node) in (0..NODES).zip(&nodes) {
            assert_eq!(node.peers().len(), 2, "node {number}");
        }
        assert!(net.counters(ip(0), ip(50)).sent.datagrams == 0);
    });
}
