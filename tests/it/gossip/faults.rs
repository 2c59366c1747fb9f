//! Peers that break the rules, over QUIC: bytes of their own making after an honest handshake.

use std::net::SocketAddr;
use std::time::Duration;

use cretoai_network::crypto::{AwsLc, ContentDigest, LeafInput, SealBody};
use cretoai_network::gossip::TopicHash;
use cretoai_network::node::P2PNode;
use cretoai_network::services::gossip::{GossipError, GossipEvent, SubscribeOptions, Subscription};
use cretoai_network::sim::Net;
use cretoai_network::wire::codec::{List, Payload};
use cretoai_network::wire::message::gossip::{self as wire, MAX_TOPICS};
use cretoai_network::wire::{ErrorCode, NetworkId};
use quinn::Connection;
use tokio::time::{sleep, timeout};

use super::support::{HEADER, PATIENCE, TOPIC, frame, gossiping, is_silent, next};
use crate::support::attacker::{Attacker, closed_with, tell};
use crate::support::nodes::{PORT, in_virtual_time, ip, keypair, peer, quiet_net, spawn_with};

const ATTACKER: u16 = 66;

/// A message of the attacker under a seal, true or with one bit of its signature changed.
fn message(timestamp_ms: u64, is_forged: bool) -> Vec<u8> {
    let keypair = keypair(ATTACKER);
    let verifying = keypair.public_key().verifying_key();
    let suite = verifying.suite().byte();
    let key = *verifying.as_bytes();
    let key = frame(wire::KEY, &wire::Key { suite, key });
    let data = b"said by hand";
    [key, sealed(0, data, timestamp_ms, is_forged)].concat()
}

/// A message under the first counter of the attacker, and its seal, which has this number on the stream.
fn sealed(seal: u64, data: &'static [u8], timestamp_ms: u64, is_forged: bool) -> Vec<u8> {
    let key = keypair(ATTACKER);
    let network = NetworkId::of(&gossiping().network);
    let (network, topic) = (network.as_bytes(), TopicHash::of(TOPIC));
    let verifying = key.public_key().verifying_key();
    let (epoch, counter) = (1, 0);
    let leaf = LeafInput {
        network,
        topic: topic.as_bytes(),
        publisher: verifying.hash(),
        epoch,
        counter,
        timestamp_ms,
        content: ContentDigest::of(data),
    };
    let leaves = vec![leaf.leaf().0];
    let body = SealBody::new(
        verifying.suite(),
        verifying.hash(),
        *topic.as_bytes(),
        epoch,
        counter,
        leaves.clone(),
    );
    let input = body.unwrap().input(network);
    let mut signature = *key.sign(input.as_bytes()).unwrap().as_bytes();
    signature[9] ^= u8::from(is_forged);
    let listed = wire::Seal {
        key: 0,
        topic: *topic.as_bytes(),
        epoch,
        first: counter,
        leaves: List::truncated(leaves),
        signature,
    };
    let said = wire::Message {
        seal,
        index: 0,
        timestamp_ms,
        data: Payload::try_from(bytes::Bytes::from_static(data)).unwrap(),
    };
    [frame(wire::SEAL, &listed), frame(wire::MESSAGE, &said)].concat()
}

/// A SUBSCRIBE to the topic of these tests.
fn subscription() -> Vec<u8> {
    let topics = List::truncated([*TopicHash::of(TOPIC).as_bytes()]);
    frame(wire::SUBSCRIBE, &wire::Subscribe { topics })
}

struct Scene {
    node: P2PNode,
    subscription: Subscription,
    connection: Connection,
    _attacker: Attacker,
}

/// A node that subscribes to a topic, and an attacker that is connected with it.
async fn scene(net: &Net) -> Scene {
    let node = spawn_with(net, 1, gossiping());
    let options = SubscribeOptions::default();
    let subscription = node.gossip().subscribe(TOPIC, options).await.unwrap();
    let attacker = Attacker::new(net, ATTACKER);
    let connection = attacker.dial(SocketAddr::new(ip(1), PORT)).await.unwrap();
    Scene {
        node,
        subscription,
        connection,
        _attacker: attacker,
    }
}

/// The wall clock of all hosts.
fn now_ms(net: &Net) -> u64 {
    net.host(ip(99)).clock.now().wall.0
}

#[test]
fn what_these_tests_say_by_hand_is_accepted_if_it_is_true() {
    in_virtual_time(async {
        let net = quiet_net(71);
        let mut scene = scene(&net).await;
        let said = message(now_ms(&net), false);
        let mut stream = scene.connection.open_uni().await.unwrap();
        stream
            .write_all(&[&HEADER[..], &said].concat())
            .await
            .unwrap();
        let message = next(&mut scene.subscription).await;
        assert_eq!(message.data, "said by hand");
        assert_eq!(message.source.unwrap().publisher, peer(ATTACKER));
        assert_eq!(scene.node.reputation(&peer(ATTACKER)), 0);
    });
}

#[test]
fn attack_9_the_first_invalid_signature_closes_the_connection_and_bans() {
    in_virtual_time(async {
        let net = quiet_net(72);
        let scene = scene(&net).await;
        let said = message(now_ms(&net), true);
        let mut stream = scene.connection.open_uni().await.unwrap();
        stream
            .write_all(&[&HEADER[..], &said].concat())
            .await
            .unwrap();
        assert_eq!(closed_with(&scene.connection).await, ErrorCode::Banned);
        assert_eq!(scene.node.reputation(&peer(ATTACKER)), -100);
    });
}

#[test]
fn a_frame_that_names_nothing_ends_the_stream_and_costs_ten_points() {
    in_virtual_time(async {
        let net = quiet_net(73);
        let scene = scene(&net).await;
        let ids = List::truncated([[7; 32]]);
        let ihave = frame(wire::IHAVE, &wire::IHave { topic: 5, ids });
        let said = [&HEADER[..], &subscription(), &ihave].concat();
        let code = tell(&scene.connection, &said).await;
        assert_eq!(code, ErrorCode::Malformed);
        assert_eq!(scene.node.reputation(&peer(ATTACKER)), -10);
        // The pair of streams is over, and with it the subscription.
        sleep(Duration::from_secs(1)).await;
        assert_eq!(scene.node.gossip().neighbours(TOPIC).await.unwrap(), []);
    });
}

#[test]
fn bytes_after_the_end_of_a_frame_are_answered_with_their_own_code() {
    in_virtual_time(async {
        let net = quiet_net(92);
        let scene = scene(&net).await;
        let mut subscribe = subscription();
        // Its length, which takes one byte, and one byte more.
        subscribe[0] += 1;
        subscribe.push(0);
        let said = [&HEADER[..], &subscribe].concat();
        let code = tell(&scene.connection, &said).await;
        assert_eq!(code, ErrorCode::TrailingBytes);
        assert_eq!(scene.node.reputation(&peer(ATTACKER)), -10);
    });
}

/// The program gets the evidence, and who passed the messages on is not to blame.
#[test]
fn a_publisher_that_says_two_things_under_one_counter_is_told_of_with_both_seals() {
    in_virtual_time(async {
        let net = quiet_net(76);
        let mut scene = scene(&net).await;
        let mut events = scene.node.gossip().events().unwrap();
        let said = [
            &HEADER[..],
            &message(now_ms(&net), false),
            &sealed(1, b"and something else", now_ms(&net), false),
        ];
        let mut stream = scene.connection.open_uni().await.unwrap();
        stream.write_all(&said.concat()).await.unwrap();
        assert_eq!(next(&mut scene.subscription).await.data, "said by hand");
        let told = timeout(PATIENCE, events.next()).await.unwrap();
        let Some(Ok(GossipEvent::Equivocation { publisher, seals })) = told else {
            panic!("{told:?}");
        };
        assert_eq!(publisher, peer(ATTACKER));
        let network = NetworkId::of(&gossiping().network);
        for seal in &seals {
            let verified = seal.seal().verify(&AwsLc, network.as_bytes(), seal.key());
            assert!(verified.is_ok());
            assert_eq!(seal.body().first_counter(), 0);
        }
        assert_ne!(seals[0].body().leaves(), seals[1].body().leaves());
        assert!(is_silent(&mut scene.subscription).await);
        assert_eq!(scene.node.reputation(&peer(ATTACKER)), 0);
    });
}

#[test]
fn attack_8_who_subscribes_to_one_topic_too_many_is_disconnected() {
    in_virtual_time(async {
        let net = quiet_net(77);
        let scene = scene(&net).await;
        let hashes = (0..=MAX_TOPICS).map(|number| *TopicHash::of(&number.to_string()).as_bytes());
        let hashes: Vec<_> = hashes.collect();
        let subscribe = |hashes: &[[u8; 32]]| {
            let topics = List::truncated(hashes.iter().copied());
            frame(wire::SUBSCRIBE, &wire::Subscribe { topics })
        };
        let (last, as_many_as_may_be) = hashes.split_last().unwrap();
        let mut stream = scene.connection.open_uni().await.unwrap();
        let said = [&HEADER[..], &subscribe(as_many_as_may_be)].concat();
        stream.write_all(&said).await.unwrap();
        sleep(Duration::from_secs(1)).await;
        assert_eq!(scene.node.reputation(&peer(ATTACKER)), 0);
        stream.write_all(&subscribe(&[*last])).await.unwrap();
        assert_eq!(closed_with(&scene.connection).await, ErrorCode::Misbehaved);
        assert_eq!(scene.node.reputation(&peer(ATTACKER)), -50);
    });
}

#[test]
fn a_second_stream_of_gossip_on_one_connection_is_illegal() {
    in_virtual_time(async {
        let net = quiet_net(74);
        let scene = scene(&net).await;
        let topics = List::truncated([*TopicHash::of(TOPIC).as_bytes()]);
        let subscribe = frame(wire::SUBSCRIBE, &wire::Subscribe { topics });
        let mut first = scene.connection.open_uni().await.unwrap();
        first
            .write_all(&[&HEADER[..], &subscribe].concat())
            .await
            .unwrap();
        sleep(Duration::from_secs(1)).await;
        let known = scene.node.gossip().neighbours(TOPIC).await.unwrap();
        assert_eq!(known[0].peer, peer(ATTACKER));
        let code = tell(&scene.connection, &HEADER).await;
        assert_eq!(code, ErrorCode::IllegalFrame);
    });
}

#[test]
fn a_node_takes_part_in_as_many_topics_as_its_neighbours_allow() {
    in_virtual_time(async {
        let net = quiet_net(75);
        let node = spawn_with(&net, 1, gossiping());
        let mut subscriptions = Vec::new();
        for number in 0..MAX_TOPICS {
            let topic = format!("topic {number}");
            let options = SubscribeOptions::default();
            subscriptions.push(node.gossip().subscribe(&topic, options).await.unwrap());
        }
        let subscribe = |topic: &'static str| {
            let gossip = node.gossip().clone();
            async move { gossip.subscribe(topic, SubscribeOptions::default()).await }
        };
        let refused = subscribe("one more").await.unwrap_err();
        assert_eq!(refused, GossipError::TooManyTopics);
        assert!(
            subscribe("topic 0").await.is_ok(),
            "it takes part in it already"
        );
        drop(subscriptions.pop());
        sleep(Duration::from_secs(1)).await;
        assert!(subscribe("one more").await.is_ok());
    });
}
