//! A driver that is late: events of the swarm and what streams bring wait for it by different ways.

// Clippy takes only `cfg(test)` alone for test code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use bytes::BytesMut;
use tokio::time::timeout;

use super::super::setup::{Setup, prepare};
use super::super::{GossipProtocol, Received, chunks, events, inbound};
use super::*;
use crate::crypto::{ContentDigest, LeafInput, SIGNATURE_BYTES};
use crate::gossip::{GossipConfig, ScoreConfig, Setup as MachineSetup};
use crate::p2p::tests::{
    address, in_virtual_time, ip, keypair, peer, quiet_net, settle, start_with,
};
use crate::p2p::{Services, Setup as SwarmSetup, StackProtocols, Swarm, SwarmEvent};
use crate::sim::Net;
use crate::wire::StreamHeader;
use crate::wire::codec::{List, Payload, encode};
use crate::wire::frame::encode_frame;
use crate::wire::message::VERSION;
use crate::wire::message::gossip::{self as wire, GRAFT, PROTOCOL, Topics};

const TOPIC: &str = "news";

const HEADER: StreamHeader = StreamHeader {
    protocol: PROTOCOL,
    version: VERSION,
};

/// A little more than it takes to forget who left.
const SETTLED: Duration = Duration::from_millis(1_100);

/// What it says. Each has a seal of its own.
const SAID: usize = 20;

/// Who says something and leaves.
const PUBLISHER: u8 = 1;

/// Whose driver is late.
const LATE: u8 = 2;

#[test]
fn what_a_peer_said_before_it_left_is_heard_after_the_news_that_it_left() {
    hears(
        Leaves::Swarm,
        |step| matches!(step, Step::Inbound(inbound) if !is_opened(inbound)),
    );
}

#[test]
fn what_a_peer_said_before_it_left_is_heard_when_its_stream_comes_after_the_news_that_it_left() {
    hears(Leaves::Swarm, |step| matches!(step, Step::Inbound(_)));
}

#[test]
fn what_a_peer_said_before_it_left_is_heard_when_ours_to_it_has_ended() {
    hears(Leaves::Swarm, |step| match step {
        Step::Inbound(inbound) => !is_opened(inbound),
        Step::Swarm(Ok(event)) => matches!(event.what, SwarmEvent::PeerDisconnected { .. }),
        _ => false,
    });
}

#[test]
fn what_a_peer_said_before_it_left_gossip_alone_is_heard_at_once_and_the_pair_is_over_then() {
    hears(Leaves::Gossip, |step| matches!(step, Step::Inbound(_)));
}

#[test]
fn a_peer_that_left_and_never_opened_a_stream_is_forgotten_after_a_second() {
    in_virtual_time(async {
        let net = quiet_net();
        let mut late = late(&net);
        let never = publisher(&net);
        let leaving = async {
            reach(&never).await;
            never.1.shutdown().await;
            settle().await;
        };
        let streams = |step: &Step| matches!(step, Step::Inbound(_));
        let held = late.driver.run_but(streams, leaving).await;
        assert!(late.driver.links.session(&peer(PUBLISHER)).is_some());
        drop(held);
        late.driver.run_beside(sleep(SETTLED)).await;
        assert!(late.driver.links.all().is_empty() && late.driver.settling.is_empty());
    });
}

/// It goes on speaking, and may have what a node that goes says last.
#[test]
fn a_peer_that_takes_nothing_any_more_is_heard_for_a_moment_and_left() {
    in_virtual_time(async {
        let net = quiet_net();
        let mut late = late(&net);
        let publisher = publisher(&net);
        late.driver.run_beside(reach(&publisher)).await;
        let generation = late
            .driver
            .links
            .session(&peer(PUBLISHER))
            .unwrap()
            .generation;
        let peer = peer(PUBLISHER);
        late.driver.outbound(Outbound::Ended { peer, generation });
        let published = publisher.0.publish(TOPIC, "last".into());
        late.driver.run_beside(published).await.unwrap();
        let heard = late.driver.run_beside(late.subscription.next()).await;
        assert!(matches!(heard, Some(Received::Message(_))), "{heard:?}");
        assert!(late.driver.links.session(&peer).is_some());
        late.driver.run_beside(sleep(SETTLED)).await;
        assert!(late.driver.links.session(&peer).is_none());
    });
}

#[test]
fn attack_who_names_what_never_was_and_leaves_at_once_is_blamed_and_forgotten() {
    in_virtual_time(async {
        let net = quiet_net();
        let mut late = late(&net);
        let attacker = start_with(&net, PUBLISHER, "test", SwarmSetup::default());
        let attacking = async {
            let mut frames = BytesMut::new();
            let topics = List::truncated([7]);
            encode_frame(GRAFT, &encode(&Topics { topics }), &mut frames);
            say_and_leave(&attacker, frames.freeze()).await;
        };
        let frames = |step: &Step| matches!(step, Step::Inbound(inbound) if !is_opened(inbound));
        let held = late.driver.run_but(frames, attacking).await;
        assert_eq!(late.swarm.reputation(&peer(PUBLISHER)), 0);
        for step in held {
            late.driver.take(step);
        }
        assert!(late.swarm.reputation(&peer(PUBLISHER)) < 0);
        assert!(late.driver.links.all().is_empty() && late.driver.carriers.is_empty());
    });
}

/// The verdict comes when nobody is there any more.
#[test]
fn attack_who_brings_a_forged_seal_and_leaves_at_once_is_banned() {
    in_virtual_time(async {
        let net = quiet_net();
        let mut late = late(&net);
        let attacker = start_with(&net, PUBLISHER, "test", SwarmSetup::default());
        let frames = forged(&late.driver);
        let attacking = say_and_leave(&attacker, frames);
        let verdicts = |step: &Step| {
            let Step::Worked(Ok((_, Work::Made(input)))) = step else {
                return false;
            };
            matches!(input, Input::Verified { .. })
        };
        let held = late.driver.run_but(verdicts, attacking).await;
        assert_eq!(held.len(), 1, "verdicts");
        assert!(late.driver.links.peers().is_empty(), "it is gone");
        let mut events = late.swarm.events();
        for step in held {
            late.driver.take(step);
        }
        let banned = late.driver.run_beside(async {
            loop {
                let event = events.next().await.unwrap().unwrap();
                if let SwarmEvent::PeerBanned { peer, .. } = event.what {
                    return peer;
                }
            }
        });
        assert_eq!(banned.await, peer(PUBLISHER));
    });
}

/// Connects to the late one, says so much and goes.
async fn say_and_leave(attacker: &Swarm, frames: Bytes) {
    let addresses = [address(LATE, LATE)];
    attacker.dial(Some(peer(LATE)), &addresses).await.unwrap();
    let carrier = attacker.caller().carrier(&peer(LATE)).unwrap();
    let mut stream = carrier.open_ordered(HEADER).await.unwrap();
    stream.write(frames).await.unwrap();
    stream.finish().await;
    attacker.shutdown().await;
    settle().await;
}

/// A message of the publisher under a seal that nobody signed.
fn forged(driver: &Driver) -> Bytes {
    let (key, topic) = (keypair(PUBLISHER), TopicHash::of(TOPIC));
    let key = key.public_key().verifying_key().clone();
    let timestamp_ms = driver.parts.clock.now().wall.0;
    let data = Bytes::from_static(b"never said");
    let leaf = LeafInput {
        network: &driver.parts.network,
        topic: topic.as_bytes(),
        publisher: key.hash(),
        epoch: 1,
        counter: 0,
        timestamp_ms,
        content: ContentDigest::of(&data),
    };
    let seal = wire::Seal {
        key: 0,
        topic: *topic.as_bytes(),
        epoch: 1,
        first: 0,
        leaves: List::truncated([leaf.leaf().0]),
        signature: [7; SIGNATURE_BYTES],
    };
    let message = wire::Message {
        seal: 0,
        index: 0,
        timestamp_ms,
        data: Payload::try_from(data).unwrap(),
    };
    let (suite, key) = (key.suite().byte(), *key.as_bytes());
    let mut frames = BytesMut::new();
    encode_frame(wire::KEY, &encode(&wire::Key { suite, key }), &mut frames);
    encode_frame(wire::SEAL, &encode(&seal), &mut frames);
    encode_frame(wire::MESSAGE, &encode(&message), &mut frames);
    frames.freeze()
}

#[test]
fn a_lone_message_is_signed_at_once_and_one_beside_other_work_by_a_task() {
    in_virtual_time(async {
        let net = quiet_net();
        let mut late = late(&net);
        let (gossip, swarm) = publisher(&net);
        let reader = gossip.subscribe(TOPIC, SubscribeOptions::default());
        let reader = late.driver.run_beside(reader).await.unwrap();
        let addresses = [address(LATE, LATE)];
        let dialled = swarm.dial(Some(peer(LATE)), &addresses);
        late.driver.run_beside(dialled).await.unwrap();
        late.driver.run_beside(settle()).await;
        for (number, is_alone) in [(0, true), (1, false)] {
            let peer = peer(PUBLISHER);
            if !is_alone {
                let other = Outbound::Written {
                    peer,
                    generation: 0,
                };
                late.driver.written.send(other).unwrap();
            }
            let tasks = late.driver.work.len();
            late.driver.publish_all(publication(number));
            let signing = late.driver.work.len() - tasks;
            assert_eq!(signing, usize::from(!is_alone), "{number}");
            late.driver.run_beside(settle()).await;
        }
        drop(reader);
    });
}

fn publication(number: u64) -> Publication {
    Publication {
        id: PublicationId(number),
        topic: TopicHash::of(TOPIC),
        data: Bytes::from_static(b"hello"),
        done: oneshot::channel().0,
    }
}

enum Leaves {
    Gossip,
    Swarm,
}

/// A peer that is connected to a late driver publishes something, under more seals than are verified of one neighbour at
/// once, and leaves. What is held back comes to the driver last.
fn hears(leaves: Leaves, is_held: impl Fn(&Step) -> bool) {
    in_virtual_time(async {
        let net = quiet_net();
        let mut late = late(&net);
        let publisher = publisher(&net);
        let publishing = async {
            reach(&publisher).await;
            let (gossip, swarm) = &publisher;
            for number in 0..SAID {
                let said = number.to_string();
                let published = gossip.publish(TOPIC, said.into()).await.unwrap();
                assert_eq!(published.neighbours, 1);
            }
            gossip.close().await;
            if matches!(leaves, Leaves::Swarm) {
                swarm.shutdown().await;
            }
            settle().await;
        };
        let held = late.driver.run_but(is_held, publishing).await;
        assert!(!held.is_empty());
        for step in held {
            late.driver.take(step);
        }
        for number in 0..SAID {
            let heard = timeout(Duration::from_secs(1), late.subscription.next());
            let message = late.driver.run_beside(heard).await.unwrap();
            let Some(Received::Message(message)) = message else {
                panic!("{message:?}");
            };
            assert_eq!(message.data, number.to_string());
        }
        late.driver.run_beside(settle()).await;
        assert!(late.driver.links.peers().is_empty(), "over");
        late.driver.run_beside(sleep(SETTLED)).await;
        let is_remembered = !late.driver.links.all().is_empty();
        assert_eq!(is_remembered, matches!(leaves, Leaves::Gossip));
    });
}

/// Connects to the late one and waits until its subscription has come.
async fn reach((gossip, swarm): &(GossipProtocol, Swarm)) {
    let addresses = [address(LATE, LATE)];
    swarm.dial(Some(peer(LATE)), &addresses).await.unwrap();
    while gossip.neighbours(TOPIC).await.unwrap().is_empty() {
        settle().await;
    }
}

fn is_opened(inbound: &Inbound) -> bool {
    matches!(inbound, Inbound::Opened { .. })
}

impl Driver {
    async fn run_beside<T>(&mut self, other: impl Future<Output = T>) -> T {
        let mut result = None;
        let other = async { result = Some(other.await) };
        self.run_but(|_| false, other).await;
        result.unwrap()
    }

    /// Runs until `other` is done; what is to be held back is returned.
    async fn run_but(
        &mut self,
        is_held: impl Fn(&Step) -> bool,
        other: impl Future<Output = ()>,
    ) -> Vec<Step> {
        let mut held = Vec::new();
        let mut other = std::pin::pin!(other);
        loop {
            self.wake();
            let step = tokio::select! {
                biased;
                step = self.next() => step,
                () = &mut other => return held,
            };
            if is_held(&step) {
                held.push(step);
            } else {
                self.take(step);
            }
        }
    }
}

fn publisher(net: &Net) -> (GossipProtocol, Swarm) {
    let setup = Setup {
        network: [7; 32],
        key: keypair(PUBLISHER).public_key().verifying_key().clone(),
        config: GossipConfig::default(),
        directory: None,
        veto_at: 100,
        explicit_peers: &[],
    };
    let (gossip, stack) = prepare(setup, &net.host(ip(PUBLISHER))).unwrap();
    let setup = SwarmSetup {
        stack,
        ..SwarmSetup::default()
    };
    (gossip, start_with(net, PUBLISHER, "test", setup))
}

/// A node whose driver is run by the test, and what it hears of the topic.
struct Late {
    driver: Driver,
    subscription: Subscription,
    swarm: Swarm,
}

fn late(net: &Net) -> Late {
    let (made, driver) = std::sync::mpsc::channel();
    let stack = StackProtocols::new(move |swarm| {
        let (queue, inbound) = mpsc::channel(inbound::QUEUE);
        let (asks, chunk_asks) = mpsc::channel(chunks::QUEUE);
        made.send(Driver::new(parts(swarm, inbound, chunk_asks)))
            .unwrap();
        Services {
            protocols: vec![inbound::protocol(queue), chunks::protocol(asks)],
            tasks: Vec::new(),
        }
    });
    let setup = SwarmSetup {
        stack,
        ..SwarmSetup::default()
    };
    let swarm = start_with(net, LATE, "test", setup);
    let mut driver = driver.recv().unwrap();
    let (done, mut subscribed) = oneshot::channel();
    driver.subscribe(TopicHash::of(TOPIC), SubscribeOptions::default(), done);
    Late {
        driver,
        subscription: subscribed.try_recv().unwrap().unwrap(),
        swarm,
    }
}

fn parts(
    swarm: &Swarm,
    inbound: mpsc::Receiver<Inbound>,
    chunk_asks: mpsc::Receiver<Asked>,
) -> Parts {
    let config = GossipConfig::default();
    Parts {
        machine: Gossip::new(MachineSetup {
            network: [7; 32],
            key: keypair(LATE).public_key().verifying_key().clone(),
            epoch: 1,
            score: ScoreConfig::matching(&config),
            config,
            seed: [LATE; 32],
        }),
        network: [7; 32],
        swarm: swarm.downgrade(),
        caller: swarm.caller(),
        clock: swarm.environment().clock.clone(),
        commands: mpsc::channel(COMMANDS).1,
        inbound,
        chunk_asks,
        swarm_events: swarm.events(),
        events: broadcast::channel(events::BACKLOG).0,
        veto_at: -100,
        explicit: BTreeSet::new(),
    }
}
