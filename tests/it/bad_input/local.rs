//! What is wrong on this machine: a port that is taken, an identity that is in use.

use std::io;

use cretoai_network::node::{LockError, P2PNode, SpawnError};
use cretoai_network::transport::BindError;

use crate::support::nodes::{PORT, config, in_virtual_time, ip, keypair, quiet_net};
use crate::support::peer::Peer;

#[test]
fn a_taken_port_is_an_error_that_names_the_address() {
    in_virtual_time(async {
        let net = quiet_net(1);
        let first = Peer::start(&net, ip(1), 1);
        let second = P2PNode::builder(keypair(2))
            .config(config())
            .environment(net.host(ip(1)))
            .spawn();
        let error = second.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&format!("0.0.0.0:{PORT}")), "{text}");
        let SpawnError::Bind(BindError::Socket { address, error }) = error else {
            panic!("{error}");
        };
        assert_eq!(address.port(), PORT);
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        assert!(first.node.peers().is_empty());
    });
}

#[test]
fn a_second_node_with_the_same_identity_is_refused_while_the_first_runs() {
    in_virtual_time(async {
        let net = quiet_net(2);
        let directory = tempfile::tempdir().unwrap();
        let mut locked = config();
        locked.data_dir = Some(directory.path().to_owned());
        let spawn = |host| {
            P2PNode::builder(keypair(1))
                .config(locked.clone())
                .environment(net.host(ip(host)))
                .spawn()
        };
        let first = spawn(1).unwrap();
        let error = spawn(2).unwrap_err();
        let in_use = matches!(&error, SpawnError::Lock(LockError::InUse(_)));
        assert!(in_use, "{error}");
        assert!(
            error
                .to_string()
                .contains("another process uses this identity")
        );
        first.shutdown().await;
        drop(first);
        spawn(3).unwrap();
    });
}
