//! What a program does with its handle: it leaves topics, hears what happens, and starts again.

use std::time::Duration;

use cretoai_network::gossip::TopicHash;
use cretoai_network::node::P2PConfig;
use cretoai_network::services::gossip::{GossipEvent, SubscribeOptions};
use tokio::time::{sleep, timeout};

use super::support::{PATIENCE, TOPIC, gossiping, network, next, say, subscribe_all};
use crate::support::nodes::{address, in_virtual_time, peer, quiet_net, spawn_with};

#[test]
fn who_unsubscribes_hears_nothing_more_and_is_no_neighbour_until_it_comes_back() {
    in_virtual_time(async {
        let net = quiet_net(56);
        let nodes = network(&net, 3).await;
        let mut subscriptions = subscribe_all(&nodes, &SubscribeOptions::default()).await;
        let leaver = nodes[2].gossip();
        leaver.unsubscribe(TOPIC).await.unwrap();
        assert_eq!(subscriptions[2].next().await, None, "all its readers end");
        sleep(Duration::from_secs(1)).await;
        for node in &nodes[..2] {
            let known = node.gossip().neighbours(TOPIC).await.unwrap();
            assert!(known.iter().all(|one| one.peer != peer(3)), "{known:?}");
        }
        say(&nodes[0], "missed").await;
        assert_eq!(next(&mut subscriptions[1]).await.data, "missed");
        // Its back-off ends.
        sleep(Duration::from_secs(11)).await;
        let options = SubscribeOptions::default();
        let mut again = leaver.subscribe(TOPIC, options).await.unwrap();
        sleep(Duration::from_secs(2)).await;
        say(&nodes[0], "heard").await;
        assert_eq!(next(&mut again).await.data, "heard");
        // To leave what one is not in changes nothing.
        leaver.unsubscribe("something else").await.unwrap();
    });
}

#[test]
fn a_program_is_told_who_comes_into_its_meshes_and_who_leaves() {
    in_virtual_time(async {
        let net = quiet_net(57);
        let nodes = network(&net, 2).await;
        let mut events = nodes[0].gossip().events().unwrap();
        let subscriptions = subscribe_all(&nodes, &SubscribeOptions::default()).await;
        let topic = TopicHash::of(TOPIC);
        let grafted = timeout(PATIENCE, events.next()).await.unwrap();
        assert_eq!(grafted, Some(Ok(GossipEvent::Grafted(peer(2), topic))));
        nodes[1].gossip().unsubscribe(TOPIC).await.unwrap();
        let pruned = timeout(PATIENCE, events.next()).await.unwrap();
        assert_eq!(pruned, Some(Ok(GossipEvent::Pruned(peer(2), topic))));
        drop(subscriptions);
    });
}

/// Its counters begin anew: under the epoch of before, others would take what it says for what they know.
#[test]
fn a_publisher_that_starts_again_is_heard_under_a_higher_epoch() {
    let folder = tempfile::tempdir().unwrap();
    in_virtual_time(async {
        let net = quiet_net(58);
        let reader = spawn_with(&net, 1, gossiping());
        let options = SubscribeOptions::default();
        let mut heard = reader.gossip().subscribe(TOPIC, options).await.unwrap();
        let mut epochs = Vec::new();
        for round in ["first", "second", "third"] {
            let config = P2PConfig {
                data_dir: Some(folder.path().to_owned()),
                ..gossiping()
            };
            let publisher = spawn_with(&net, 2, config);
            publisher.dial(&address(1)).await.unwrap();
            sleep(Duration::from_secs(1)).await;
            say(&publisher, round).await;
            let message = next(&mut heard).await;
            assert_eq!(message.data, round);
            epochs.push(message.source.unwrap().epoch);
            publisher.shutdown().await;
        }
        assert!(epochs.is_sorted_by(|one, next| one < next), "{epochs:?}");
        assert!(folder.path().join("gossip-epoch").exists());
    });
}
