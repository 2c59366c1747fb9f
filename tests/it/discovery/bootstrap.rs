//! Ways into the network.

use std::net::Ipv4Addr;
use std::time::Duration;

use cretoai_network::discovery::K;
use cretoai_network::node::P2PNode;
use tokio::time::sleep;

use super::support::{contacts, entering, has, host, network, waiting};
use crate::support::nodes::{
    PORT, address, elapsed, in_virtual_time, ip, keypair, peer, quiet_net, spawn_with,
};

#[test]
fn with_one_dead_seed_and_one_live_a_new_node_has_k_contacts_within_two_seconds() {
    in_virtual_time(async {
        let net = quiet_net(21);
        let _nodes = network(&net, 30).await;
        let mut config = waiting();
        config.bootstrap_nodes = vec![host(200), host(1)];
        let node = spawn_with(&net, 31, config);
        let entered = async {
            while contacts(&node).await < K {
                sleep(Duration::from_millis(5)).await;
            }
        };
        let ((), span) = elapsed(entered).await;
        println!("bootstrap: {K} contacts after {span:?}");
        assert!(span <= Duration::from_secs(2), "{span:?}");
    });
}

#[test]
fn a_seed_may_be_named_with_its_identity_and_one_that_is_somebody_else_is_passed_over() {
    in_virtual_time(async {
        let net = quiet_net(22);
        let _nodes = network(&net, 3).await;
        let mut config = waiting();
        config.bootstrap_nodes = vec![host(2).with_peer_id(peer(9)), address(3)];
        let node = spawn_with(&net, 4, config);
        sleep(Duration::from_secs(3)).await;
        assert_eq!(contacts(&node).await, 3);
    });
}

#[test]
fn a_node_whose_seed_is_late_tries_again() {
    in_virtual_time(async {
        let net = quiet_net(23);
        let node = spawn_with(&net, 2, entering());
        sleep(Duration::from_secs(60)).await;
        assert_eq!(contacts(&node).await, 0);
        let _seed = spawn_with(&net, 1, waiting());
        // The longest wait, and a dial that was under way when the seed came.
        sleep(Duration::from_secs(30 + 10 + 2)).await;
        assert_eq!(contacts(&node).await, 1);
    });
}

#[test]
fn a_node_without_seeds_enters_through_whoever_comes() {
    in_virtual_time(async {
        let net = quiet_net(24);
        let nodes = network(&net, 5).await;
        let node = spawn_with(&net, 6, waiting());
        nodes[2].dial(&address(6)).await.unwrap();
        sleep(Duration::from_secs(5)).await;
        assert_eq!(contacts(&node).await, 5);
    });
}

/// The name is looked up by the system's resolver, to which every host is itself.
#[test]
fn a_seed_may_be_named_by_a_dns_name() {
    in_virtual_time(async {
        let net = quiet_net(25);
        let seed = P2PNode::builder(keypair(1))
            .config(waiting())
            .environment(net.host(Ipv4Addr::LOCALHOST.into()))
            .spawn()
            .unwrap();
        let mut config = waiting();
        let name = format!("/dns4/localhost/udp/{PORT}/quic-v1");
        config.bootstrap_nodes = vec![name.parse().unwrap()];
        let node = spawn_with(&net, 2, config);
        sleep(Duration::from_secs(3)).await;
        assert!(has(&node, seed.peer_id()).await);
    });
}

/// All that the node knows are gone, for so long that none is in its table.
#[test]
fn a_node_whose_table_has_emptied_enters_again_through_its_seed() {
    in_virtual_time(async {
        let net = quiet_net(26);
        let mut nodes = network(&net, 4).await;
        let node = nodes.remove(3);
        assert_eq!(contacts(&node).await, 3);
        for (number, other) in (1..).zip(nodes) {
            net.kill(ip(number));
            drop(other);
        }
        let emptied = async {
            while contacts(&node).await > 0 {
                sleep(Duration::from_secs(1)).await;
            }
        };
        let ((), span) = elapsed(emptied).await;
        println!("the table is empty after {span:?}");
        // It goes on trying while nobody is there.
        sleep(Duration::from_secs(600)).await;
        let _seed = spawn_with(&net, 1, waiting());
        let newcomer = spawn_with(&net, 5, entering());
        // The longest wait, and a dial that was under way when the seed came.
        sleep(Duration::from_secs(30 + 10 + 2)).await;
        assert!(has(&node, peer(1)).await && has(&node, peer(5)).await);
        assert!(has(&newcomer, node.peer_id()).await);
    });
}
