//! Everybody finds everybody.

use std::net::SocketAddr;
use std::time::Duration;

use cretoai_network::node::P2PNode;
use cretoai_network::sim::LinkProfile;
use cretoai_network::wire::Address;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::support::{entering, network};
use crate::support::nodes::{
    LATENCY, PORT, elapsed, in_virtual_time, ip, net_with, peer, quiet_net, spawn_with,
};

/// Has every node find every other, all nodes at once, and says how many did not.
async fn misses(nodes: &[P2PNode]) -> usize {
    let mut searches = JoinSet::new();
    for node in nodes {
        let (node, count) = (node.clone(), u16::try_from(nodes.len()).unwrap());
        searches.spawn(async move {
            let mut misses = 0;
            let others = (1..=count).map(|number| (number, peer(number)));
            for (number, other) in others.filter(|(_, other)| *other != node.peer_id()) {
                let found = node.discovery().find_peer(other).await;
                let place = Address::from(SocketAddr::new(ip(number), PORT)).with_peer_id(other);
                let is_right = found.is_ok_and(|found| found[0] == place);
                misses += usize::from(!is_right);
            }
            misses
        });
    }
    searches.join_all().await.into_iter().sum()
}

/// A hundred are looked at by `cargo bench --bench discovery_net`.
#[test]
fn each_of_forty_nodes_finds_every_other() {
    in_virtual_time(async {
        let net = quiet_net(11);
        let nodes = network(&net, 40).await;
        assert_eq!(misses(&nodes).await, 0);
    });
}

/// What eight nodes tell, with loss on their links.
fn told(seed: u64) -> Vec<String> {
    in_virtual_time(async {
        let link = LinkProfile {
            loss: 0.02,
            ..LinkProfile::with_latency(LATENCY)
        };
        let net = net_with(seed, link);
        let nodes = network(&net, 8).await;
        nodes[1].discovery().put_immutable("value").await.unwrap();
        assert_eq!(misses(&nodes).await, 0);
        let mut lines = Vec::new();
        for node in &nodes {
            let mut events = node.discovery().events().unwrap();
            while let Some(event) = events.try_next() {
                lines.push(format!("{event:?}"));
            }
            let stats = node.discovery().stats().await.unwrap();
            lines.push(format!("{stats:?} {:?}", node.metrics()));
        }
        lines
    })
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let first = told(14);
    assert!(first.len() > 60, "{}", first.len());
    assert_eq!(told(14), first);
    assert_ne!(told(15), first);
}

#[test]
fn to_connect_the_id_of_a_peer_is_enough() {
    in_virtual_time(async {
        let net = quiet_net(12);
        let nodes = network(&net, 40).await;
        for (number, node) in (0_u16..).zip(&nodes) {
            for step in [7, 19, 30] {
                let other = peer((number + step) % 40 + 1);
                // Whatever an earlier meeting left is gone: nothing but the id is known.
                node.disconnect(&other);
                node.swarm().with_book(|book, _| book.remove(&other));
                assert_eq!(
                    node.connect(other).await,
                    Ok(other),
                    "{number} to {step} on"
                );
                assert!(node.swarm().is_held(&other));
            }
        }
    });
}

#[test]
fn an_address_that_is_out_of_date_does_not_keep_connect_waiting() {
    in_virtual_time(async {
        let net = quiet_net(14);
        let nodes = network(&net, 6).await;
        let visitor = spawn_with(&net, 9, entering());
        visitor.discovery().bootstrap().await.unwrap();
        // Nobody is at this address any more.
        let gone = SocketAddr::new(ip(99), PORT).into();
        visitor.add_address(peer(5), &gone).unwrap();
        let (connected, took) = elapsed(visitor.connect(peer(5))).await;
        assert_eq!(connected, Ok(peer(5)));
        assert!(took < Duration::from_secs(3), "{took:?}");
        drop(nodes);
    });
}

#[test]
fn discovery_keeps_as_many_connections_as_it_may_and_none_that_is_held_is_closed() {
    in_virtual_time(async {
        let net = quiet_net(13);
        let _nodes = network(&net, 30).await;
        let mut few = entering();
        few.discovery.warm_links = 8;
        let node = spawn_with(&net, 31, few);
        sleep(Duration::from_secs(5)).await;
        node.connect(peer(5)).await.unwrap();
        for other in 1..=30 {
            node.discovery().find_peer(peer(other)).await.unwrap();
        }
        sleep(Duration::from_secs(1)).await;
        let stats = node.discovery().stats().await.unwrap();
        assert!(stats.warm_links <= 8 + 1, "{stats:?}");
        assert!(stats.contacts > 8, "{stats:?}");
        assert!(
            node.swarm().is_connected(&peer(5)),
            "a held peer was closed"
        );
    });
}
