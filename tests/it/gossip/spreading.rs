//! What one says, the others get.

use std::time::Duration;

use bytes::Bytes;
use cretoai_network::gossip::NotPublished;
use cretoai_network::services::gossip::{GossipError, Received, SubscribeOptions};
use cretoai_network::wire::message::gossip::MAX_DATA;
use tokio::time::sleep;

use super::support::{TOPIC, gossiping, is_silent, network, next, say, subscribe_all};
use crate::support::nodes::{address, in_virtual_time, peer, quiet_net, spawn, spawn_with};

#[test]
fn what_one_node_says_all_others_get_once_with_its_name() {
    in_virtual_time(async {
        let net = quiet_net(51);
        let nodes = network(&net, 8).await;
        let mut subscriptions = subscribe_all(&nodes, &SubscribeOptions::default()).await;
        for text in ["one", "two", "three"] {
            say(&nodes[2], text).await;
        }
        for (index, subscription) in subscriptions.iter_mut().enumerate() {
            if index == 2 {
                assert!(
                    is_silent(subscription).await,
                    "own messages do not come back"
                );
                continue;
            }
            let mut texts = Vec::new();
            for _ in 0..3 {
                let message = next(subscription).await;
                assert_eq!(message.source.unwrap().publisher, peer(3));
                texts.push(message.data);
            }
            texts.sort();
            assert_eq!(texts, ["one", "three", "two"]);
            assert!(is_silent(subscription).await);
        }
    });
}

#[test]
fn unsigned_topics_name_nobody() {
    in_virtual_time(async {
        let net = quiet_net(52);
        let nodes = network(&net, 4).await;
        let options = SubscribeOptions {
            unsigned: true,
            ..SubscribeOptions::default()
        };
        let mut subscriptions = subscribe_all(&nodes, &options).await;
        say(&nodes[0], "anybody").await;
        for subscription in &mut subscriptions[1..] {
            let message = next(subscription).await;
            assert_eq!((message.source, &*message.data), (None, &b"anybody"[..]));
        }
        let again = nodes[0].gossip().publish(TOPIC, "anybody".into()).await;
        let duplicate = GossipError::NotPublished(NotPublished::Duplicate);
        assert_eq!(again.unwrap_err(), duplicate);
    });
}

#[test]
fn the_longest_message_of_an_unsigned_topic_arrives_and_a_longer_one_is_refused_at_home() {
    in_virtual_time(async {
        let net = quiet_net(53);
        let nodes = network(&net, 3).await;
        let options = SubscribeOptions {
            unsigned: true,
            ..SubscribeOptions::default()
        };
        let mut subscriptions = subscribe_all(&nodes, &options).await;
        let long = Bytes::from(vec![7; MAX_DATA]);
        let gossip = nodes[0].gossip();
        let published = gossip.publish(TOPIC, long.clone()).await.unwrap();
        assert_eq!(published.neighbours, 2);
        assert_eq!(next(&mut subscriptions[2]).await.data, long);
        let longer = Bytes::from(vec![7; MAX_DATA + 1]);
        let refused = NotPublished::TooLong { limit: MAX_DATA };
        let refused = GossipError::NotPublished(refused);
        assert_eq!(gossip.publish(TOPIC, longer).await.unwrap_err(), refused);
    });
}

#[test]
fn a_subscription_that_is_dropped_ends_and_can_be_made_again() {
    in_virtual_time(async {
        let net = quiet_net(54);
        let nodes = network(&net, 3).await;
        let mut subscriptions = subscribe_all(&nodes, &SubscribeOptions::default()).await;
        drop(subscriptions.pop());
        sleep(Duration::from_secs(1)).await;
        let known = nodes[0].gossip().neighbours(TOPIC).await.unwrap();
        assert!(known.iter().all(|one| one.peer != peer(3)), "{known:?}");
        sleep(Duration::from_secs(11)).await;
        let again = nodes[2]
            .gossip()
            .subscribe(TOPIC, SubscribeOptions::default());
        let mut again = again.await.unwrap();
        sleep(Duration::from_secs(2)).await;
        say(&nodes[0], "again").await;
        assert_eq!(next(&mut again).await.data, "again");
    });
}

#[test]
fn a_reader_that_falls_behind_loses_messages_and_is_told_how_many() {
    in_virtual_time(async {
        let net = quiet_net(55);
        let nodes = network(&net, 2).await;
        let options = SubscribeOptions {
            capacity: 4,
            ..SubscribeOptions::default()
        };
        let mut subscriptions = subscribe_all(&nodes, &options).await;
        for number in 0..10 {
            say(&nodes[0], &number.to_string()).await;
        }
        sleep(Duration::from_secs(1)).await;
        for number in 0..4 {
            assert_eq!(next(&mut subscriptions[1]).await.data, number.to_string());
        }
        assert_eq!(subscriptions[1].next().await, Some(Received::Lost(6)));
    });
}

#[test]
fn who_speaks_no_gossip_is_no_neighbour_and_nobodys_fault() {
    in_virtual_time(async {
        let net = quiet_net(56);
        let speaking = spawn_with(&net, 1, gossiping());
        let other = spawn(&net, 2);
        speaking.dial(&address(2)).await.unwrap();
        sleep(Duration::from_secs(3)).await;
        let options = SubscribeOptions::default();
        let _subscription = speaking
            .gossip()
            .subscribe(TOPIC, options.clone())
            .await
            .unwrap();
        sleep(Duration::from_secs(3)).await;
        assert_eq!(speaking.gossip().neighbours(TOPIC).await.unwrap(), []);
        assert_eq!(speaking.reputation(&peer(2)), 0);
        assert_eq!(other.reputation(&peer(1)), 0);
        let disabled = other.gossip().subscribe(TOPIC, options).await;
        assert_eq!(disabled.unwrap_err(), GossipError::Disabled);
    });
}

#[test]
fn gossip_goes_on_over_a_new_connection() {
    in_virtual_time(async {
        let net = quiet_net(57);
        let nodes = network(&net, 2).await;
        let mut subscriptions = subscribe_all(&nodes, &SubscribeOptions::default()).await;
        nodes[1].disconnect(&peer(1));
        sleep(Duration::from_secs(1)).await;
        nodes[0].dial(&address(2)).await.unwrap();
        sleep(Duration::from_secs(2)).await;
        say(&nodes[0], "after").await;
        assert_eq!(next(&mut subscriptions[1]).await.data, "after");
    });
}
