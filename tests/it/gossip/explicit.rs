//! Explicit peers, and what the program thinks of others.

use std::time::Duration;

use cretoai_network::identity::PeerId;
use cretoai_network::node::P2PConfig;
use cretoai_network::services::gossip::{GossipError, SubscribeOptions};
use cretoai_network::sim::Net;
use tokio::time::sleep;

use super::support::{TOPIC, gossiping, is_silent, network, next, say, subscribe_all};
use crate::support::attacker::A_DIAL;
use crate::support::nodes::{address, in_virtual_time, ip, peer, quiet_net, spawn_with, until};

fn agreeing(other: u16) -> P2PConfig {
    P2PConfig {
        explicit_peers: vec![address(other)],
        ..gossiping()
    }
}

#[test]
fn explicit_peers_find_each_other_again_and_exchange_everything_outside_the_mesh() {
    in_virtual_time(async {
        let net = quiet_net(81);
        let nodes = [
            spawn_with(&net, 1, agreeing(2)),
            spawn_with(&net, 2, agreeing(1)),
        ];
        let mut subscriptions = subscribe_all(&nodes, &SubscribeOptions::default()).await;
        let known = nodes[0].gossip().neighbours(TOPIC).await.unwrap();
        assert_eq!(known.len(), 1);
        assert!(!known[0].in_mesh && known[0].peer == peer(2));
        say(&nodes[0], "first").await;
        assert_eq!(next(&mut subscriptions[1]).await.data, "first");
        for round in 0..3_usize {
            let (one, other) = (round % 2, 1 - round % 2);
            assert!(nodes[one].disconnect(&peer(other as u16 + 1)));
            until(|| !nodes[other].peers().contains(&peer(one as u16 + 1))).await;
            sleep(Duration::from_secs(4)).await;
            say(&nodes[other], "again").await;
            assert_eq!(next(&mut subscriptions[one]).await.data, "again");
        }
    });
}

#[test]
fn an_explicit_peer_that_is_not_there_is_dialled_until_it_is() {
    in_virtual_time(async {
        let net = quiet_net(82);
        let waiting = spawn_with(&net, 1, agreeing(2));
        sleep(Duration::from_secs(100)).await;
        assert!(waiting.peers().is_empty());
        let _late = spawn_with(&net, 2, gossiping());
        sleep(Duration::from_secs(75)).await;
        assert_eq!(waiting.peers(), [peer(2)]);
    });
}

/// It comes and goes, and then it is gone: whoever lost it dials it no more often for that.
#[test]
fn an_explicit_peer_that_was_lost_many_times_is_dialled_once_at_a_time() {
    in_virtual_time(async {
        let net = quiet_net(84);
        let waiting = spawn_with(&net, 1, agreeing(2));
        let flapping = spawn_with(&net, 2, gossiping());
        let are_connected = || waiting.peers() == [peer(2)] && flapping.peers() == [peer(1)];
        until(are_connected).await;
        for _ in 0..8 {
            assert!(flapping.disconnect(&peer(1)));
            until(|| waiting.peers().is_empty()).await;
            flapping.dial(&address(1)).await.unwrap();
            until(are_connected).await;
        }
        flapping.shutdown().await;
        drop(flapping);
        sleep(Duration::from_secs(120)).await;
        let before = net.counters(ip(1), ip(2)).sent.datagrams;
        sleep(Duration::from_secs(600)).await;
        let sent = net.counters(ip(1), ip(2)).sent.datagrams - before;
        // One a minute at the most, half a minute at the least.
        let (least, most) = (8 * A_DIAL / 2, 20 * A_DIAL);
        assert!((least..=most).contains(&sent), "{sent} datagrams");
    });
}

/// As many as a node remembers the numbers of.
#[test]
fn opinions_are_bounded_in_number() {
    in_virtual_time(async {
        let net = quiet_net(85);
        let node = spawn_with(&net, 1, gossiping());
        let think = async |number: u16, points: f64| {
            let peer = PeerId::from_bytes(*blake3::hash(&number.to_le_bytes()).as_bytes());
            node.gossip().set_application_score(peer, points).await
        };
        for number in 0..4_096 {
            assert_eq!(think(number, 1.0).await, Ok(()));
        }
        let refused = Err(GossipError::TooManyOpinions);
        assert_eq!(think(4_096, 1.0).await, refused);
        assert_eq!(think(7, 2.0).await, Ok(()), "of one it has an opinion of");
        assert_eq!(think(7, 0.0).await, Ok(()), "no opinion any more");
        assert_eq!(think(4_096, 1.0).await, Ok(()));
    });
}

#[test]
fn what_the_program_thinks_of_a_peer_shuts_it_out_and_outlives_its_connection() {
    in_virtual_time(async {
        let net: Net = quiet_net(83);
        let nodes = network(&net, 2).await;
        let mut subscriptions = subscribe_all(&nodes, &SubscribeOptions::default()).await;
        let gossip = nodes[0].gossip();
        let score = gossip.score(peer(2)).await.unwrap().unwrap();
        assert_eq!(
            (score.application, score.behaviour, score.slow),
            (0.0, 0.0, 0.0)
        );
        assert_eq!(gossip.score(peer(9)).await, Ok(None));
        gossip
            .set_application_score(peer(2), -1_000.0)
            .await
            .unwrap();
        let score = gossip.score(peer(2)).await.unwrap().unwrap();
        assert_eq!(score.application, -1_000.0);
        assert!((score.total() + 1_000.0).abs() < 50.0);
        say(&nodes[1], "unheard").await;
        assert!(is_silent(&mut subscriptions[0]).await);
        nodes[1].disconnect(&peer(1));
        sleep(Duration::from_secs(1)).await;
        assert_eq!(gossip.score(peer(2)).await, Ok(None));
        nodes[0].dial(&address(2)).await.unwrap();
        sleep(Duration::from_secs(2)).await;
        let score = gossip.score(peer(2)).await.unwrap().unwrap();
        assert_eq!(score.application, -1_000.0);
        gossip.set_application_score(peer(2), 0.0).await.unwrap();
        say(&nodes[1], "heard").await;
        assert_eq!(next(&mut subscriptions[0]).await.data, "heard");
        let refused = gossip.set_application_score(peer(2), f64::NAN).await;
        assert_eq!(refused, Err(GossipError::NotANumber));
    });
}
