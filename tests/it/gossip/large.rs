//! Messages that are longer than a frame, over QUIC.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cretoai_network::gossip::{Header, Message, Verdict};
use cretoai_network::services::gossip::{MessageValidator, SubscribeOptions};
use cretoai_network::sim::LinkProfile;
use tokio::join;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::support::{TOPIC, is_silent, network, next, subscribe_all};
use crate::support::nodes::{LATENCY, in_virtual_time, net_with, peer, quiet_net};

/// 8 MiB of 16 000 bytes each.
const COUNT: usize = 524;

/// After that a node that stops ends what does not move.
const STALL: Duration = Duration::from_secs(3);

fn text(bytes: usize) -> Bytes {
    (0..bytes).map(|at| (at / 5 % 251) as u8).collect()
}

#[test]
fn five_mebibytes_reach_all_as_they_were_said() {
    in_virtual_time(async {
        let net = quiet_net(71);
        let nodes = network(&net, 6).await;
        let mut subscriptions = subscribe_all(&nodes, &SubscribeOptions::default()).await;
        let said = text(5 << 20);
        let published = nodes[1].gossip().publish(TOPIC, said.clone()).await;
        let id = published.unwrap().id;
        for (index, subscription) in subscriptions.iter_mut().enumerate() {
            if index == 1 {
                continue;
            }
            let message = next(subscription).await;
            assert_eq!(message.id, id);
            assert_eq!(message.source.unwrap().publisher, peer(2));
            assert!(message.data == said, "{index}: something else");
        }
        for node in &nodes {
            let faulty = (1..=6).map(|number| node.reputation(&peer(number))).min();
            assert_eq!(faulty, Some(0), "nobody is to blame");
        }
    });
}

/// The node stops as soon as the others have it, and not before.
#[test]
fn a_publisher_that_stops_gives_first_what_it_said() {
    in_virtual_time(async {
        let net = quiet_net(72);
        let nodes = network(&net, 4).await;
        let mut subscriptions = subscribe_all(&nodes, &SubscribeOptions::default()).await;
        let said = text(2 << 20);
        nodes[3]
            .gossip()
            .publish(TOPIC, said.clone())
            .await
            .unwrap();
        nodes[3].shutdown().await;
        for subscription in &mut subscriptions[..3] {
            assert!(next(subscription).await.data == said);
        }
    });
}

/// What was said last stands in line for seconds: 8 MiB of short messages at 16 Mbit/s.
#[test]
fn a_publisher_that_stops_gives_first_all_that_stands_in_line() {
    in_virtual_time(async {
        let profile = LinkProfile {
            rate_bits_per_s: Some(16_000_000),
            ..LinkProfile::with_latency(LATENCY)
        };
        let net = net_with(74, profile);
        let nodes = network(&net, 2).await;
        let mut subscriptions = subscribe_all(&nodes, &SubscribeOptions::default()).await;
        let mut saying = JoinSet::new();
        for number in 0..COUNT {
            let gossip = nodes[0].gossip().clone();
            let said = Bytes::from(vec![(number % 251) as u8; 16_000]);
            saying.spawn(async move { gossip.publish(TOPIC, said).await.unwrap() });
        }
        while let Some(said) = saying.join_next().await {
            said.unwrap();
        }
        let stopped = Instant::now();
        let stopping = nodes[0].shutdown();
        let hearing = async {
            for _ in 0..COUNT {
                assert_eq!(next(&mut subscriptions[1]).await.data.len(), 16_000);
            }
        };
        join!(stopping, hearing);
        assert!(stopped.elapsed() > STALL, "a shorter test than it says");
    });
}

/// Takes short messages alone.
struct Short;

impl MessageValidator for Short {
    fn validate(&self, _: &Message) -> Pin<Box<dyn Future<Output = Verdict> + Send>> {
        Box::pin(async { Verdict::Accept })
    }

    fn admit(&self, header: &Header) -> Pin<Box<dyn Future<Output = Verdict> + Send>> {
        let verdict = match header.length {
            0..=100_000 => Verdict::Accept,
            _ => Verdict::Ignore,
        };
        Box::pin(async move { verdict })
    }
}

#[test]
fn a_program_chooses_by_the_header_what_is_fetched() {
    in_virtual_time(async {
        let net = quiet_net(73);
        let nodes = network(&net, 3).await;
        let options = SubscribeOptions {
            validator: Some(Arc::new(Short)),
            ..SubscribeOptions::default()
        };
        let mut subscriptions = subscribe_all(&nodes, &options).await;
        let gossip = nodes[0].gossip();
        gossip.publish(TOPIC, text(100_001)).await.unwrap();
        gossip.publish(TOPIC, text(100_000)).await.unwrap();
        for subscription in &mut subscriptions[1..] {
            assert_eq!(next(subscription).await.data.len(), 100_000);
            assert!(is_silent(subscription).await);
        }
    });
}
