//! What faults add up to: a closed connection at −50, a ban of ten minutes at −100.

use std::time::Duration;

use cretoai_network::p2p::{DialFailure, IncomingRefusal, SwarmEvent};
use cretoai_network::wire::ErrorCode;
use quinn::{Connection, ConnectionError};

use crate::support::attacker::{Attacker, ask, closed_with};
use crate::support::nodes::{address, in_virtual_time, ip, peer, quiet_net};
use crate::support::peer::{Peer, pass};

/// A ping without its frame: a length of zero.
const FAULT: &[u8] = &[2, 1, 0];

/// An honest ping.
const PING: &[u8] = &[2, 1, 2, 1, 7];

/// Length of a ban, and the time in which a score halves.
const TEN_MINUTES: Duration = Duration::from_secs(600);

async fn commit(connection: &Connection, faults: u32) {
    for _ in 0..faults {
        assert_eq!(ask(connection, FAULT).await, Err(ErrorCode::ZeroLength));
    }
}

/// The fault after which the node closes the connection: the stream's reset may go under.
async fn commit_last(connection: &Connection) -> ErrorCode {
    let (mut send, _receive) = connection.open_bi().await.unwrap();
    send.write_all(FAULT).await.unwrap();
    closed_with(connection).await
}

/// Ten faults: five on the first connection, then each costs a connection.
async fn get_banned(bob: &mut Peer, mallory: &Attacker) {
    let connection = mallory.dial(bob.socket()).await.unwrap();
    commit(&connection, 4).await;
    assert_eq!(commit_last(&connection).await, ErrorCode::Misbehaved);
    for _ in 6..10 {
        let connection = mallory.dial(bob.socket()).await.unwrap();
        assert_eq!(commit_last(&connection).await, ErrorCode::Misbehaved);
    }
    let connection = mallory.dial(bob.socket()).await.unwrap();
    assert_eq!(commit_last(&connection).await, ErrorCode::Banned);
    let banned = |event: &SwarmEvent| match event {
        SwarmEvent::PeerBanned { peer, span } => Some((*peer, *span)),
        _ => None,
    };
    let expected = (peer(66), TEN_MINUTES);
    assert_eq!(bob.events.until(banned).await, expected);
}

#[test]
fn four_faults_leave_the_connection_and_the_fifth_closes_it() {
    in_virtual_time(async {
        let net = quiet_net(1);
        let bob = Peer::start(&net, ip(2), 2);
        let mallory = Attacker::new(&net, 66);
        let connection = mallory.dial(bob.socket()).await.unwrap();
        commit(&connection, 4).await;
        assert_eq!(bob.reputation(&peer(66)), -40);
        assert!(ask(&connection, PING).await.is_ok());
        assert_eq!(commit_last(&connection).await, ErrorCode::Misbehaved);
        assert_eq!(bob.reputation(&peer(66)), -50);
        let again = mallory.dial(bob.socket()).await.unwrap();
        assert!(ask(&again, PING).await.is_ok(), "it may come back");
    });
}

#[test]
fn good_behaviour_does_not_pay_for_faults() {
    in_virtual_time(async {
        let net = quiet_net(2);
        let bob = Peer::start(&net, ip(2), 2);
        let mallory = Attacker::new(&net, 66);
        let connection = mallory.dial(bob.socket()).await.unwrap();
        commit(&connection, 1).await;
        for _ in 0..20 {
            ask(&connection, PING).await.unwrap();
        }
        assert_eq!(bob.reputation(&peer(66)), -10);
    });
}

#[test]
fn ten_faults_ban_the_peer_both_ways() {
    in_virtual_time(async {
        let net = quiet_net(3);
        let mut bob = Peer::start(&net, ip(2), 2);
        let mallory = Attacker::new(&net, 66);
        get_banned(&mut bob, &mallory).await;
        let refused = mallory.dial(bob.socket()).await.unwrap();
        assert_eq!(closed_with(&refused).await, ErrorCode::Banned);
        let reason = bob
            .events
            .until(|event| match event {
                SwarmEvent::IncomingRefused { reason } => Some(*reason),
                _ => None,
            })
            .await;
        assert_eq!(reason, IncomingRefusal::Peer(DialFailure::Banned));
        let dialled = bob.node.dial(&address(66)).await;
        assert_eq!(dialled, Err(DialFailure::Banned));
    });
}

#[test]
fn a_ban_expires_after_ten_minutes_and_one_fault_more_closes_again() {
    in_virtual_time(async {
        let net = quiet_net(4);
        let mut bob = Peer::start(&net, ip(2), 2);
        let mallory = Attacker::new(&net, 66);
        get_banned(&mut bob, &mallory).await;
        pass(TEN_MINUTES - Duration::from_secs(1)).await;
        let refused = mallory.dial(bob.socket()).await.unwrap();
        assert_eq!(closed_with(&refused).await, ErrorCode::Banned);
        pass(Duration::from_secs(1)).await;
        let welcome = mallory.dial(bob.socket()).await.unwrap();
        assert!(ask(&welcome, PING).await.is_ok());
        assert_eq!(bob.reputation(&peer(66)), -50);
        assert_eq!(commit_last(&welcome).await, ErrorCode::Misbehaved);
    });
}

#[test]
fn a_ban_is_for_the_peer_and_not_for_its_neighbours() {
    in_virtual_time(async {
        let net = quiet_net(5);
        let mut bob = Peer::start(&net, ip(2), 2);
        let mallory = Attacker::new(&net, 66);
        get_banned(&mut bob, &mallory).await;
        let alice = Peer::start(&net, ip(1), 1);
        alice.node.dial(&bob.address()).await.unwrap();
        assert!(alice.node.ping(bob.node.peer_id()).await.is_ok());
    });
}

#[test]
fn a_banned_peer_hears_no_more_than_the_code() {
    in_virtual_time(async {
        let net = quiet_net(6);
        let mut bob = Peer::start(&net, ip(2), 2);
        let mallory = Attacker::new(&net, 66);
        get_banned(&mut bob, &mallory).await;
        let refused = mallory.dial(bob.socket()).await.unwrap();
        let (mut send, mut receive) = refused.open_bi().await.unwrap();
        send.write_all(PING).await.unwrap();
        send.finish().unwrap();
        assert!(receive.read_to_end(64).await.is_err());
        let reason = refused.closed().await;
        assert!(matches!(reason, ConnectionError::ApplicationClosed(_)));
        assert!(bob.node.peers().is_empty());
    });
}
