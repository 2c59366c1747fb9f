//! A peer whose process was killed, without a word, and started again with the same identity.

use std::time::Duration;

use cretoai_network::node::P2PNode;
use cretoai_network::p2p::SwarmEvent;
use cretoai_network::sim::Net;
use cretoai_network::transport::CloseReason;
use tokio::time::{sleep, timeout};

use crate::support::nodes::{
    ROUND_TRIP, TICKS, address, config, elapsed, in_virtual_time, ip, peer, quiet_net, spawn, until,
};

/// Two nodes, the first with the smaller identity.
fn smaller_and_larger() -> (u16, u16) {
    if peer(1) < peer(2) { (1, 2) } else { (2, 1) }
}

/// Who had dialled, and who is killed.
#[derive(Debug, Clone, Copy)]
struct Case {
    killed: u16,
    survivor: u16,
    killed_had_dialled: bool,
}

fn cases() -> [Case; 4] {
    let (smaller, larger) = smaller_and_larger();
    let case = |killed, survivor, killed_had_dialled| Case {
        killed,
        survivor,
        killed_had_dialled,
    };
    [
        case(smaller, larger, true),
        case(smaller, larger, false),
        case(larger, smaller, true),
        case(larger, smaller, false),
    ]
}

/// The survivor and the restarted peer; the survivor still believes in the old connection.
async fn kill_and_restart(net: &Net, case: Case) -> (P2PNode, P2PNode) {
    let (killed, survivor) = (spawn(net, case.killed), spawn(net, case.survivor));
    if case.killed_had_dialled {
        killed.dial(&address(case.survivor)).await.unwrap();
    } else {
        survivor.dial(&address(case.killed)).await.unwrap();
    }
    until(|| !killed.peers().is_empty() && !survivor.peers().is_empty()).await;
    killed.ping(peer(case.survivor)).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    net.kill(ip(case.killed));
    drop(killed);
    sleep(Duration::from_millis(100)).await;
    let restarted = spawn(net, case.killed);
    assert_eq!(survivor.peers(), [peer(case.killed)], "{case:?}");
    (survivor, restarted)
}

/// Asks until there is an answer, dialling whenever there is no connection.
async fn reach(node: &P2PNode, other: u16) {
    loop {
        let reached = async {
            node.dial(&address(other)).await.ok()?;
            node.ping(peer(other)).await.ok()
        };
        if reached.await.is_some() {
            return;
        }
    }
}

/// Waits for a connection and an answer on it, never dialling.
async fn be_reached(node: &P2PNode, other: u16) {
    while node.ping(peer(other)).await.is_err() {
        sleep(Duration::from_millis(1)).await;
    }
}

async fn assert_one_connection(nodes: [&P2PNode; 2], case: Case) {
    sleep(Duration::from_secs(10)).await;
    for node in nodes {
        assert_eq!(node.swarm().counts().connections, 1, "{case:?}");
    }
}

#[test]
fn a_restarted_peer_that_redials_is_back_within_three_round_trips() {
    for case in cases() {
        in_virtual_time(async {
            let net = quiet_net(1);
            let (survivor, restarted) = kill_and_restart(&net, case).await;
            let both = async {
                tokio::join!(
                    reach(&restarted, case.survivor),
                    be_reached(&survivor, case.killed)
                )
            };
            let (_, took) = elapsed(both).await;
            assert!(took <= ROUND_TRIP * 3 + TICKS, "{case:?}: {took:?}");
            assert_one_connection([&survivor, &restarted], case).await;
        });
    }
}

#[test]
fn a_restarted_peer_that_is_redialled_is_back_within_three_round_trips() {
    for case in cases() {
        in_virtual_time(async {
            let net = quiet_net(2);
            let (survivor, restarted) = kill_and_restart(&net, case).await;
            let (_, took) = elapsed(reach(&survivor, case.killed)).await;
            assert!(took <= ROUND_TRIP * 3 + TICKS, "{case:?}: {took:?}");
            restarted.ping(peer(case.survivor)).await.unwrap();
            assert_one_connection([&survivor, &restarted], case).await;
        });
    }
}

#[test]
fn a_restarted_peer_and_the_survivor_that_redial_at_once_are_back_within_three_round_trips() {
    for case in cases() {
        in_virtual_time(async {
            let net = quiet_net(3);
            let (survivor, restarted) = kill_and_restart(&net, case).await;
            let both = async {
                tokio::join!(
                    reach(&restarted, case.survivor),
                    reach(&survivor, case.killed)
                )
            };
            let (_, took) = elapsed(both).await;
            assert!(took <= ROUND_TRIP * 3 + TICKS, "{case:?}: {took:?}");
            assert_one_connection([&survivor, &restarted], case).await;
        });
    }
}

#[test]
fn a_survivor_hears_of_the_restart_in_one_round_trip_of_its_next_packet() {
    for case in cases() {
        in_virtual_time(async {
            let net = quiet_net(4);
            let (survivor, _restarted) = kill_and_restart(&net, case).await;
            let mut events = survivor.events();
            let (reply, took) = elapsed(survivor.ping(peer(case.killed))).await;
            assert!(reply.is_err());
            assert!(took <= ROUND_TRIP + TICKS, "{case:?}: {took:?}");
            let gone = SwarmEvent::PeerDisconnected {
                peer: peer(case.killed),
                reason: CloseReason::Reset,
            };
            let patience = Duration::from_millis(10);
            let event = timeout(patience, events.next()).await.unwrap().unwrap();
            assert_eq!(event.unwrap().what, gone);
        });
    }
}

#[test]
fn a_peer_that_stays_dead_is_gone_after_the_idle_timeout() {
    in_virtual_time(async {
        let net = quiet_net(5);
        let (killed, survivor) = (spawn(&net, 1), spawn(&net, 2));
        survivor.dial(&address(1)).await.unwrap();
        sleep(Duration::from_secs(1)).await;
        let mut events = survivor.events();
        net.kill(ip(1));
        drop(killed);
        let (event, took) = elapsed(events.next()).await;
        let gone = SwarmEvent::PeerDisconnected {
            peer: peer(1),
            reason: CloseReason::TimedOut,
        };
        assert_eq!(event.unwrap().unwrap().what, gone);
        let idle = config().idle_timeout;
        // A keep-alive that was sent meanwhile may begin the time anew, once.
        assert!(took <= idle + config().keep_alive + TICKS, "{took:?}");
    });
}
