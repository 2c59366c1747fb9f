//! First flights that arrive from where their maker is not.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use cretoai_network::node::P2PConfig;
use cretoai_network::p2p::{IncomingRefusal, PeerEntry, SwarmEvent};
use cretoai_network::sim::{Net, Verdict};
use quinn::Connection;

use crate::support::attacker::{Attacker, End, ask, open_bi};
use crate::support::nodes::{PORT, ROUND_TRIP, config, in_virtual_time, ip, peer, quiet_net};
use crate::support::peer::{Peer, pass};

const PING: &[u8] = &[2, 1, 2, 1, 7];

/// Connections that one peer may have at once.
const MAX_CONNECTIONS_PER_PEER: usize = 4;

/// Until a handshake that nobody completes is given up, by default.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

fn thief() -> SocketAddr {
    SocketAddr::new(ip(99), PORT)
}

/// While `stealing`, whatever `victim` sends arrives from the thief and not from its maker.
fn steal_from(net: &Net, victim: SocketAddr) -> Arc<AtomicBool> {
    let stealing = Arc::new(AtomicBool::new(false));
    let (on, wire) = (stealing.clone(), net.clone());
    net.set_tap(move |datagram| {
        if datagram.from != victim || !on.load(Ordering::Relaxed) {
            return Verdict::Pass;
        }
        wire.inject(thief(), datagram.to, datagram.contents.clone());
        Verdict::Drop
    });
    stealing
}

/// A node, a peer of it with a live connection, and the switch of the thief between them.
struct Scene {
    net: Net,
    bob: Peer,
    victim: Attacker,
    live: Connection,
    stealing: Arc<AtomicBool>,
}

impl Scene {
    async fn new(seed: u64, config: P2PConfig) -> Self {
        let net = quiet_net(seed);
        let bob = Peer::start_with(&net, ip(2), 2, config);
        let victim = Attacker::new(&net, 1);
        let live = victim.dial(bob.socket()).await.unwrap();
        ask(&live, PING).await.unwrap();
        let stealing = steal_from(&net, SocketAddr::new(ip(1), PORT));
        Self {
            net,
            bob,
            victim,
            live,
            stealing,
        }
    }

    /// The victim's next flight, with a ping in it, goes to the thief.
    async fn steal_a_flight(&self) -> Connection {
        self.stealing.store(true, Ordering::Relaxed);
        let (flight, _) = self.victim.dial_early(self.bob.socket());
        drop(open_bi(&flight, PING, End::Finish).await);
        // Long enough for the flight to leave, too short for the live connection to time out.
        pass(2 * ROUND_TRIP).await;
        self.stealing.store(false, Ordering::Relaxed);
        flight
    }

    fn book_entry(&self) -> PeerEntry {
        self.bob.node.peer(&peer(1)).unwrap()
    }
}

#[test]
fn a_stolen_ticket_flight_does_not_displace_a_live_connection() {
    in_virtual_time(async {
        let mut scene = Scene::new(1, config()).await;
        scene.bob.events.drain();
        let before = (scene.book_entry(), scene.bob.node.peers());
        let generation = scene.bob.node.swarm().connection(&peer(1)).unwrap();
        let flight = scene.steal_a_flight().await;
        let answered = scene.net.counters(ip(2), ip(99)).sent;
        assert!(answered.bytes > 0, "the thief's flight was taken up");
        assert_eq!((scene.book_entry(), scene.bob.node.peers()), before);
        let now = scene.bob.node.swarm().connection(&peer(1)).unwrap();
        assert_eq!(now.path(), generation.path(), "streams go where they went");
        assert!(ask(&scene.live, PING).await.is_ok());
        assert_eq!(scene.bob.events.drain(), []);
        // The victim's dial is lost with its flight; nobody completes the thief's.
        flight.close(0_u32.into(), &[]);
        pass(HANDSHAKE_TIMEOUT).await;
        let told = scene.bob.events.drain();
        let failed = |event: &SwarmEvent| {
            let SwarmEvent::IncomingRefused { reason } = event else {
                return false;
            };
            matches!(reason, IncomingRefusal::Handshake(_))
        };
        assert!(told.iter().all(failed), "{told:?}");
        assert_eq!(scene.bob.reputation(&peer(1)), 0);
        assert!(ask(&scene.live, PING).await.is_ok());
    });
}

#[test]
fn stolen_flights_are_not_charged_to_the_identity_in_their_tickets() {
    in_virtual_time(async {
        let mut few = config();
        few.max_peers = 2;
        let scene = Scene::new(2, few).await;
        let mut flights = Vec::new();
        for _ in 0..=MAX_CONNECTIONS_PER_PEER {
            flights.push(scene.steal_a_flight().await);
            // Each full handshake brings the ticket of the next flight.
            let own = scene.victim.dial(scene.bob.socket()).await.unwrap();
            assert!(ask(&own, PING).await.is_ok());
            own.close(0_u32.into(), &[]);
            pass(ROUND_TRIP).await;
        }
        let other = Attacker::new(&scene.net, 3);
        let connection = other.dial(scene.bob.socket()).await.unwrap();
        assert!(
            ask(&connection, PING).await.is_ok(),
            "the second seat is free"
        );
        assert!(ask(&scene.live, PING).await.is_ok());
    });
}

#[test]
fn a_thief_gets_no_more_than_three_times_what_it_sent() {
    in_virtual_time(async {
        let scene = Scene::new(3, config()).await;
        let _flight = scene.steal_a_flight().await;
        pass(2 * HANDSHAKE_TIMEOUT).await;
        let to_thief = scene.net.counters(ip(2), ip(99)).sent.bytes;
        let from_thief = scene.net.counters(ip(99), ip(2)).sent.bytes;
        assert!(to_thief <= 3 * from_thief, "{to_thief} for {from_thief}");
    });
}

#[test]
fn a_victim_whose_flight_was_stolen_gets_in_with_its_next_dial() {
    in_virtual_time(async {
        let net = quiet_net(4);
        let bob = Peer::start(&net, ip(2), 2);
        let alice = Peer::start(&net, ip(1), 1);
        alice.node.dial_and_ping(&bob.address()).await.unwrap();
        alice.node.disconnect(&peer(2));
        pass(2 * ROUND_TRIP).await;
        let stealing = steal_from(&net, alice.socket());
        stealing.store(true, Ordering::Relaxed);
        assert!(alice.node.dial_and_ping(&bob.address()).await.is_err());
        stealing.store(false, Ordering::Relaxed);
        assert!(!bob.is_connected(1));
        assert!(alice.node.dial_and_ping(&bob.address()).await.is_ok());
        assert!(bob.is_connected(1));
    });
}

/// All that the victim sends, as it is on the wire.
fn record_from(net: &Net, victim: SocketAddr) -> Arc<Mutex<Vec<Bytes>>> {
    let record = Arc::new(Mutex::new(Vec::new()));
    let log = record.clone();
    net.set_tap(move |datagram| {
        if datagram.from == victim && !datagram.injected {
            log.lock().unwrap().push(datagram.contents.clone());
        }
        Verdict::Pass
    });
    record
}

/// A whole session of alice with bob is replayed from `address`, while it lives or afterwards.
fn assert_replay_changes_nothing(seed: u64, address: SocketAddr, while_alive: bool) {
    in_virtual_time(async {
        let net = quiet_net(seed);
        let mut bob = Peer::start(&net, ip(2), 2);
        let alice = Peer::start(&net, ip(1), 1);
        let record = record_from(&net, alice.socket());
        alice.node.dial(&bob.address()).await.unwrap();
        alice.node.ping(peer(2)).await.unwrap();
        pass(Duration::from_secs(1)).await;
        if !while_alive {
            alice.node.disconnect(&peer(2));
            pass(Duration::from_secs(5)).await;
        }
        bob.events.drain();
        let before = bob.node.peer(&peer(1));
        let session = record.lock().unwrap().clone();
        for datagram in session {
            net.inject(address, bob.socket(), datagram);
        }
        pass(ROUND_TRIP).await;
        assert_eq!(bob.is_connected(1), while_alive);
        assert_eq!(bob.node.peer(&peer(1)), before);
        assert_eq!(alice.node.ping(peer(2)).await.is_ok(), while_alive);
        pass(2 * HANDSHAKE_TIMEOUT).await;
        let told = bob.events.drain();
        let refused = |event: &SwarmEvent| matches!(event, SwarmEvent::IncomingRefused { .. });
        assert!(told.iter().all(refused), "{told:?}");
        assert_eq!(bob.reputation(&peer(1)), 0);
        assert_eq!(bob.is_connected(1), while_alive);
    });
}

#[test]
fn a_session_replayed_from_another_address_while_it_lives_changes_nothing() {
    assert_replay_changes_nothing(5, thief(), true);
}

#[test]
fn a_session_replayed_from_its_own_address_while_it_lives_changes_nothing() {
    assert_replay_changes_nothing(6, SocketAddr::new(ip(1), PORT), true);
}

#[test]
fn a_session_replayed_from_another_address_afterwards_changes_nothing() {
    assert_replay_changes_nothing(7, thief(), false);
}

#[test]
fn a_session_replayed_from_its_own_address_afterwards_changes_nothing() {
    assert_replay_changes_nothing(8, SocketAddr::new(ip(1), PORT), false);
}
