//! What removes a node from the table, and what does not.

use std::time::Duration;

use cretoai_network::discovery::Event;
use cretoai_network::services::discovery::DiscoveryHappened;
use tokio::time::sleep;

use super::support::{contacts, entering, has, network};
use crate::support::nodes::{in_virtual_time, ip, peer, quiet_net, spawn_with};

#[test]
fn a_peer_that_moved_to_another_network_is_evicted_at_once() {
    in_virtual_time(async {
        let net = quiet_net(61);
        let mut nodes = network(&net, 4).await;
        let asking = nodes[1].clone();
        assert!(has(&asking, peer(4)).await);
        net.kill(ip(4));
        drop(nodes.remove(3));
        let mut other = entering();
        other.network = "other".to_owned();
        let _moved = spawn_with(&net, 4, other);
        // The old connection ends by a reset when it is next used.
        asking.ping(peer(4)).await.unwrap_err();
        _ = asking.discovery().find_peer(peer(4)).await;
        assert!(!has(&asking, peer(4)).await);
        assert_eq!(asking.reputation(&peer(4)), 0);
    });
}

#[test]
fn a_flood_of_disconnections_does_not_flush_the_table() {
    in_virtual_time(async {
        let net = quiet_net(62);
        let nodes = network(&net, 25).await;
        let before = contacts(&nodes[0]).await;
        assert!(before >= 20, "{before}");
        for _ in 0..10 {
            for node in &nodes[1..] {
                node.disconnect(&peer(1));
            }
            sleep(Duration::from_millis(200)).await;
            assert_eq!(contacts(&nodes[0]).await, before);
        }
    });
}

#[test]
fn a_banned_peer_leaves_the_table_and_events_say_so() {
    in_virtual_time(async {
        let net = quiet_net(63);
        let nodes = network(&net, 4).await;
        let mut events = nodes[0].discovery().events().unwrap();
        while events.try_next().is_some() {}
        nodes[0].ban(peer(2), Duration::from_secs(60));
        let event = events.next().await.unwrap().unwrap();
        let removed = DiscoveryHappened::Machine(Event::Removed(peer(2)));
        assert_eq!(event.what, removed);
        assert!(!has(&nodes[0], peer(2)).await);
        _ = nodes[0].discovery().find_peer(peer(2)).await;
        assert!(!has(&nodes[0], peer(2)).await);
    });
}
