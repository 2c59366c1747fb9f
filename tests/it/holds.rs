//! Connections that the application wants are held as long as they last.

use crate::support::nodes::{ROUND_TRIP, address, in_virtual_time, peer, quiet_net, spawn};
use crate::support::peer::pass;

#[test]
fn what_the_application_dialled_is_held_until_it_disconnects() {
    in_virtual_time(async {
        let net = quiet_net(1);
        let (alice, bob) = (spawn(&net, 1), spawn(&net, 2));
        alice.dial(&address(2)).await.unwrap();
        assert!(alice.swarm().is_held(&peer(2)));
        pass(ROUND_TRIP).await;
        assert!(!bob.swarm().is_held(&peer(1)), "Bob did not ask for it");
        alice.disconnect(&peer(2));
        assert!(!alice.swarm().is_held(&peer(2)));
    });
}

#[test]
fn what_the_application_dialled_is_held_until_the_peer_leaves() {
    in_virtual_time(async {
        let net = quiet_net(2);
        let (alice, bob) = (spawn(&net, 1), spawn(&net, 2));
        alice.add_address(peer(2), &address(2)).unwrap();
        alice.connect(peer(2)).await.unwrap();
        assert!(alice.swarm().is_held(&peer(2)));
        bob.shutdown().await;
        assert!(!alice.swarm().is_held(&peer(2)));
    });
}

#[test]
fn a_dial_that_fails_holds_nobody() {
    in_virtual_time(async {
        let net = quiet_net(3);
        let alice = spawn(&net, 1);
        assert!(alice.dial(&address(2)).await.is_err());
        assert!(!alice.swarm().is_held(&peer(2)));
    });
}
