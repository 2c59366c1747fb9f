//! Programs judge messages before they are passed on.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use cretoai_network::gossip::{Message, TopicHash, Verdict};
use cretoai_network::services::gossip::{GossipError, MessageValidator, SubscribeOptions};
use tokio::time::sleep;

use super::support::{TOPIC, is_silent, network, next, say, subscribe_all};
use crate::support::nodes::{in_virtual_time, peer, quiet_net};

/// Says of a message what it says itself, after a while.
struct Literal;

impl MessageValidator for Literal {
    fn validate(&self, message: &Message) -> Pin<Box<dyn Future<Output = Verdict> + Send>> {
        let verdict = match &*message.data {
            b"reject" => Verdict::Reject,
            b"ignore" => Verdict::Ignore,
            b"panic" => panic!("a validator that panics"),
            _ => Verdict::Accept,
        };
        Box::pin(async move {
            sleep(Duration::from_millis(50)).await;
            verdict
        })
    }
}

#[test]
fn only_what_is_accepted_is_delivered_and_passed_on() {
    in_virtual_time(async {
        let net = quiet_net(61);
        // Three in a row: what the middle one does not pass on, the last one does not get.
        let nodes = network(&net, 1).await;
        let mut all = nodes;
        for number in 2..=3 {
            use super::support::gossiping;
            use crate::support::nodes::{address, spawn_with};
            let node = spawn_with(&net, number, gossiping());
            node.dial(&address(number - 1)).await.unwrap();
            all.push(node);
        }
        let options = SubscribeOptions {
            validator: Some(Arc::new(Literal)),
            ..SubscribeOptions::default()
        };
        let mut subscriptions = subscribe_all(&all, &options).await;
        for text in ["ignore", "reject", "fine"] {
            say(&all[0], text).await;
        }
        for subscription in &mut subscriptions[1..] {
            assert_eq!(next(subscription).await.data, "fine");
            assert!(is_silent(subscription).await);
        }
        assert!(
            all[1].reputation(&peer(1)) < 0,
            "who brought what was rejected"
        );
        assert_eq!(all[2].reputation(&peer(2)), 0, "nobody passed it on");
    });
}

/// As often as there are places: none of them is lost.
#[test]
fn a_validator_that_panics_ignores_the_message_and_judges_the_next() {
    in_virtual_time(async {
        let net = quiet_net(62);
        let nodes = network(&net, 2).await;
        let options = SubscribeOptions {
            validator: Some(Arc::new(Literal)),
            ..SubscribeOptions::default()
        };
        let mut subscriptions = subscribe_all(&nodes, &options).await;
        for _ in 0..70 {
            say(&nodes[0], "panic").await;
        }
        say(&nodes[0], "fine").await;
        assert_eq!(next(&mut subscriptions[1]).await.data, "fine");
        assert_eq!(nodes[1].reputation(&peer(1)), 0);
    });
}

fn judged() -> SubscribeOptions {
    SubscribeOptions {
        validator: Some(Arc::new(Literal)),
        ..SubscribeOptions::default()
    }
}

/// The end of the former one is noticed later than the new one comes.
#[test]
fn who_subscribes_anew_with_a_validator_has_everything_judged_by_it() {
    in_virtual_time(async {
        let net = quiet_net(63);
        let nodes = network(&net, 2).await;
        let mut subscriptions = subscribe_all(&nodes, &SubscribeOptions::default()).await;
        let former = subscriptions.pop();
        let subscribed = nodes[1].gossip().subscribe(TOPIC, judged());
        let (subscribed, ()) = tokio::join!(subscribed, async { drop(former) });
        subscriptions.push(subscribed.unwrap());
        sleep(Duration::from_secs(15)).await;
        for text in ["ignore", "fine"] {
            say(&nodes[0], text).await;
        }
        assert_eq!(next(&mut subscriptions[1]).await.data, "fine");
    });
}

#[test]
fn a_topic_that_is_read_has_one_validator_and_says_so() {
    in_virtual_time(async {
        let net = quiet_net(64);
        let nodes = network(&net, 1).await;
        let subscribe = |options| nodes[0].gossip().subscribe(TOPIC, options);
        let refused = GossipError::OtherOptions(TopicHash::of(TOPIC));
        let options = judged();
        let first = subscribe(options.clone()).await.unwrap();
        let second = subscribe(options).await.unwrap();
        let unsigned = SubscribeOptions {
            unsigned: true,
            ..SubscribeOptions::default()
        };
        for other in [judged(), unsigned.clone(), SubscribeOptions::default()] {
            assert_eq!(subscribe(other).await.unwrap_err(), refused);
        }
        drop(first);
        assert_eq!(subscribe(judged()).await.unwrap_err(), refused);
        drop(second);
        let third = subscribe(unsigned.clone()).await.unwrap();
        assert_eq!(subscribe(judged()).await.unwrap_err(), refused);
        assert!(subscribe(unsigned).await.is_ok());
        drop(third);
    });
}
