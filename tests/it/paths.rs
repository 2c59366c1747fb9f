//! A connection whose packets change their way below QUIC.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cretoai_network::node::{Messages, P2PNode};
use cretoai_network::p2p::{EventStream, SwarmEvent};
use cretoai_network::sim::{LinkProfile, Net, Verdict};
use cretoai_network::transport::{Connection, Path, PathId};
use tokio::time::{sleep, timeout};

use crate::support::nodes::{
    LATENCY, PORT, connected_pair, in_virtual_time, ip, net_with, peer, until,
};

/// An application's protocol.
const BULK: u32 = 0x40;

/// Port of the second socket on both hosts.
const SECOND_PORT: u16 = PORT + 1;

const MESSAGE: usize = 16 * 1024;
const MESSAGES: usize = 1024;

/// At 100 Mbit/s the transfer takes 1.3 s, so that all switches fall into it.
fn network() -> Net {
    let profile = LinkProfile {
        rate_bits_per_s: Some(100_000_000),
        ..LinkProfile::with_latency(LATENCY)
    };
    net_with(1, profile)
}

fn message(number: usize) -> Vec<u8> {
    let mut bytes = vec![0; MESSAGE];
    let mut output = blake3::Hasher::new()
        .update(&number.to_le_bytes())
        .finalize_xof();
    output.fill(&mut bytes);
    bytes
}

/// Gives a node's connection a path from its second socket to the peer's.
fn second_path(node: &P2PNode, own: u16, other: u16) -> (Connection, PathId) {
    let connection = node.swarm().connection(&peer(other)).unwrap();
    let transport = &node.swarm().transports()[0];
    let socket = transport
        .attach_socket(SocketAddr::new(ip(own), SECOND_PORT))
        .unwrap();
    let real = SocketAddr::new(ip(other), SECOND_PORT);
    let path = connection.add_path(socket, real).unwrap();
    (connection, path)
}

/// Counts the datagrams that leave second sockets.
fn count_second(net: &Net) -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    net.set_tap(move |datagram| {
        if datagram.from.port() == SECOND_PORT {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        Verdict::Pass
    });
    count
}

async fn receive_all(mut messages: Messages) {
    for number in 0..MESSAGES {
        let received = messages.next().await.unwrap();
        assert!(received.payload == message(number), "message {number}");
    }
}

fn path_changes(events: &mut EventStream) -> usize {
    let events = std::iter::from_fn(|| events.try_next()).map(Result::unwrap);
    events
        .filter(|event| matches!(event.what, SwarmEvent::PathChanged { .. }))
        .count()
}

#[test]
fn a_connection_moves_to_another_socket_and_back_during_a_transfer() {
    in_virtual_time(async {
        let net = network();
        let (dialler, acceptor) = connected_pair(&net).await;
        let (mut here, mut there) = (dialler.events(), acceptor.events());
        let received = tokio::spawn(receive_all(acceptor.messages(BULK).unwrap()));
        let sender = dialler.clone();
        let sent = tokio::spawn(async move {
            for number in 0..MESSAGES {
                sender.send(peer(2), BULK, message(number)).await.unwrap();
            }
        });
        let second = count_second(&net);
        let ends = [second_path(&dialler, 1, 2), second_path(&acceptor, 2, 1)];
        let before = ends.each_ref().map(|(connection, _)| connection.path());

        for use_second in [true, false] {
            sleep(Duration::from_millis(200)).await;
            for (connection, path) in &ends {
                let (first, _) = connection.paths().1[0];
                let next = if use_second { *path } else { first };
                connection.switch_path(next).unwrap();
                // The other end follows a little later.
                sleep(Duration::from_millis(20)).await;
            }
            let now = ends.each_ref().map(|(connection, _)| connection.path());
            for (was, is) in before.iter().zip(&now) {
                assert_eq!(was != is, use_second);
            }
            let ports = now.map(|path| match path {
                Path::Direct { addr, .. } => addr.port(),
                Path::Relayed { .. } => 0,
            });
            let expected = if use_second { SECOND_PORT } else { PORT };
            assert_eq!(ports, [expected; 2]);
        }

        assert!(
            !received.is_finished(),
            "the switches fell into the transfer"
        );
        sent.await.unwrap();
        received.await.unwrap();
        assert!(
            second.load(Ordering::Relaxed) > 100,
            "the second sockets carried the transfer"
        );
        // There and back, on the one connection that there is.
        assert_eq!([path_changes(&mut here), path_changes(&mut there)], [2, 2]);
        for (connection, _) in &ends {
            assert_eq!(connection.close_reason(), None);
        }
    });
}

#[test]
fn a_dialler_that_changes_its_address_is_told_where_it_is_seen() {
    in_virtual_time(async {
        let net = network();
        let (dialler, acceptor) = connected_pair(&net).await;
        let (mut here, mut there) = (dialler.events(), acceptor.events());
        let moved = SocketAddr::new(ip(1), SECOND_PORT);
        dialler.swarm().transports()[0].rebind(moved).unwrap();
        dialler.ping(peer(2)).await.unwrap();
        let seen = || match acceptor.swarm().connection(&peer(1)).unwrap().path() {
            Path::Direct { addr, .. } => addr,
            Path::Relayed { .. } => unreachable!("there is no relay"),
        };
        until(|| seen() == moved).await;
        // The first one is part of the introduction and names the old address.
        let was_told = async {
            loop {
                let event = here.next().await.unwrap().unwrap();
                if let SwarmEvent::ObservedAddress { address, .. } = event.what
                    && address == moved.into()
                {
                    return;
                }
            }
        };
        timeout(Duration::from_secs(2), was_told)
            .await
            .expect("told within two seconds");
        assert_eq!(path_changes(&mut there), 1);
    });
}
