//! An application that does not read its events.

use cretoai_network::p2p::Lagged;
use cretoai_network::wire::ErrorCode;

use crate::support::attacker::{Attacker, ask};
use crate::support::nodes::{
    assert_round_trips, config, elapsed, in_virtual_time, ip, peer, quiet_net,
};
use crate::support::peer::Peer;

/// Events that are kept for a reader that lags.
const KEPT: u32 = 16;

#[test]
fn an_event_reader_that_lags_never_stalls_the_node_and_learns_what_it_lost() {
    in_virtual_time(async {
        let net = quiet_net(1);
        let mut small = config();
        small.event_capacity = KEPT;
        let mut bob = Peer::start_with(&net, ip(2), 2, small);
        let mut asleep = bob.node.events();
        let mallory = Attacker::new(&net, 66);
        let alice = Peer::start(&net, ip(1), 1);
        alice.node.dial(&bob.address()).await.unwrap();
        let mut told = 0;
        // Each round is a connection, a fault and a disconnection.
        for _ in 0..40 {
            let connection = mallory.dial(bob.socket()).await.unwrap();
            assert_eq!(
                ask(&connection, &[9, 1]).await,
                Err(ErrorCode::UnknownProtocol)
            );
            connection.close(0_u32.into(), &[]);
            let (rtt, took) = elapsed(alice.node.ping(bob.node.peer_id())).await;
            assert!(rtt.is_ok());
            assert_round_trips(took, 1);
            told += bob.events.drain().len() as u64;
        }
        assert!(told > 2 * u64::from(KEPT), "{told} events");
        let lost = told - u64::from(KEPT);
        assert_eq!(asleep.try_next(), Some(Err(Lagged { lost })));
        let mut left = 0;
        while let Some(event) = asleep.try_next() {
            event.unwrap();
            left += 1;
        }
        assert_eq!(left, KEPT);
        assert_eq!(bob.reputation(&peer(66)), 0);
    });
}
