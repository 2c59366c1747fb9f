//! Floods of handshakes that nobody means to finish, in virtual time. The load test of the same is
//! the bench `flood`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use cretoai_network::node::P2PNode;
use cretoai_network::p2p::{MAX_TRACKED_SOURCES, Swarm};
use cretoai_network::sim::{FirstFlight, Net, Verdict};
use cretoai_network::transport::{QuicTransport, TransportConfig};
use cretoai_network::wire::NetworkId;
use tokio::time::sleep;

use crate::support::nodes::{
    PORT, ROUND_TRIP, address, assert_round_trips, elapsed, in_virtual_time, ip, keypair, peer,
    quiet_net, spawn,
};

/// Unfinished handshakes above which addresses have to be proven.
const RETRY_ABOVE: u32 = 64;

/// Unfinished handshakes of one network, all with proven addresses.
const PER_NETWORK: u32 = 32;

/// Longer than a handshake may take, with the probe timeouts after its end.
const ALL_OVER: Duration = Duration::from_secs(20);

/// A node under attack, and a first flight for it.
struct Target {
    net: Net,
    node: P2PNode,
    flight: FirstFlight,
}

impl Target {
    async fn new(seed: u64) -> Self {
        let net = quiet_net(seed);
        let node = spawn(&net, 2);
        let dial = |environment| {
            let config = TransportConfig::default();
            let network = NetworkId::of("creto");
            let transport = QuicTransport::bind(config, &keypair(90), network, environment);
            let transport = transport.unwrap();
            let dialling = transport.dial(socket(), None).unwrap();
            (transport, dialling)
        };
        let flight = FirstFlight::capture(&net, ip(90), dial).await.unwrap();
        Self { net, node, flight }
    }

    /// The first flight number `number`, from a network of its own.
    fn forge(&self, number: u16) {
        for datagram in self.datagrams(number) {
            self.net.inject(source(number), socket(), datagram);
        }
    }

    fn datagrams(&self, number: u16) -> Vec<Bytes> {
        self.flight.numbered(number.into()).unwrap()
    }

    fn swarm(&self) -> &Swarm {
        self.node.swarm()
    }

    fn unconfirmed(&self) -> u32 {
        self.swarm().counts().unconfirmed
    }

    fn quic_connections(&self) -> usize {
        self.swarm().transports()[0].open_connections()
    }

    /// Bytes of UDP payload that a forged source's address sent, and was sent.
    fn bytes(&self, number: u16) -> (u64, u64) {
        let forged = source(number).ip();
        let received = self.net.counters(forged, ip(2)).delivered.bytes;
        (received, self.net.counters(ip(2), forged).sent.bytes)
    }

    /// First bytes of all packets that leave the node from now on, with their destinations.
    fn record(&self) -> Arc<Mutex<Vec<(IpAddr, u8)>>> {
        let tape = Arc::new(Mutex::new(Vec::new()));
        let writer = tape.clone();
        self.net.set_tap(move |datagram| {
            if datagram.from == socket() {
                let sent = (datagram.to.ip(), datagram.contents[0]);
                writer.lock().unwrap().push(sent);
            }
            Verdict::Pass
        });
        tape
    }
}

fn socket() -> SocketAddr {
    SocketAddr::new(ip(2), PORT)
}

fn source(number: u16) -> SocketAddr {
    let [high, low] = number.to_be_bytes();
    SocketAddr::from((Ipv4Addr::new(20, high, low, 1), 1_024))
}

/// A long header of type 3 (RFC 9000, section 17.2.5).
const fn is_retry(first_byte: u8) -> bool {
    first_byte & 0xf0 == 0xf0
}

#[test]
fn from_the_65th_unfinished_handshake_on_a_forged_flight_gets_a_retry_and_nothing_else() {
    in_virtual_time(async {
        let target = Target::new(1).await;
        let sent = target.record();
        for number in 1..=64 {
            target.forge(number);
        }
        sleep(ROUND_TRIP).await;
        assert_eq!(target.unconfirmed(), RETRY_ABOVE);
        assert!(
            sent.lock()
                .unwrap()
                .iter()
                .all(|(_, first)| !is_retry(*first))
        );
        target.forge(65);
        sleep(ALL_OVER / 4).await;
        assert_eq!(target.unconfirmed(), RETRY_ABOVE);
        let to_65 = |(to, first): &(IpAddr, u8)| (*to == source(65).ip()).then_some(*first);
        let answers: Vec<u8> = sent.lock().unwrap().iter().filter_map(to_65).collect();
        assert!(!answers.is_empty() && answers.into_iter().all(is_retry));
    });
}

#[test]
fn a_forged_source_is_never_sent_more_than_three_times_what_came_from_it() {
    in_virtual_time(async {
        let target = Target::new(2).await;
        for number in 1..=100 {
            target.forge(number);
        }
        for number in 101..=200 {
            // A ClientHello that is never completed.
            let first = target.datagrams(number).swap_remove(0);
            target.net.inject(source(number), socket(), first);
        }
        // Long enough for all that the node repeats, and for what it says at the end.
        sleep(ALL_OVER).await;
        let mut amplified = 0;
        for number in 1..=200 {
            let (received, sent) = target.bytes(number);
            assert!(sent <= 3 * received, "{number}: {sent} for {received}");
            amplified += u64::from(sent > received);
        }
        assert!(
            amplified >= RETRY_ABOVE.into(),
            "nothing was put to the test"
        );
    });
}

#[test]
fn in_a_flood_of_forged_flights_an_honest_dial_takes_one_round_trip_more() {
    in_virtual_time(async {
        let target = Target::new(3).await;
        let dialler = spawn(&target.net, 1);
        let honest = async {
            sleep(ROUND_TRIP * 4).await;
            let (connected, took) = elapsed(dialler.dial(&address(2))).await;
            assert_eq!(connected.unwrap(), peer(2));
            assert_round_trips(took, 2);
            dialler.ping(peer(2)).await.unwrap();
        };
        let flood = async {
            for number in 1..=2_000 {
                target.forge(number);
                if number % 4 == 0 {
                    sleep(Duration::from_millis(1)).await;
                }
            }
        };
        tokio::join!(honest, flood);
    });
}

#[test]
fn what_a_flood_of_forged_flights_occupies_is_bounded_and_given_back() {
    in_virtual_time(async {
        let target = Target::new(4).await;
        for number in 1..=5_000 {
            target.forge(number);
            if number % 50 == 0 {
                sleep(Duration::from_millis(1)).await;
                let counts = target.swarm().counts();
                assert!(counts.unconfirmed <= RETRY_ABOVE);
                assert_eq!(counts.connections, counts.unconfirmed as usize);
                assert!(counts.sources <= MAX_TRACKED_SOURCES);
                assert!(target.quic_connections() <= counts.connections);
            }
        }
        assert_eq!(target.unconfirmed(), RETRY_ABOVE);
        sleep(ALL_OVER).await;
        assert_eq!(target.swarm().counts().connections, 0);
        assert_eq!(target.unconfirmed(), 0);
        assert_eq!(target.quic_connections(), 0);
    });
}

#[test]
fn half_open_handshakes_of_one_network_with_proven_addresses_cost_others_nothing() {
    in_virtual_time(async {
        let target = Target::new(5).await;
        // Nothing but a Retry reaches the attackers, so that no handshake goes on.
        target.net.set_tap(|datagram| {
            let withheld = is_attacker(datagram.to.ip()) && !is_retry(datagram.contents[0]);
            if withheld {
                Verdict::Drop
            } else {
                Verdict::Pass
            }
        });
        let attackers: Vec<_> = (1..=100).map(|host| half_open(&target.net, host)).collect();
        sleep(ROUND_TRIP * 3).await;
        assert_eq!(target.unconfirmed(), PER_NETWORK);
        let dialler = spawn(&target.net, 1);
        let (connected, took) = elapsed(dialler.dial(&address(2))).await;
        assert_eq!(connected.unwrap(), peer(2));
        assert_round_trips(took, 1);
        for host in 1..=100 {
            target.net.kill(attacker(host));
        }
        drop(attackers);
        sleep(ALL_OVER).await;
        assert_eq!(target.unconfirmed(), 0);
    });
}

fn half_open(net: &Net, host: u8) -> impl Sized {
    let environment = net.host(attacker(host));
    let network = NetworkId::of("creto");
    let config = TransportConfig::default();
    let transport = QuicTransport::bind(config, &keypair(91), network, environment).unwrap();
    let dialling = transport.dial(socket(), None).unwrap();
    (transport, dialling)
}

fn attacker(host: u8) -> IpAddr {
    Ipv4Addr::new(30, 0, 7, host).into()
}

fn is_attacker(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V4(ip) if ip.octets()[..3] == [30, 0, 7])
}
