//! First flights from forged sources: valid ClientHellos of a dialler who never answers.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use cretoai_network::sim::FirstFlight;
use cretoai_network::transport::{QuicTransport, TransportConfig};
use cretoai_network::wire::NetworkId;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::scene::{Scene, keypair};

/// Networks that the forged sources are spread over; twice as many as the node remembers.
const NETWORKS: u32 = 8_192;

/// Datagrams of a padded first flight.
const DATAGRAMS: usize = 3;

/// Tokio's shortest tick.
const TICK: Duration = Duration::from_millis(1);

/// A flood, made before it is measured.
#[derive(Debug)]
pub(crate) struct Forged {
    flights: Vec<(SocketAddr, Vec<Bytes>)>,
}

impl Forged {
    /// Flights for `span` at `per_second`, each with keys and connection id of its own.
    pub(crate) async fn prepare(scene: &Scene, per_second: f64, span: Duration) -> Self {
        let template = capture(scene).await;
        let count = (per_second * span.as_secs_f64()).ceil() as u64;
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let flights =
            (0..count).map(|number| (source(&mut rng), template.numbered(number).unwrap()));
        Self {
            flights: flights.collect(),
        }
    }

    /// Sends them evenly; how many a second it were.
    pub(crate) async fn send(&self, scene: &Scene, per_second: f64, span: Duration) -> f64 {
        let start = Instant::now();
        let mut ticks = interval(TICK);
        // After a stall, twice the pace until the schedule is met again.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let most_a_tick = (2.0 * per_second * TICK.as_secs_f64()).ceil() as usize;
        let mut sent = 0;
        while sent < self.flights.len() && start.elapsed() < span * 2 {
            ticks.tick().await;
            let due = (start.elapsed().as_secs_f64() * per_second) as usize;
            let now = due.saturating_sub(sent).min(most_a_tick);
            for (from, flight) in self.flights.iter().skip(sent).take(now) {
                for datagram in flight {
                    scene.net.inject(*from, scene.socket, datagram.clone());
                }
            }
            sent = (sent + now).min(self.flights.len());
        }
        sent as f64 / start.elapsed().as_secs_f64()
    }

    /// The first packet of each flight.
    pub(crate) fn first_packets(&self) -> impl Iterator<Item = &Bytes> {
        self.flights.iter().map(|(_, flight)| &flight[0])
    }

    pub(crate) fn count(&self) -> f64 {
        self.flights.len() as f64
    }

    pub(crate) fn datagrams_each(&self) -> f64 {
        DATAGRAMS as f64
    }

    /// Bytes to forged sources for each byte from them: of all together, and of the worst one.
    pub(crate) fn amplification(&self, scene: &Scene) -> (f64, f64) {
        let (mut bytes_in, mut bytes_out, mut worst) = (0, 0, 0.0_f64);
        for ip in self.addresses() {
            let received = scene.net.counters(ip, scene.socket.ip()).delivered.bytes;
            let sent = scene.net.counters(scene.socket.ip(), ip).sent.bytes;
            worst = worst.max(sent as f64 / received.max(1) as f64);
            bytes_in += received;
            bytes_out += sent;
        }
        (bytes_out as f64 / bytes_in as f64, worst)
    }

    /// How many of the flood's packets the node's receive buffer had no room for.
    pub(crate) fn unread_percent(&self, scene: &Scene) -> f64 {
        let (mut sent, mut unread) = (0, 0);
        for ip in self.addresses() {
            let counters = scene.net.counters(ip, scene.socket.ip());
            sent += counters.sent.datagrams;
            unread += counters.unread.datagrams;
        }
        100.0 * unread as f64 / sent as f64
    }

    fn addresses(&self) -> Vec<IpAddr> {
        let mut addresses: Vec<_> = self.flights.iter().map(|(from, _)| from.ip()).collect();
        addresses.sort_unstable();
        addresses.dedup();
        addresses
    }
}

/// A random port in a random network. One host a network keeps the simulator's table of links small.
fn source(rng: &mut ChaCha8Rng) -> SocketAddr {
    let network = rng.next_u32() % NETWORKS;
    let [_, _, high, low] = network.to_be_bytes();
    let ip = Ipv4Addr::new(20, high, low, low | 1);
    let port = 1_024 + (rng.next_u32() % 64_000) as u16;
    SocketAddr::new(ip.into(), port)
}

/// One dial, which never arrives.
async fn capture(scene: &Scene) -> FirstFlight {
    let ip = IpAddr::V4(Ipv4Addr::new(40, 0, 0, 1));
    let dial = |environment| {
        let config = TransportConfig::default();
        let network = NetworkId::of("creto");
        let transport = QuicTransport::bind(config, &keypair(), network, environment).unwrap();
        let dialling = transport.dial(scene.socket, None).unwrap();
        (transport, dialling)
    };
    FirstFlight::capture(&scene.net, ip, dial).await.unwrap()
}
