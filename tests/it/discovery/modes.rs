//! Nodes that ask and do not serve.

use cretoai_network::p2p::{Reachability, RequestError};
use cretoai_network::wire::ErrorCode;

use super::support::{ask, contacts, entering, has, network};
use crate::support::nodes::{address, in_virtual_time, peer, quiet_net, spawn_with};

#[test]
fn a_private_node_asks_is_in_no_table_and_answers_nothing() {
    in_virtual_time(async {
        let net = quiet_net(51);
        let nodes = network(&net, 6).await;
        let mut config = entering();
        config.reachability = Reachability::Private;
        let private = spawn_with(&net, 7, config);
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        assert_eq!(contacts(&private).await, 6);
        private.discovery().find_peer(peer(4)).await.unwrap();
        let put = private.discovery().put_immutable("mine").await.unwrap();
        assert!(put.replicas > 0);
        for node in &nodes {
            assert!(!has(node, peer(7)).await);
        }
        let asking = &nodes[2];
        asking.dial(&address(7)).await.unwrap();
        let refused = ask(asking, peer(7)).await;
        assert_eq!(refused, Err(RequestError::Refused(ErrorCode::Refused)));
        assert!(!has(asking, peer(7)).await);
        assert_eq!(asking.reputation(&peer(7)), 0, "no fault of anybody");
    });
}
