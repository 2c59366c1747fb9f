//! Attack 15 over QUIC: members of a mesh that do not read what they are sent, or hardly.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use cretoai_network::gossip::TopicHash;
use cretoai_network::node::P2PNode;
use cretoai_network::services::gossip::{GossipEvent, SubscribeOptions, Subscription};
use cretoai_network::wire::codec::List;
use cretoai_network::wire::message::gossip::{self as wire, Subscribe, Topics};
use quinn::{Connection, SendStream};
use tokio::time::{Instant, sleep};

use super::support::{HEADER, TOPIC, frame, gossiping, next, subscribe_all};
use crate::support::attacker::Attacker;
use crate::support::nodes::{PORT, address, in_virtual_time, ip, peer, quiet_net, spawn_with};

const ATTACKER: u16 = 66;

/// What the attacker takes of a stream that it does not read.
const WINDOW: u32 = 64 << 10;

/// A message each 60 ms, when the one before has arrived: 260 KB/s, so that the window is full within a second.
const MESSAGE_BYTES: usize = 16_000;
const BETWEEN: Duration = Duration::from_millis(10);

#[test]
fn attack_15_a_member_that_reads_nothing_is_out_within_five_seconds_and_nobody_else_is_slower() {
    in_virtual_time(async {
        let out_after = flood(|_| async {}).await;
        println!("out of the mesh {out_after:?} after the first message");
        assert!(out_after <= Duration::from_secs(5), "{out_after:?}");
    });
}

/// Four kilobytes a second: a batch takes longer than a reader has, and it is one that reads nothing.
#[test]
fn attack_15_a_member_that_reads_a_trickle_is_out_and_nobody_else_is_slower() {
    in_virtual_time(async {
        let out_after = flood(|connection: Connection| async move {
            let Ok(mut stream) = connection.accept_uni().await else {
                return;
            };
            let mut some = [0; 4_096];
            while stream.read_exact(&mut some).await.is_ok() {
                sleep(Duration::from_secs(1)).await;
            }
        })
        .await;
        println!("out of the mesh {out_after:?} after the first message");
        assert!(out_after <= Duration::from_secs(5), "{out_after:?}");
    });
}

/// Node 2 publishes through node 1, of which the attacker is a neighbour and `reads`, to node 3. How long after the
/// first message node 1 has the attacker in its mesh; every message is with node 3 in time.
async fn flood<F: Future<Output = ()> + Send + 'static>(
    reads: impl FnOnce(Connection) -> F,
) -> Duration {
    let net = quiet_net(84);
    let nodes = [1, 2, 3].map(|number| spawn_with(&net, number, gossiping()));
    for node in &nodes[1..] {
        node.dial(&address(1)).await.unwrap();
    }
    let mut subscriptions = subscribe_all(&nodes, &SubscribeOptions::default()).await;
    let attacker = Attacker::with_window(&net, ATTACKER, WINDOW);
    let (connection, _stream) = join_mesh(&attacker).await;
    while !has_in_mesh(&nodes[0]).await {
        sleep(Duration::from_millis(100)).await;
    }
    let mut events = nodes[0].gossip().events().unwrap();
    let reading = tokio::spawn(reads(connection));
    let began = Instant::now();
    while has_in_mesh(&nodes[0]).await {
        assert!(began.elapsed() < Duration::from_secs(60), "it stays");
        pass_on(&nodes[1], &mut subscriptions[2]).await;
        sleep(BETWEEN).await;
    }
    let out_after = began.elapsed();
    reading.abort();
    let mut told = Vec::new();
    while told.last() != Some(&GossipEvent::SlowReader(peer(ATTACKER))) {
        told.push(events.next().await.unwrap().unwrap());
    }
    let stalls = GossipEvent::Stalls(peer(ATTACKER));
    assert_eq!(
        told.iter().filter(|event| **event == stalls).count(),
        1,
        "{told:?}"
    );
    out_after
}

/// The attacker subscribes and grafts itself.
async fn join_mesh(attacker: &Attacker) -> (Connection, SendStream) {
    let connection = attacker.dial(SocketAddr::new(ip(1), PORT)).await.unwrap();
    let mut stream = connection.open_uni().await.unwrap();
    let subscribe = Subscribe {
        topics: List::truncated([*TopicHash::of(TOPIC).as_bytes()]),
    };
    let topics = List::truncated([0]);
    let said = [
        &HEADER[..],
        &frame(wire::SUBSCRIBE, &subscribe),
        &frame(wire::GRAFT, &Topics { topics }),
    ];
    stream.write_all(&said.concat()).await.unwrap();
    (connection, stream)
}

async fn has_in_mesh(node: &P2PNode) -> bool {
    let neighbours = node.gossip().neighbours(TOPIC).await.unwrap();
    let attacker = peer(ATTACKER);
    neighbours
        .iter()
        .any(|one| one.peer == attacker && one.in_mesh)
}

/// A message of the publisher is with the subscriber after the two hops of 25 ms, or after an audit of 300 ms: the
/// subscriber hears of messages from node 1 alone.
async fn pass_on(publisher: &P2PNode, subscriber: &mut Subscription) {
    let began = Instant::now();
    let data = Bytes::from(vec![7; MESSAGE_BYTES]);
    publisher.gossip().publish(TOPIC, data).await.unwrap();
    next(subscriber).await;
    let span = began.elapsed();
    assert!(span < Duration::from_millis(450), "{span:?}");
}
