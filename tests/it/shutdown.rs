//! The end of a node: nothing is lost silently, and nothing stays behind.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use bytes::Bytes;
use cretoai_network::node::{P2PConfig, P2PNode, SpawnError};
use cretoai_network::p2p::{DialFailure, RegisterError, RequestError, SendError, SwarmEvent};
use cretoai_network::wire::ErrorCode;

use crate::support::nodes::{
    LATENCY, address, config, connected_pair, elapsed, in_virtual_time, ip, keypair, peer,
    quiet_net, spawn, until,
};

/// An application's protocol.
const NOTES: u32 = 0x40;

/// An application's protocol that nobody here speaks.
const UNSPOKEN: u32 = 0x7f;

/// As long as a node may take to stop: the queues, then the farewell.
const STOPS_WITHIN: Duration = Duration::from_secs(7);

#[test]
fn what_was_taken_before_a_shutdown_arrives() {
    in_virtual_time(async {
        let net = quiet_net(1);
        let (sender, receiver) = connected_pair(&net).await;
        let mut messages = receiver.messages(NOTES).unwrap();
        let sent: Vec<Bytes> = (0..500_u32)
            .map(|number| number.to_le_bytes().repeat(256).into())
            .collect();
        for message in &sent {
            sender.send(peer(2), NOTES, message.clone()).await.unwrap();
        }
        sender.shutdown().await;
        for message in &sent {
            assert_eq!(messages.next().await.unwrap().payload, message);
        }
    });
}

#[test]
fn what_could_not_be_sent_before_a_shutdown_is_told() {
    in_virtual_time(async {
        let net = quiet_net(2);
        let (sender, receiver) = connected_pair(&net).await;
        // Nobody reads: flow control stops the stream long before all is written.
        let _unread = receiver.messages(NOTES).unwrap();
        let mut events = sender.events();
        let body = Bytes::from(vec![7; 64 * 1024]);
        let flood = async {
            loop {
                sender.send(peer(2), NOTES, body.clone()).await.unwrap();
            }
        };
        let full = tokio::time::timeout(Duration::from_secs(2), flood).await;
        assert!(full.is_err());
        let (_, took) = elapsed(sender.shutdown()).await;
        assert!(took <= STOPS_WITHIN, "{took:?}");
        let mut unsent = 0;
        while let Some(event) = events.next().await {
            if let SwarmEvent::MessagesUnsent { messages, .. } = event.unwrap().what {
                unsent += messages;
            }
        }
        assert!(unsent > 0);
    });
}

#[test]
fn after_a_shutdown_events_and_messages_end_and_nothing_begins() {
    in_virtual_time(async {
        let net = quiet_net(3);
        let (node, other) = connected_pair(&net).await;
        let (mut events, mut messages) = (node.events(), node.messages(NOTES).unwrap());
        // A handler that owns its node: the cycle is broken.
        let own = node.clone();
        let answer = move |_, body| {
            let _own = own.clone();
            async move { Ok(body) }
        };
        node.handle(NOTES + 1, answer).unwrap();
        let clone = node.swarm().clone();
        node.shutdown().await;
        until(|| other.peers().is_empty()).await;
        assert_eq!(messages.next().await, None);
        while events.next().await.is_some() {}
        assert!(clone.events().next().await.is_none());
        assert_eq!(node.messages(NOTES).unwrap_err(), RegisterError::Stopped);
        assert_eq!(node.dial(&address(2)).await, Err(DialFailure::Stopped));
        let sent = node.send(peer(2), NOTES, "late").await;
        assert_eq!(sent, Err(SendError::NotConnected("late".into())));
        // Again is at once.
        assert!(elapsed(node.shutdown()).await.1.is_zero());
    });
}

#[test]
fn a_node_can_be_started_again_where_it_was_shut_down() {
    in_virtual_time(async {
        let net = quiet_net(4);
        let (node, other) = connected_pair(&net).await;
        let _clones = (node.clone(), node.swarm().clone());
        node.shutdown().await;
        let again = spawn(&net, 1);
        again.dial(&address(2)).await.unwrap();
        until(|| other.peers() == [peer(1)]).await;
    });
}

#[test]
fn an_attempt_that_arrives_during_a_shutdown_is_not_served() {
    in_virtual_time(async {
        let net = quiet_net(5);
        let (node, stranger) = (spawn(&net, 1), spawn(&net, 3));
        let late = async {
            tokio::time::sleep(LATENCY).await;
            stranger.dial(&address(1)).await
        };
        let (_, outcome) = tokio::join!(node.shutdown(), late);
        assert!(outcome.is_err());
    });
}

#[test]
fn a_handler_can_shut_its_own_node_down() {
    in_virtual_time(async {
        let net = quiet_net(6);
        let (asking, node) = connected_pair(&net).await;
        let swarm = node.swarm().clone();
        let stop = move |_, body| {
            let swarm = swarm.clone();
            async move {
                swarm.shutdown().await;
                Ok(body)
            }
        };
        node.handle(NOTES, stop).unwrap();
        let answer = asking.request(peer(2), NOTES, "stop").await;
        assert!(matches!(answer, Err(RequestError::Disconnected(_))));
        node.shutdown().await;
        drop(spawn(&net, 2));
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn port_and_identity_are_free_after_a_shutdown_although_clones_live() {
    let directory = tempfile::tempdir().unwrap();
    let config = |port| P2PConfig {
        listen_addresses: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into()],
        data_dir: Some(directory.path().to_owned()),
        ..P2PConfig::default()
    };
    let start = |number, port| {
        P2PNode::builder(keypair(number))
            .config(config(port))
            .spawn()
    };
    let (node, other) = (start(1, 0).unwrap(), start(2, 0).unwrap());
    other.dial(&node.listen_addresses()[0]).await.unwrap();
    let socket = node.listen_addresses()[0].socket_addr().unwrap();

    // The swarm alone keeps the identity: it runs on.
    let swarm = node.swarm().clone();
    drop(node);
    assert!(matches!(start(1, 0), Err(SpawnError::Lock(_))));
    swarm.shutdown().await;
    drop(UdpSocket::bind(socket).unwrap());
    let again = start(1, socket.port()).unwrap();
    assert_eq!(again.peer_id(), swarm.local_peer());
    again.shutdown().await;
    other.shutdown().await;
}

#[test]
fn what_is_registered_before_the_start_is_found_by_the_first_stream() {
    in_virtual_time(async {
        let net = quiet_net(7);
        let builder = P2PNode::builder(keypair(2))
            .config(config())
            .environment(net.host(ip(2)))
            .handle(NOTES + 1, |_, body| async move { Ok(body) });
        let (builder, mut messages) = builder.messages(NOTES);
        let (builder, mut events) = builder.events();
        let (_node, dialler) = (builder.spawn().unwrap(), spawn(&net, 1));
        dialler.dial(&address(2)).await.unwrap();
        let answer = dialler.request(peer(2), NOTES + 1, "first").await;
        assert_eq!(answer.unwrap(), "first");
        dialler.send(peer(2), NOTES, "first").await.unwrap();
        assert_eq!(messages.next().await.unwrap().payload, "first");
        let first = events.next().await.unwrap().unwrap().what;
        assert!(
            matches!(first, SwarmEvent::PeerConnected { .. }),
            "{first:?}"
        );
    });
}

#[test]
fn a_number_that_the_stack_uses_is_told_at_the_start() {
    in_virtual_time(async {
        let net = quiet_net(8);
        let builder = P2PNode::builder(keypair(1)).environment(net.host(ip(1)));
        let refused = builder.messages(2).0.spawn();
        assert!(matches!(
            refused,
            Err(SpawnError::Register(RegisterError::Reserved(2)))
        ));
    });
}

#[test]
fn a_protocol_that_the_peer_does_not_speak_is_asked_for_once() {
    in_virtual_time(async {
        let net = quiet_net(9);
        let (node, other) = connected_pair(&net).await;
        let refused = RequestError::Refused(ErrorCode::UnknownProtocol);
        assert_eq!(node.request(peer(2), UNSPOKEN, "").await, Err(refused));
        let header = cretoai_network::wire::StreamHeader {
            protocol: UNSPOKEN,
            version: 1,
        };
        let swarm = node.swarm();
        assert_eq!(swarm.open_raw(peer(2), header).await.unwrap_err(), refused);
        let ordered = swarm.open_ordered(peer(2), header).await;
        assert_eq!(ordered.unwrap_err(), refused);
        node.ping(peer(2)).await.unwrap();
        assert_eq!(other.reputation(&peer(1)), 0);
    });
}

#[test]
fn a_request_waits_as_long_as_it_says() {
    in_virtual_time(async {
        let net = quiet_net(10);
        let (node, other) = connected_pair(&net).await;
        let never = |_, _| std::future::pending();
        other.handle(NOTES, never).unwrap();
        let deadline = Duration::from_millis(300);
        let request = node.request_within(peer(2), NOTES, "", deadline);
        let (answer, took) = elapsed(request).await;
        assert_eq!(answer, Err(RequestError::Deadline));
        assert_eq!(took, deadline);
    });
}
