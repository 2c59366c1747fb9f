//! Messages that are longer than a frame, over QUIC.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use cretoai_network::gossip::{Header, Message, Verdict};
use cretoai_network::services::gossip::{MessageValidator, SubscribeOptions};

use super::support::{TOPIC, is_silent, network, next, subscribe_all};
use crate::support::nodes::{in_virtual_time, peer, quiet_net};

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
